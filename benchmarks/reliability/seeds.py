"""Whole files of every kind that the program reads, from which damaged ones are made."""

from __future__ import annotations

import bz2
import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability.forked import Ended, run_command
from benchmarks.reliability.jobs import SMALL
from napari_voxuda.app.info import describe
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.io._mrc_write import write_mrc
from napari_voxuda.io.copick import CopickOwner
from napari_voxuda.io.copick_picks import write_copick_picks
from napari_voxuda.io.ndjson import write_ndjson_picks
from napari_voxuda.io.star import write_star_picks
from napari_voxuda.io.zarr_image import write_image_zarr, write_label_zarr

__all__ = ["Seed", "make_seeds"]

SHAPE = (9, 8, 10)
_LARGEST_FOREIGN = 1 << 17


@dataclass(frozen=True)
class Seed:
    """A file or folder, of which some files are damaged.

    Parameters
    ----------
    name : str
        What is opened: a file, or the folder.
    files : dict of bytes
        Content by path; those of a folder lie within it.
    targets : tuple of str
        The files that are damaged.
    """

    name: str
    files: dict[str, bytes]
    targets: tuple[str, ...]


def make_seeds(work: Path, shared: Path | None) -> dict[str, list[Seed]]:
    """Write whole files of each kind into a folder, check that they open, and return them.

    Parameters
    ----------
    work : pathlib.Path
        An empty folder.
    shared : pathlib.Path or None
        A folder with ``formats``, whose files are added where they are small.
    """
    work.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    volume = Volume(
        data=rng.normal(size=SHAPE).astype(np.float32),
        grid=Grid(voxel_size_angstrom=(10.0,) * 3, origin_angstrom=(3.0, -2.0, 0.5)),
        name="TS_01",
    )
    seeds = {
        **_volumes(work, volume),
        **_picks(work),
        **_folders(work, volume),
        **_runs(work),
        "structure": _structures(),
    }
    for seed in _foreign(shared):
        kind = {".em": "em", ".tif": "tiff", ".star": "star"}.get(Path(seed.name).suffix, "mrc")
        seeds[kind].append(seed)
    for group in seeds.values():
        for seed in group:
            _check(seed, work / "check")
    return seeds


def _volumes(work: Path, volume: Volume) -> dict[str, list[Seed]]:
    import tifffile

    write_mrc(work / "a.mrc", volume)
    plain = (work / "a.mrc").read_bytes()
    cells = volume.with_data((volume.data > 0).astype(np.int8))
    write_mrc(work / "b.mrc", cells)
    mask = (work / "b.mrc").read_bytes()
    extended = bytearray(plain[:1024]) + bytes(160) + plain[1024:]
    extended[92:96] = (160).to_bytes(4, "little")
    big = bytearray(volume.data.astype(">f4").tobytes())
    swapped = np.frombuffer(plain[:224], "<u4").astype(">u4").tobytes()
    swapped = swapped[:208] + b"MAP \x11\x11\0\0" + swapped[216:] + plain[224:1024]
    em = bytearray(512)
    em[0], em[3] = 6, 5
    em[4:16] = np.array(SHAPE[::-1], "<i4").tobytes()
    stack = (volume.data * 50).astype(np.int16)
    about = {"axes": "ZYX", "spacing": 1.0, "unit": "nm"}
    tifffile.imwrite(work / "a.tif", stack, imagej=True, metadata=about)
    tifffile.imwrite(work / "b.tif", stack, compression="zlib", photometric="minisblack")
    axes = {"axes": "ZYX", "PhysicalSizeX": 1.0, "PhysicalSizeXUnit": "nm"}
    tifffile.imwrite(work / "c.ome.tif", volume.data, metadata=axes, bigtiff=True)
    mrcs = [plain, mask, bytes(extended), swapped + bytes(big)]
    return {
        "mrc": [_file("v.mrc", raw) for raw in mrcs],
        "mrc fields": [_file("v.rec", raw) for raw in mrcs],
        "mrc.gz": [_file("v.mrc.gz", gzip.compress(raw, mtime=0)) for raw in mrcs],
        "mrc.bz2": [_file("v.mrc.bz2", bz2.compress(raw)) for raw in mrcs],
        "em": [_file("v.em", bytes(em) + volume.data.tobytes())],
        "tiff": [_file("v.tif", (work / n).read_bytes()) for n in ("a.tif", "b.tif", "c.ome.tif")],
    }


def _picks(work: Path) -> dict[str, list[Seed]]:
    picks = Picks(
        positions=np.random.default_rng(1).uniform(0, 7, (6, 3)), scores=np.linspace(0, 1, 6)
    )
    size: Any = {"voxel_size_angstrom": 10.0, "shape": SHAPE}
    stars = []
    for convention in ("relion4", "relion5"):
        write_star_picks(
            work / "p.star", picks, tomogram_name="TS_01", convention=convention, **size
        )
        stars.append(_file("p.star", (work / "p.star").read_bytes()))
    micrograph = stars[0].files["p.star"].replace(b"rlnTomoName", b"rlnMicrographName")
    write_ndjson_picks(work / "p.ndjson", picks)
    owner = CopickOwner(user="user", session="1", object_name="ribosome")
    write_copick_picks(work / "p.json", picks, owner=owner, run="TS_01", voxel_size_angstrom=10.0)
    rows = "\n".join(",".join(f"{v:.2f}" for v in row) for row in picks.positions)
    table = f"z_voxel,y_voxel,x_voxel\n{rows}\n".encode()
    points = f"index,axis-0,axis-1,axis-2\n0,1,2,3\n1,2,3,4\n{''}".encode()
    return {
        "star": [*stars, _file("p.star", micrograph)],
        "csv": [_file("p.csv", table), _file("p.csv", points)],
        "ndjson": [_file("p.ndjson", (work / "p.ndjson").read_bytes())],
        "copick picks": [_file("p.json", (work / "p.json").read_bytes())],
    }


def _folders(work: Path, volume: Volume) -> dict[str, list[Seed]]:
    versions: tuple[Any, ...] = ("0.4", "0.5")
    for version in versions:
        write_image_zarr(work / f"i{version}.zarr", volume, version=version, levels=2)
    labels = volume.with_data((volume.data > 1).astype(np.uint8))
    write_label_zarr(work / "l.zarr", labels, names={1: "ribosome"}, levels=1)
    images = [_folder(work / name) for name in ("i0.4.zarr", "i0.5.zarr", "l.zarr")]
    config = {
        "name": "project",
        "description": "",
        "version": "1.0.0",
        "config_type": "filesystem",
        "pickable_objects": [{"name": "ribosome", "is_particle": True, "label": 1}],
        "overlay_root": "local://overlay",
        "static_root": "local://static",
        "user_id": "user",
    }
    inside = {"project.json": json.dumps(config).encode()}
    place = "static/ExperimentRuns/TS_01/VoxelSpacing10.000/wbp.zarr"
    inside |= {name.replace("i0.4.zarr", place): raw for name, raw in images[0].files.items()}
    return {
        "zarr": images,
        "copick project": [Seed("project.json", inside, ("project.json",))],
    }


def _runs(work: Path) -> dict[str, list[Seed]]:
    tomogram = work / "tomogram.mrc"
    data = np.random.default_rng(0).normal(size=(20, 22, 24)).astype(np.float32)
    write_mrc(tomogram, Volume(data=data, grid=Grid(voxel_size_angstrom=(10.0,) * 3)))
    run = work / "run"
    words = ["adapt", "--target", str(tomogram), *SMALL, "--steps", "3", "--out", str(run)]
    _must(run_command([*words, "--checkpoint-every", "1"], work / "log.txt"))
    mask = work / "m.mrc"
    segment = ["segment", str(tomogram), "--model", str(run), "--out", str(mask), "--core", "16"]
    _must(run_command([*segment, "--device", "cpu"], work / "log.txt"))
    whole = _folder(run)
    unfinished = {
        name: raw for name, raw in whole.files.items() if not name.startswith("run/model.")
    }
    unfinished = {name: raw for name, raw in unfinished.items() if name != "run/lock"}
    newest = max(name for name in unfinished if name.startswith("run/checkpoints/"))
    newest_only = {
        name: raw
        for name, raw in unfinished.items()
        if name == newest or not name.startswith("run/checkpoints/")
    }
    sidecar = mask.with_name("m.mrc.json").read_bytes()
    weights = (run / "model.safetensors").read_bytes()
    return {
        "run.json": [Seed("run", whole.files, ("run/run.json",))],
        "run log": [Seed("run", unfinished, ("run/events.jsonl",))],
        "resume": [Seed("run", newest_only, ("run/run.json", newest))],
        "checkpoint": [
            _file("m.safetensors", weights),
            _file("m.safetensors", unfinished[newest]),
        ],
        "sidecar": [
            Seed("m.mrc", {"m.mrc": mask.read_bytes(), "m.mrc.json": sidecar}, ("m.mrc.json",)),
            _file("x.mrc.json", sidecar),
        ],
    }


def _structures() -> list[Seed]:
    atoms = "".join(
        f"ATOM  {i:5d}  CA  ALA A{i:4d}    {i:8.3f}{2.0 * i:8.3f}{-i:8.3f}  1.00 20.00           C\n"
        for i in range(1, 12)
    )
    columns = ("group_PDB", "id", "type_symbol", "label_atom_id", "label_comp_id", "label_asym_id")
    columns += ("label_seq_id", "Cartn_x", "Cartn_y", "Cartn_z", "auth_seq_id", "auth_asym_id")
    rows = "".join(f"ATOM {i} C CA ALA A {i} {i}.0 {2 * i}.0 1.0 {i} A\n" for i in range(1, 12))
    head = "".join(f"_atom_site.{name}\n" for name in columns)
    text = f"data_1ABC\n_entry.id 1ABC\nloop_\n{head}{rows}"
    return [
        _file("s.pdb", f"{atoms}END\n".encode()),
        _file("s.cif", text.encode()),
        _file("s.cif.gz", gzip.compress(text.encode(), mtime=0)),
    ]


def _foreign(shared: Path | None) -> list[Seed]:
    """Return the small files of other programs, and the beginnings of larger ones."""
    folder = None if shared is None else shared / "formats"
    if folder is None or not folder.is_dir():
        return []
    files = sorted(path for path in folder.iterdir() if path.stat().st_size <= _LARGEST_FOREIGN)
    return [_file(path.name, path.read_bytes()) for path in files]


def _file(name: str, raw: bytes) -> Seed:
    return Seed(name, {name: raw}, (name,))


def _folder(path: Path) -> Seed:
    files = {
        str(p.relative_to(path.parent)): p.read_bytes()
        for p in sorted(path.rglob("*"))
        if p.is_file()
    }
    return Seed(path.name, files, tuple(files))


def _must(ended: Ended) -> None:
    if ended.code:
        raise RuntimeError(f"a whole file could not be made: {ended.said}")


def _check(seed: Seed, folder: Path) -> None:
    """Write a seed, and make sure that it opens: what is damaged was whole before."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    write_files(seed.files, folder)
    if Path(seed.name).suffix not in (".pdb", ".cif", ".gz"):
        describe(folder / seed.name)


def write_files(files: dict[str, bytes], folder: Path) -> None:
    """Write files into a folder, by their paths in it."""
    for name, raw in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)

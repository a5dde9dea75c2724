"""Files that promise terabytes, unpack to more than fits, or point out of the folder of the outputs."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import resource
import signal
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability.forked import in_child
from benchmarks.reliability.openers import open_file
from napari_voxuda.data.memory import machine_memory_bytes
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.io._mrc_write import write_mrc
from napari_voxuda.io.zarr_image import write_image_zarr

__all__ = ["Giant", "giant_files", "giant_trials"]

_TERABYTE = 1 << 40
_MEMORY_BYTES = 1 << 30
_SECONDS = 60
_PIECE = 1 << 26
_ALLOWED_MB = 600


@dataclass
class Giant:
    """A file of this kind, and what came out.

    Parameters
    ----------
    name : str
        What it is.
    words : str
        What was said, or that it opened.
    grown_mb, seconds : float
        Memory that was taken, and time.
    problems : list of str
        What was wrong.
    """

    name: str
    words: str = ""
    grown_mb: float = 0.0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


def giant_trials(work: Path) -> Iterator[Giant]:
    """Make each file, open it in a child with little memory, and tell what came out."""
    for number, (name, kind, make) in enumerate(giant_files()):
        folder = work / f"giant-{number}"
        folder.mkdir()
        yield _opened(name, kind, make(folder), folder)
        for path in folder.rglob("*"):
            if path.is_file():
                path.unlink()  # some are large


def giant_files() -> list[tuple[str, str, Callable[[Path], Path]]]:
    """Return what each file is, its kind (see `OPENERS`), and what makes it in a folder."""
    promised = "header that promises 8 EB"
    found: list[tuple[str, str, Callable[[Path], Path]]] = [
        (f"MRC: {promised}", "mrc", lambda f: _save(f / "a.mrc", _mrc_header(_MOST))),
        (
            f"MRC, gz: {promised}",
            "mrc",
            lambda f: _save(f / "a.mrc.gz", gzip.compress(_mrc_header(_MOST))),
        ),
        (
            f"MRC, bz2: {promised}",
            "mrc",
            lambda f: _save(f / "a.mrc.bz2", bz2.compress(_mrc_header(_MOST))),
        ),
        ("EM: header that promises 1 PB", "em", lambda f: _save(f / "a.em", _em_header(65536))),
        ("TIFF: page that promises 16 EB", "tiff", _tiff_promise),
        (
            "zarr: array that promises 4 EB in chunks of as much",
            "zarr",
            lambda f: _zarr(f, 10**6, 10**6),
        ),
        ("zarr: array that promises 4 EB in small chunks", "zarr", lambda f: _zarr(f, 10**6, 16)),
        (
            "weights: header that promises 4 EB",
            "checkpoint",
            lambda f: _save(f / "a.safetensors", (1 << 62).to_bytes(8, "little") + b"{}"),
        ),
        ("weights: network of 10^9 channels", "checkpoint", _wide_network),
    ]
    for name in (
        "a.mrc",
        "a.em",
        "a.tif",
        "a.star",
        "a.csv",
        "a.ndjson",
        "a.json",
        "a.safetensors",
    ):
        kind = {".tif": "tiff", ".json": "copick picks", ".safetensors": "checkpoint"}
        chosen = kind.get(Path(name).suffix, Path(name).suffix.removeprefix("."))
        found.append((f"{name}: 1 TB of zeros", chosen, lambda f, n=name: _sparse(f / n)))
    found += [
        ("run.json: 1 TB of zeros", "run log", lambda f: _sparse(f / "run" / "run.json").parent),
        ("events.jsonl: one line of 1 TB", "run log", _long_log),
        ("sidecar: 1 TB of zeros", "sidecar", lambda f: _sparse(f / "a.mrc.json")),
        (
            "MRC, gz: bomb of four times the memory",
            "mrc",
            lambda f: _bomb(f / "a.mrc.gz", gzip.compress),
        ),
        (
            "MRC, bz2: bomb of four times the memory",
            "mrc",
            lambda f: _bomb(f / "a.mrc.bz2", bz2.compress),
        ),
        (
            "MRC, gz: small volume, then a bomb",
            "mrc",
            lambda f: _bomb(f / "a.mrc.gz", gzip.compress, small=True),
        ),
        ("MRC, gz: extended header of 2 GB that is there", "mrc", _long_extension),
        ("zarr: chunk that unpacks to 16 GB", "zarr", _zarr_bomb),
        ("TIFF: strip that unpacks to 2 GB", "tiff", _tiff_bomb),
        (
            "mmCIF, gz: bomb of 16 GB",
            "structure",
            lambda f: _save(f / "a.cif.gz", gzip.compress(bytes(_PIECE)) * 256),
        ),
    ]
    return found


_MOST = (1 << 31) - 1


def _opened(name: str, kind: str, path: Path, folder: Path) -> Giant:
    """Open a file in a child; what it says comes back through a file."""
    answer = folder.with_suffix(".answer")

    def work() -> int:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + _MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        signal.alarm(_SECONDS)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        words = open_file(kind, path) or "opened"
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        answer.write_text(json.dumps({"words": words, "grown_mb": grown / 1024}))
        return 0

    ended = in_child(work, folder.with_suffix(".log"))
    giant = Giant(name, seconds=ended.seconds)
    if ended.code:
        said = ended.said.strip().splitlines()
        giant.problems.append(f"exit code {ended.code}: {said[-1][:300] if said else ''}")
        return giant
    told = json.loads(answer.read_text())
    giant.words, giant.grown_mb = told["words"].replace(f"{path}: ", ""), told["grown_mb"]
    giant.words = giant.words.replace(str(folder), "…")
    if giant.grown_mb > _ALLOWED_MB:
        giant.problems.append(f"it took {giant.grown_mb:.0f} MB")
    return giant


def _save(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    return path


def _mrc_header(edge: int, extended: int = 0) -> bytes:
    header = bytearray(1024)
    words = np.zeros(64, "<i4")
    words[[0, 1, 2, 7, 8, 9]] = edge
    words[3], words[16:19], words[22], words[23] = 2, (1, 2, 3), 1, extended
    header[:256] = words.tobytes()
    header[208:216] = b"MAP DD\0\0"
    return bytes(header)


def _em_header(edge: int) -> bytes:
    header = bytearray(512)
    header[0], header[3] = 6, 5
    header[4:16] = np.full(3, edge, "<i4").tobytes()
    return bytes(header)


def _tiff_promise(folder: Path) -> Path:
    path = _tiff(folder)
    _overwrite_tags(path, ImageWidth=_MOST, ImageLength=_MOST, RowsPerStrip=_MOST)
    return path


def _tiff_bomb(folder: Path) -> Path:
    """Make a small packed page whose strip unpacks to far more than its header says."""
    import tifffile

    path = _tiff(folder)
    packer = zlib.compressobj(9)
    packed = packer.compress(bytes(_PIECE))
    packed += b"".join(packer.compress(bytes(_PIECE)) for _ in range(31)) + packer.flush()
    with tifffile.TiffFile(path, mode="r+b") as file:
        end = path.stat().st_size
        for page in file.pages:
            page.tags["StripOffsets"].overwrite([end])  # type: ignore[union-attr]
            page.tags["StripByteCounts"].overwrite([len(packed)])  # type: ignore[union-attr]
    with path.open("ab") as stream:
        stream.seek(0, os.SEEK_END)
        stream.write(bytes(max(0, end - stream.tell())))
        place = stream.tell()
        stream.write(packed)
    with tifffile.TiffFile(path, mode="r+b") as file:
        for page in file.pages:
            page.tags["StripOffsets"].overwrite([place])  # type: ignore[union-attr]
    return path


def _tiff(folder: Path) -> Path:
    import tifffile

    path = folder / "a.tif"
    data = np.zeros((3, 16, 16), np.uint8)
    tifffile.imwrite(path, data, compression="zlib", photometric="minisblack", metadata=None)
    return path


def _overwrite_tags(path: Path, **values: int) -> None:
    import tifffile

    with tifffile.TiffFile(path, mode="r+b") as file:
        for page in file.pages:
            for name, value in values.items():
                page.tags[name].overwrite(value, dtype="I")  # type: ignore[union-attr]


def _zarr(folder: Path, edge: int, chunk: int) -> Path:
    path = _small_zarr(folder)
    metadata = path / "0" / ".zarray"
    content = json.loads(metadata.read_text())
    metadata.write_text(json.dumps({**content, "shape": [edge] * 3, "chunks": [chunk] * 3}))
    return path


def _zarr_bomb(folder: Path) -> Path:
    path = _small_zarr(folder)
    metadata = path / "0" / ".zarray"
    content = json.loads(metadata.read_text())
    codec = {"id": "gzip", "level": 1}
    metadata.write_text(json.dumps({**content, "compressor": codec}))
    for chunk in (path / "0").rglob("*"):
        if chunk.is_file() and not chunk.name.startswith("."):
            chunk.write_bytes(gzip.compress(bytes(_PIECE)) * 256)
    return path


def _small_zarr(folder: Path) -> Path:
    path = folder / "a.zarr"
    data = np.random.default_rng(0).normal(size=(8, 8, 8)).astype(np.float32)
    grid = Grid(voxel_size_angstrom=(10.0,) * 3)
    write_image_zarr(path, Volume(data=data, grid=grid), levels=1)
    return path


def _wide_network(folder: Path) -> Path:
    import torch

    from napari_voxuda._params import to_dict
    from napari_voxuda.networks.checkpoint import ModelCard, write_tensors
    from napari_voxuda.networks.settings import NetworkSettings

    card = ModelCard(
        network=NetworkSettings(),
        contrast="dark",
        normalisation="volume",
        voxel_size_angstrom=10.0,
    )
    values: dict[str, Any] = to_dict(card)
    values["network"] = dict.fromkeys(values["network"], 10**9)
    path = folder / "a.safetensors"
    write_tensors(path, {"teacher.x": torch.zeros(1)}, {"step": 1, "model": values})
    return path


def _sparse(path: Path) -> Path:
    """Make a file of a terabyte that takes no room: a header where there is one, then zeros."""
    path.parent.mkdir(exist_ok=True)
    heads = {".mrc": _mrc_header(32), ".em": _em_header(32), ".tif": b"II*\0\x08\0\0\0"}
    path.write_bytes(heads.get(path.suffix, b""))
    os.truncate(path, _TERABYTE)
    return path


def _long_log(folder: Path) -> Path:
    run = folder / "run"
    run.mkdir()
    record = {"format": 1, "settings": {}, "target": {}}
    (run / "run.json").write_text(json.dumps(record))
    _sparse(run / "events.jsonl")
    return run


def _bomb(path: Path, pack: Callable[[bytes], bytes], *, small: bool = False) -> Path:
    """Make a packed volume of zeros, as large as its header says, or larger."""
    size = 4 * (machine_memory_bytes() or _TERABYTE >> 5)
    edge = 32 if small else int((size / 4) ** (1 / 3)) + 1
    piece = pack(bytes(_PIECE))
    with path.open("wb") as stream:
        stream.write(pack(_mrc_header(edge)))
        for _ in range(max(1, size // _PIECE)):
            stream.write(piece)
    return path


def _long_extension(folder: Path) -> Path:
    path = folder / "a.mrc.gz"
    piece = gzip.compress(bytes(_PIECE))
    whole = folder / "b.mrc"
    data = np.random.default_rng(0).normal(size=(8, 8, 8)).astype(np.float32)
    write_mrc(whole, Volume(data=data, grid=Grid(voxel_size_angstrom=(10.0,) * 3)))
    extended = 31 * _PIECE
    with path.open("wb") as stream:
        stream.write(gzip.compress(_mrc_header(8, extended)))
        for _ in range(31):
            stream.write(piece)
        stream.write(gzip.compress(whole.read_bytes()[1024:]))
    return path

"""What the program does with a file of each kind, and how it answers."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from napari_voxuda.errors import VoxUDAError

__all__ = ["OPENERS", "complaint", "open_file"]

_LONGEST = 1500
_SHAPE = (9, 8, 10)
_UNEXPECTED = 1


def open_file(kind: str, path: Path) -> str:
    """Open a file in every way that its kind has; return the first refusal, ``""`` where it opened.

    Raises
    ------
    AssertionError
        When a refusal is no sentence that can be shown.
    Exception
        Anything but our errors that comes out.
    """
    refusal = "" if kind == "structure" else _shown(path)  # structures are no files of ``info``
    for opener in OPENERS[kind]:
        try:
            opener(path)
        except VoxUDAError as error:
            refusal = refusal or str(error)
            wrong = complaint(str(error))
            if wrong:
                raise AssertionError(f"{wrong}: {str(error)[:300]!r}") from error
    return refusal


def complaint(sentence: str) -> str | None:
    """Return what is wrong with the words of a refusal; None where nothing is."""
    if not sentence.strip():
        return "the refusal has no words"
    if "\n" in sentence or "\r" in sentence:
        return "the refusal has several lines"
    if len(sentence) > _LONGEST:
        return f"the refusal has {len(sentence)} characters"
    try:
        sentence.encode()
    except UnicodeEncodeError:
        return "the refusal cannot be shown"
    return None


def _shown(path: Path) -> str:
    """Run ``info`` as text and as JSON; return the refusal."""
    refusal = ""
    for words in (["info", str(path)], ["info", str(path), "--json"]):
        code, told = _command(words)
        if code == _UNEXPECTED or (code and not told.strip()):
            raise AssertionError(f"info: exit code {code}: {told.strip()[-600:]!r}")
        if code:
            refusal = told.removeprefix("Error: ").removesuffix("\n")
            wrong = complaint(refusal)
            if wrong:
                raise AssertionError(f"info: {wrong}: {told[:300]!r}")
    return refusal


def _command(words: list[str]) -> tuple[int, str]:
    """Run a command line here; return its exit code and what it wrote to stderr."""
    from napari_voxuda.cli.main import app

    with _streams() as told:
        try:
            app(words, prog_name="napari-voxuda")
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        sys.stdout.flush()
    return code, told.getvalue()


@contextmanager
def _streams() -> Any:
    """Put a strict UTF-8 stream in the place of stdout, as a terminal is one."""
    kept = sys.stdout, sys.stderr
    told = io.StringIO()
    sys.stdout = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict")
    sys.stderr = told
    try:
        yield told
    finally:
        with suppress(Exception):
            sys.stdout.close()
        sys.stdout, sys.stderr = kept


def _volume(path: Path) -> None:
    """Read a volume, touch its values, and copy its header to a new file."""
    from napari_voxuda.data.normalise import volume_statistics
    from napari_voxuda.io.mrc import write_mrc
    from napari_voxuda.io.volumes import read_volume

    volume = read_volume(path)
    corner = np.asarray(volume.data[:16, :16, :16])
    if volume.data.nbytes < 1 << 26:
        volume_statistics(volume.data, name=volume.name)
    if corner.size and np.isfinite(corner.astype(np.float64)).all():
        write_mrc(path.parent / "copy.mrc", volume.with_data(corner.astype(np.float32)))


def _levels(path: Path) -> None:
    from napari_voxuda.io.ome_zarr import open_ome_zarr, read_ome_zarr

    for number in range(len(open_ome_zarr(path).levels)):
        np.asarray(read_ome_zarr(path, level=number).data[:4, :4, :4])


def _header(path: Path) -> None:
    from napari_voxuda.io.mrc import read_header

    read_header(path)


def _picks(path: Path) -> None:
    from napari_voxuda.io.picks_file import read_picks

    for name in ("TS_01", None):
        read_picks(path, voxel_size_angstrom=10.0, shape=_SHAPE, tomogram_name=name)


def _model(path: Path) -> None:
    from napari_voxuda.networks.checkpoint import load_model, read_metadata, weights_file

    read_metadata(weights_file(path))
    load_model(path)


def _first_steps(path: Path) -> None:
    """Go on with a run until it has been restored, or for a few events."""
    from napari_voxuda.app.adapt.task import adapt_task
    from napari_voxuda.app.jobs import AdaptJob

    task = adapt_task(AdaptJob(target=None, out=path, resume=True, device="cpu"))
    try:
        for _ in range(12):
            event = next(task)
            if "Going on after" in str(getattr(event, "text", "")):
                break
    except StopIteration:
        pass
    finally:
        task.close()


def _project(path: Path) -> None:
    from napari_voxuda.io.copick import CopickOwner, read_copick_project
    from napari_voxuda.io.volumes import read_volume

    project = read_copick_project(path)
    owner = CopickOwner(user="u", session="1", object_name="ribosome")
    for run in project.runs():
        project.picks_path(run, owner)
    read_volume(path)


def _sidecar(path: Path) -> None:
    from napari_voxuda.app.provenance import Provenance
    from napari_voxuda.io.provenance import read_sidecar

    Provenance.from_dict(read_sidecar(path) or {})


def _structure(path: Path) -> None:
    from napari_voxuda.simulation.structures import read_structure

    read_structure(path)


OPENERS: dict[str, tuple[Callable[[Path], None], ...]] = {
    "mrc": (_header, _volume),
    "mrc fields": (_volume,),
    "mrc.gz": (_volume,),
    "mrc.bz2": (_volume,),
    "em": (_volume,),
    "tiff": (_volume,),
    "star": (_picks,),
    "csv": (_picks,),
    "ndjson": (_picks,),
    "copick picks": (_picks,),
    "zarr": (_volume, _levels),
    "copick project": (_project,),
    "run.json": (_model,),
    "run log": (),
    "resume": (_first_steps,),
    "checkpoint": (_model,),
    "sidecar": (_sidecar,),
    "structure": (_structure,),
}
"""What is called beside ``napari-voxuda info``, by kind."""

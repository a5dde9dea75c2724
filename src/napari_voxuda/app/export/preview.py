"""What an export will write, to the byte where that can be told, before anything is written."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from napari_voxuda._types import TripleInt
from napari_voxuda.app.export.job import POSITION_FORMATS, ExportJob, PlannedFile
from napari_voxuda.app.export.plan import check_file, found_particles, plan_export
from napari_voxuda.app.export.task import write_positions
from napari_voxuda.data.masks import as_mask
from napari_voxuda.errors import OutputError
from napari_voxuda.io._mrc_write import label_dtype
from napari_voxuda.segmentation.particles import Particle

__all__ = ["ExportPreview", "FilePreview", "preview_export"]

_MRC_HEADER_BYTES = 1024
_HEAD_LINES, _HEAD_LETTERS = 24, 2000
_PYRAMID = 8 / 7  # all coarser levels of a pyramid together hold a seventh of the finest


@dataclass(frozen=True, kw_only=True)
class FilePreview:
    """One file that an export will write.

    Parameters
    ----------
    planned : PlannedFile
        Its name and grid, and the first particle in its units.
    size_bytes : int
        Its size on disk; for OME-Zarr, which is compressed, at most.
    is_exact : bool
        Whether the size is exact.
    dtype : str
        Type of its voxels; empty for positions.
    nstart : tuple of int or None
        Start indices (z, y, x) that it will tell; None where the format has none.
    head : str
        The first lines of a text file, as they will be.
    exists : bool
        Whether there is a file of this name.
    problem : str
        Why it cannot be written, though not because it exists; mostly empty.
    """

    planned: PlannedFile
    size_bytes: int
    is_exact: bool
    dtype: str = ""
    nstart: TripleInt | None = None
    head: str = ""
    exists: bool = False
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class ExportPreview:
    """All files of an export.

    Parameters
    ----------
    files : tuple of FilePreview
        In the order in which they are written.
    particles : int or None
        How many particles the positions tell; None where none were asked for.
    """

    files: tuple[FilePreview, ...]
    particles: int | None = None

    @property
    def existing(self) -> int:
        """How many files would be replaced."""
        return sum(file.exists for file in self.files)

    @property
    def problem(self) -> str:
        """The first problem; empty where there is none."""
        return next((file.problem for file in self.files if file.problem), "")


def preview_export(
    jobs: Sequence[ExportJob],
    particles_of: Callable[[ExportJob], tuple[Particle, ...]] = found_particles,
) -> ExportPreview:
    """Return what jobs would write; nothing is written at their places.

    Parameters
    ----------
    jobs : sequence of ExportJob
        One for each mask.
    particles_of : callable
        Returns the particles of a job; for a caller that remembers them.

    Raises
    ------
    VoxUDAError
        When something that a format needs is missing; see `plan_export`.
    """
    files: list[FilePreview] = []
    count: int | None = None
    seen: set[Path] = set()
    for given in jobs:
        job = replace(given, labels=as_mask(given.labels))
        plan_export(job)  # refuses before anything is measured
        if any(chosen in POSITION_FORMATS for chosen in job.formats):
            job = replace(job, particles=particles_of(job))
            count = (count or 0) + len(job.particles or ())
        files += [_preview(job, planned, seen) for planned in plan_export(job)]
    return ExportPreview(files=tuple(files), particles=count)


def _preview(job: ExportJob, planned: PlannedFile, seen: set[Path]) -> FilePreview:
    problem = ""
    try:
        check_file(replace(job, overwrite=True), planned, seen)
    except OutputError as error:
        problem = str(error)
    exists = planned.path.exists()
    if planned.format in POSITION_FORMATS:
        size, head = _text(job, planned)
        return FilePreview(
            planned=planned,
            size_bytes=size,
            is_exact=True,
            head=head,
            exists=exists,
            problem=problem,
        )
    dtype = _dtype(job, planned)
    voxels = math.prod(job.labels.shape) * dtype.itemsize
    is_mrc = "mrc" in planned.format
    pyramid = 1.0 if planned.format.startswith("copick") else _PYRAMID
    return FilePreview(
        planned=planned,
        size_bytes=_MRC_HEADER_BYTES + voxels if is_mrc else math.ceil(voxels * pyramid),
        is_exact=is_mrc,
        dtype=dtype.name,
        nstart=job.labels.grid.nstart if is_mrc else None,
        exists=exists,
        problem=problem,
    )


def _text(job: ExportJob, planned: PlannedFile) -> tuple[int, str]:
    """Write a file of positions elsewhere; return its size and its first lines."""
    with tempfile.TemporaryDirectory(prefix="napari-voxuda-") as folder:
        path = Path(folder) / planned.path.name
        write_positions(job, replace(planned, path=path))
        size = path.stat().st_size
        with path.open(encoding="utf-8") as stream:
            text = stream.read(_HEAD_LETTERS)
    lines = text.splitlines()
    if len(lines) > _HEAD_LINES or size > len(text.encode()):
        lines = [*lines[:_HEAD_LINES], "…"]
    return size, "\n".join(lines)


def _dtype(job: ExportJob, planned: PlannedFile) -> np.dtype[np.generic]:
    """Return the type of the voxels on disk."""
    if planned.format.startswith("probability"):
        return np.dtype(np.float32)
    is_binary = planned.label is not None or planned.format == "copick-segmentation"
    largest = 1 if is_binary else max(int(plane.max()) for plane in job.labels.data)
    if "mrc" in planned.format:
        return label_dtype(largest, job.labels.name)
    if planned.format.startswith("copick") and largest <= 127:
        return np.dtype(np.int8)
    smallest: np.dtype[np.generic] = np.dtype(np.min_scalar_type(largest))
    return smallest

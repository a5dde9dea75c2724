"""Export labels, probabilities and particles in the formats of other programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from napari_voxuda._types import Progress, Task
from napari_voxuda.app.export.job import POSITION_FORMATS, ExportFormat, ExportJob, PlannedFile
from napari_voxuda.app.export.plan import check_file, check_plan, found_particles, plan_export
from napari_voxuda.app.provenance import Provenance, sign, trace
from napari_voxuda.data.masks import as_mask
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import OutputError
from napari_voxuda.io.copick_picks import write_copick_picks
from napari_voxuda.io.ndjson import write_ndjson_picks
from napari_voxuda.io.saving import save_labels, save_values
from napari_voxuda.io.star import write_star_picks
from napari_voxuda.io.table import write_particles_csv
from napari_voxuda.io.zarr_image import write_label_zarr
from napari_voxuda.io.zarr_labels import add_label_to_image

__all__ = [
    "ExportFormat",
    "ExportJob",
    "ExportResult",
    "PlannedFile",
    "export_all_task",
    "export_task",
    "plan_export",
    "write_positions",
]

_STAGE = "Exporting"


@dataclass(frozen=True, kw_only=True)
class ExportResult:
    """What an export has written.

    Parameters
    ----------
    files : tuple of PlannedFile
        In the order of the formats asked for.
    particles : int or None
        How many particles the positions tell; None where none were asked for.
    """

    files: tuple[PlannedFile, ...]
    particles: int | None


def export_task(job: ExportJob) -> Task[ExportResult]:
    """Write everything that a job asks for, each file whole or not at all, with its sidecar.

    What can be refused is refused before the first file is written; files written before an error or a
    cancel stay.

    Parameters
    ----------
    job : ExportJob
        The export.

    Yields
    ------
    Progress
        In files.

    Raises
    ------
    InputError
        When something that a format needs is missing, or labels do not fit it.
    OutputError
        When a file exists and may not be replaced, or one cannot be written.
    DependencyError
        When a package that a format needs is not installed.
    """
    planned = plan_export(job)
    check_plan(job, planned)
    particles = None
    if any(f in POSITION_FORMATS for f in job.formats):
        yield Progress(stage="Finding particles", done=0, total=1)
        particles = found_particles(job)
        job = replace(job, particles=particles)
        planned = plan_export(job)
        yield Progress(stage="Finding particles", done=1, total=1)
    provenance = yield from _traced(job)
    yield Progress(stage=_STAGE, done=0, total=len(planned))
    for done, file in enumerate(planned, 1):
        _write(job, file)
        sign(file.path, file.kind, provenance)
        yield Progress(stage=_STAGE, done=done, total=len(planned))
    return ExportResult(
        files=tuple(planned), particles=None if particles is None else len(particles)
    )


def export_all_task(jobs: Sequence[ExportJob]) -> Task[ExportResult]:
    """Write what several jobs ask for, each as `export_task` does; nothing if one can be refused.

    Parameters
    ----------
    jobs : sequence of ExportJob
        One for each mask. Labels of any whole-numbered type will do; they are copied first, so that
        what is written is one state of a mask that may go on being edited.

    Yields
    ------
    Progress
        Of each job.

    Raises
    ------
    VoxUDAError
        As `export_task` does.
    """
    copied, seen = [], set[Path]()
    for done, job in enumerate(jobs):
        yield Progress(stage="Reading labels", done=done, total=len(jobs))
        copied.append(replace(job, labels=as_mask(job.labels)))
        for file in plan_export(copied[-1]):
            check_file(copied[-1], file, seen)
    files: list[PlannedFile] = []
    particles: list[int] = []
    for job in copied:
        result = yield from export_task(job)
        files += result.files
        particles += [] if result.particles is None else [result.particles]
    return ExportResult(files=tuple(files), particles=sum(particles) if particles else None)


def _traced(job: ExportJob) -> Task[Provenance]:
    """Return what the files come from: what the labels do, or the labels themselves."""
    settings = {
        "formats": list(job.formats),
        "particles_from": job.particles_from,
        "label_names": {str(k): v for k, v in job.label_names.items()},
        "run": job.run_name,
        "coordinate_pixel_angstrom": job.coordinate_pixel_angstrom,
    }
    if job.provenance is not None:
        yield from ()
        return job.provenance.with_settings(export=settings)
    inputs = {"labels": job.labels, "probability": job.probability}
    return (yield from trace("export", inputs=inputs, settings=settings))


def _write(job: ExportJob, file: PlannedFile) -> None:
    """Write one planned file."""
    if file.format.startswith("copick"):
        _make_folder(file)
    if file.format in POSITION_FORMATS:
        write_positions(job, file)
    elif file.format.startswith("probability") and job.probability is not None:
        save_values(
            file.path,
            job.probability,
            label="foreground probability",
            version=job.zarr_version,
            overwrite=job.overwrite,
        )
    elif file.format == "zarr-in-image" and job.image is not None:
        add_label_to_image(
            job.image, job.labels, name=job.name, names=job.label_names, overwrite=job.overwrite
        )
    elif file.format.startswith("copick"):
        _write_segmentation(job, file)
    elif file.label is not None:
        mask = _of_one_label(job.labels, file.label)
        save_labels(file.path, mask, version=job.zarr_version, overwrite=job.overwrite)
    elif file.format == "zarr":
        write_label_zarr(
            file.path,
            job.labels,
            version=job.zarr_version,
            names=job.label_names,
            overwrite=job.overwrite,
        )
    else:
        save_labels(file.path, job.labels)


def _write_segmentation(job: ExportJob, file: PlannedFile) -> None:
    """Write a copick segmentation: bytes, one resolution, no origin."""
    labels = job.labels
    if file.format == "copick-segmentation":
        labels = labels.with_data((np.asarray(labels.data) != 0).astype(np.uint8))
    largest = max(int(plane.max()) for plane in labels.data)
    grid = replace(labels.grid, origin_angstrom=(0.0, 0.0, 0.0), nstart=(0, 0, 0))
    write_label_zarr(
        file.path,
        replace(labels, grid=grid),
        levels=1,
        dtype=np.int8 if largest <= 127 else np.uint8,
        names=job.label_names,
        overwrite=job.overwrite,
    )


def write_positions(job: ExportJob, file: PlannedFile) -> None:
    """Write the particles of a job, which have been measured, in one of the formats of positions.

    Raises
    ------
    InputError
        When the voxel size is needed and unknown.
    OutputError
        When the file cannot be written.
    """
    particles, size = job.particles or (), job.labels.grid.voxel_size_angstrom
    if file.format == "csv":
        write_particles_csv(file.path, particles, job.labels.grid)
        return
    picks = Picks(
        positions=np.array([p.centroid for p in particles], dtype=np.float64).reshape(-1, 3),
        scores=np.clip(np.array([p.mean_probability for p in particles], dtype=np.float64), 0, 1),
    )
    if file.format == "ndjson":
        write_ndjson_picks(file.path, picks)
    elif file.format == "copick-picks" and size is not None:
        write_copick_picks(
            file.path, picks, owner=job.owner, run=job.run_name, voxel_size_angstrom=size
        )
    else:
        write_star_picks(
            file.path,
            picks,
            tomogram_name=job.run_name,
            voxel_size_angstrom=size,
            shape=job.labels.shape,
            convention="relion4" if file.format == "relion4" else "relion5",
            coordinate_pixel_angstrom=job.coordinate_pixel_angstrom,
        )


def _of_one_label(labels: Volume, label: int) -> Volume:
    """Return the binary mask of one label."""
    return labels.with_data((np.asarray(labels.data) == label).astype(np.uint8))


def _make_folder(file: PlannedFile) -> None:
    try:
        file.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{file.path}: the folder {file.path.parent} cannot be made ({error.strerror})."
        ) from error

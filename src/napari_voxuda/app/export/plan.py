"""Which files an export makes, and whether it can: shared by command line and dialog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from napari_voxuda._types import Triple
from napari_voxuda.app.export.job import (
    POSITION_FORMATS,
    ExportFormat,
    ExportJob,
    PlannedFile,
)
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io.copick import (
    CopickProject,
    copick_voxel_size,
    picks_name,
    read_copick_project,
    segmentation_name,
)
from napari_voxuda.io.names import child, file_name
from napari_voxuda.io.provenance import check_sidecar_place
from napari_voxuda.io.zarr_folder import check_new_folder
from napari_voxuda.segmentation.instances import find_particles, label_particles
from napari_voxuda.segmentation.particles import Particle

__all__ = ["check_file", "check_plan", "found_particles", "labels_in", "plan_export"]

_NEED_VOXEL_SIZE = (
    "copick-segmentation",
    "copick-multilabel",
    "copick-picks",
    "relion5",
    "relion4",
)
_MOST_MASKS = 1000
_NO_ORIGIN = (0.0, 0.0, 0.0)


def plan_export(job: ExportJob) -> list[PlannedFile]:
    """Return what an export would write, without writing or measuring anything.

    Parameters
    ----------
    job : ExportJob
        The export.

    Raises
    ------
    InputError
        When something that a format needs is missing.
    OutputError
        When a name leads out of its folder.
    FileFormatError
        When the copick project cannot be read.
    """
    size = job.labels.grid.voxel_size_angstrom
    wanting = [f for f in job.formats if f in _NEED_VOXEL_SIZE]
    if size is None and wanting:
        raise InputError(
            f"{job.labels.name}: {wanting[0]} needs the voxel size, which is unknown; set it in Å."
        )
    project = None if job.project is None else read_copick_project(job.project)
    planned: list[PlannedFile] = []
    for chosen in job.formats:
        if chosen.startswith("copick"):
            planned.append(_copick(job, chosen, project))
        elif chosen in POSITION_FORMATS:
            planned.append(_positions(job, chosen))
        else:
            planned += _volumes(job, chosen)
    return planned


def check_plan(job: ExportJob, planned: list[PlannedFile]) -> None:
    """Refuse a plan that cannot be carried out, before any work is done.

    Raises
    ------
    OutputError
        When two files have one name, one exists and may not be replaced, or a folder is missing.
    """
    seen: set[Path] = set()
    for file in planned:
        check_file(job, file, seen)


def check_file(job: ExportJob, file: PlannedFile, seen: set[Path]) -> None:
    """Refuse one file of a plan; `seen` are the places of those before, and gets its own.

    Raises
    ------
    OutputError
        As `check_plan` does.
    """
    path = file.path
    if path.resolve() in seen:
        raise OutputError(f"{path}: two outputs would have this name; choose another name.")
    seen.add(path.resolve())
    inputs = (*job.protected, *((job.labels.path,) if job.labels.path is not None else ()))
    if path.resolve() in [used.resolve() for used in inputs]:
        raise OutputError(f"{path}: this is an input; choose another name or folder.")
    check_sidecar_place(path)
    if not file.format.startswith("copick") and file.format != "zarr-in-image":
        _check_parent(path)
    if path.suffix == ".zarr" and path.exists():
        check_new_folder(path, overwrite=job.overwrite)
    elif path.exists() and not job.overwrite:
        raise OutputError(
            f"{path}: a new file was wanted, but it exists; choose another name or allow "
            "overwriting."
        )


def labels_in(volume: Volume) -> list[int]:
    """Return the labels that occur in a volume, without the background."""
    found: set[int] = set()
    for plane in volume.data:
        if plane.dtype.kind == "u" and plane.dtype.itemsize <= 2:  # counting is faster than sorting
            found.update(np.flatnonzero(np.bincount(plane.reshape(-1))).tolist())
        else:
            found.update(np.unique(plane).tolist())
    return sorted(int(v) for v in found if v != 0)


def found_particles(job: ExportJob) -> tuple[Particle, ...]:
    """Return the particles of a job, measured from its labels where it has none."""
    if job.particles is not None:
        return job.particles
    data = job.labels.data
    by_label = job.particles_from == "labels" or (
        job.particles_from == "auto" and len(labels_in(job.labels)) > 1
    )
    labels = data if by_label else label_particles(data)
    one = np.broadcast_to(np.float32(1), data.shape)
    probability = one if job.probability is None else np.asarray(job.probability.data)
    found = tuple(find_particles(labels, probability, job.labels.grid.voxel_size_angstrom))
    means = [p.mean_probability for p in found]
    if job.probability is not None and not all(-1e-6 <= m <= 1 + 1e-6 for m in means):
        raise InputError(
            f"{job.probability.name}: probabilities from 0 to 1 were wanted, got means from {min(means):g} "
            f"to {max(means):g} in the particles. Choose the probability of this mask, or none."
        )
    return found


def _check_parent(path: Path) -> None:
    if not path.parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist; make it first.")


def _volumes(job: ExportJob, chosen: ExportFormat) -> list[PlannedFile]:
    """Return the volumes of one format."""
    suffix = ".zarr" if "zarr" in chosen else ".mrc"
    if chosen.startswith("probability"):
        if job.probability is None:
            raise InputError(
                f"export: {chosen} needs a probability, got none. Give one, or leave the format out."
            )
        path = child(job.folder, f"{job.name}_probability{suffix}")
        return [_on_grid(job, chosen, "probability", path)]
    if chosen == "zarr-in-image":
        if job.image is None:
            raise InputError(
                "export: zarr-in-image needs an OME-Zarr image, got none. Choose the image that gets the "
                "labels, or leave the format out."
            )
        return [_on_grid(job, chosen, "labels in an image", child(job.image, "labels", job.name))]
    if chosen.endswith("per-label"):
        return _masks(job, chosen, suffix)
    return [_on_grid(job, chosen, "labels", child(job.folder, f"{job.name}{suffix}"))]


def _masks(job: ExportJob, chosen: ExportFormat, suffix: str) -> list[PlannedFile]:
    """Return one binary mask for each label, as the CryoET Data Portal keeps them."""
    labels = labels_in(job.labels)
    if len(labels) > _MOST_MASKS:
        raise InputError(
            f"export: masks of up to {_MOST_MASKS} labels were wanted, got {len(labels)} labels; one mask "
            "a label is for kinds of objects, not for single particles."
        )
    planned = []
    for label in labels:
        word = file_name(job.label_names.get(label, f"label{label}"), what=f"name of label {label}")
        path = child(job.folder, f"{job.name}_{word}_segmentationmask{suffix}")
        planned.append(_on_grid(job, chosen, f"mask of label {label}", path, label=label))
    return planned


def _on_grid(
    job: ExportJob, chosen: ExportFormat, kind: str, path: Path, *, label: int | None = None
) -> PlannedFile:
    """Return a volume on the grid of the labels."""
    return PlannedFile(
        format=chosen,
        kind=kind,
        path=path,
        voxel_size_angstrom=job.labels.grid.voxel_size_angstrom,
        origin_angstrom=job.labels.grid.origin_angstrom,
        label=label,
    )


def _copick(job: ExportJob, chosen: ExportFormat, project: CopickProject | None) -> PlannedFile:
    """Return what goes into a copick project, or into folders laid out like one."""
    run, owner = job.run_name, job.owner
    is_picks, multilabel = chosen == "copick-picks", chosen == "copick-multilabel"
    size = copick_voxel_size(job.labels.grid, job.labels.name)
    if project is not None:
        path = (
            project.picks_path(run, owner)
            if is_picks
            else project.segmentation_path(run, owner, size, multilabel=multilabel)
        )
    else:
        place = "Picks" if is_picks else "Segmentations"
        name = (
            picks_name(owner) if is_picks else segmentation_name(owner, size, multilabel=multilabel)
        )
        path = child(job.folder, "ExperimentRuns", run, place, name)
    note = ""
    if project is not None and not multilabel and owner.object_name not in project.objects:
        note = f"The project has no object {owner.object_name}; add it to {project.path.name}."
    if project is not None and run not in project.runs():
        note = f"{note} The project has no run {run} yet.".strip()
    first, unit = (_first(job, lambda p: _times(p, (size,) * 3)), "Å") if is_picks else (None, "")
    return PlannedFile(
        format=chosen,
        kind="picks" if is_picks else "segmentation",
        path=path,
        voxel_size_angstrom=(size, size, size),
        origin_angstrom=_NO_ORIGIN,
        first=first,
        unit=unit,
        note=note,
    )


def _positions(job: ExportJob, chosen: ExportFormat) -> PlannedFile:
    """Return a file of positions, or the table of particles."""
    endings = {
        "relion5": ".star",
        "relion4": "_relion4.star",
        "ndjson": "_point.ndjson",
        "csv": ".csv",
    }
    path = child(job.folder, f"{job.name}{endings[chosen]}")
    size = job.labels.grid.voxel_size_angstrom
    half = tuple(n / 2 for n in job.labels.shape)
    rule: Callable[[Triple], Triple]
    if chosen == "relion5" and size is not None:
        unit, edge = "Å from the centre", size
        rule = lambda p: _times((p[0] - half[0], p[1] - half[1], p[2] - half[2]), edge)  # noqa: E731
    elif chosen == "relion4" and size is not None:
        pixel = job.coordinate_pixel_angstrom or max(size)
        unit, ratio = f"pixels of {pixel:g} Å", (size[0] / pixel, size[1] / pixel, size[2] / pixel)
        rule = lambda p: _times(p, ratio)  # noqa: E731
    else:
        unit, rule = "voxels", lambda p: p
    return PlannedFile(
        format=chosen,
        kind="table" if chosen == "csv" else "picks",
        path=path,
        voxel_size_angstrom=size,
        first=_first(job, rule),
        unit=unit,
    )


def _first(job: ExportJob, rule: Callable[[Triple], Triple]) -> Triple | None:
    """Return the first particle's place as (x, y, z) by a file's rule."""
    if not job.particles:
        return None
    z, y, x = rule(job.particles[0].centroid)
    return x, y, z


def _times(position: Triple, factor: Triple) -> Triple:
    return position[0] * factor[0], position[1] * factor[1], position[2] * factor[2]

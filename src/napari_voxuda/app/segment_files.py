"""Write what a segmentation found, and segment a folder of subtomograms."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_voxuda._types import Message, Progress, Task
from napari_voxuda.app.evaluate import pair_name
from napari_voxuda.app.jobs import Segmentation, SegmentedFolder, SegmentFolderJob, SegmentJob
from napari_voxuda.app.segment import (
    FoundMask,
    LoadModel,
    check_minimum_size,
    open_model,
    segment_into,
    segment_volume,
)
from napari_voxuda.data.normalise import volume_statistics
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.slabs import SlabSink
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io._mrc_write import label_dtype
from napari_voxuda.io.folders import find_subtomograms
from napari_voxuda.io.mrc import mrc_stem, read_mrc, write_mask, write_mrc
from napari_voxuda.io.mrc_stream import scratch_sink, stream_mrc
from napari_voxuda.io.star import write_star_picks
from napari_voxuda.io.table import write_particles_csv
from napari_voxuda.segmentation.components import Components

__all__ = [
    "mask_name",
    "particle_picks",
    "save_segmentation",
    "segment_folder_task",
    "segment_to_files_task",
]


def mask_name(volume: Path) -> str:
    """Return the file name of the mask of `volume`.

    The name is kept, in the suffix ``.mrc``; ``NAME_subtomo.mrc`` gives ``NAME_mask.mrc``. Either
    pairs with the truth in `napari_voxuda.app.evaluate.evaluate`.
    """
    stem = mrc_stem(volume) or volume.stem
    if stem.endswith("_subtomo"):
        stem = stem.removesuffix("_subtomo") + "_mask"
    return f"{stem}.mrc"


def particle_picks(segmentation: Segmentation | FoundMask) -> Picks:
    """Return the centres of the particles, with their mean probability as score."""
    particles = segmentation.particles
    return Picks(
        positions=np.array([p.centroid for p in particles], dtype=np.float64).reshape(-1, 3),
        scores=np.array([p.mean_probability for p in particles], dtype=np.float64),
    )


def save_segmentation(
    segmentation: Segmentation,
    *,
    mask: Path,
    probability: Path | None = None,
    picks: Path | None = None,
    table: Path | None = None,
    instances: Path | None = None,
    overwrite: bool = False,
) -> None:
    """Write a segmentation, each file whole or not at all and the mask last.

    Parameters
    ----------
    segmentation : Segmentation
        What `segment_task` returned.
    mask : Path
        The mask (MRC).
    probability, instances : Path or None
        The foreground probability (MRC, float32), and the mask with the particles' labels (MRC).
    picks, table : Path or None
        The particles' centres (STAR, RELION 5), and all about them (CSV).
    overwrite : bool
        Replace files that exist. Nothing is ever deleted.

    Raises
    ------
    OutputError
        When a file exists already, two outputs are the same file, or one cannot be written.
    InputError
        When picks are asked for and the voxel size is unknown.
    """
    given = [path for path in (probability, instances, table, picks, mask) if path is not None]
    _check_new(given, overwrite)
    volume = segmentation.mask
    _check_picks(picks, volume)
    if probability is not None:
        write_mrc(probability, segmentation.probability, label="foreground probability")
    found = FoundMask(mask=volume, particles=segmentation.particles, contrast=segmentation.contrast)
    _save_found(found, mask=mask, picks=picks, table=table, instances=instances)


def segment_to_files_task(
    job: SegmentJob,
    *,
    mask: Path,
    probability: Path | None = None,
    picks: Path | None = None,
    table: Path | None = None,
    instances: Path | None = None,
    overwrite: bool = False,
    load: LoadModel | None = None,
) -> Task[FoundMask]:
    """Segment a volume straight into files, so that memory does not grow with the probability.

    The files are those of `segment_task` and `save_segmentation`, to the bit.

    Parameters
    ----------
    job : SegmentJob
        Volume, run folder, settings and device.
    mask, probability, picks, table, instances, overwrite
        As for `save_segmentation`. Without a file for the probability it is kept meanwhile in a
        nameless one beside the mask: four bytes a voxel.
    load : callable or None
        Loads the model; `napari_voxuda.networks.checkpoint.load_model` by default.

    Yields
    ------
    Event
        `Message` and `Progress`.

    Returns
    -------
    FoundMask
        Mask, particles and the contrast that was taken.

    Raises
    ------
    InputError, OutputError, RunFolderError, FileFormatError
        As `segment_task` and `save_segmentation`.
    """
    given = [path for path in (probability, instances, table, picks, mask) if path is not None]
    _check_new(given, overwrite)
    volume = job.volume
    _check_picks(picks, volume)
    check_minimum_size(volume, job.settings)
    model = open_model(job.model, job.device, load)
    with _probability_sink(probability, mask, volume) as sink:
        found = yield from segment_into(volume, model, job.settings, sink, contrast=job.contrast)
    _save_found(found, mask=mask, picks=picks, table=table, instances=instances)
    return found


def _probability_sink(
    probability: Path | None, mask: Path, volume: Volume
) -> AbstractContextManager[SlabSink]:
    if probability is None:
        return scratch_sink(mask.parent, volume.shape, name=volume.name)
    label = "foreground probability"
    return stream_mrc(probability, volume.shape, volume.grid, label=label, name=volume.name)


def _check_picks(picks: Path | None, volume: Volume) -> None:
    if picks is not None and volume.grid.voxel_size_angstrom is None:
        raise InputError(
            f"{picks}: picks in Å need the voxel size of {volume.name}, which is unknown; set it."
        )


def _save_found(
    found: FoundMask,
    *,
    mask: Path,
    picks: Path | None,
    table: Path | None,
    instances: Path | None,
) -> None:
    """Write everything but the probability, the mask last."""
    volume = found.mask
    if instances is not None:
        _write_instances(instances, volume)
    if table is not None:
        write_particles_csv(table, found.particles, volume.grid)
    if picks is not None:
        write_star_picks(
            picks,
            particle_picks(found),
            tomogram_name=volume.name,
            voxel_size_angstrom=volume.grid.voxel_size_angstrom,
            shape=volume.shape,
        )
    label = "mask" if found.contrast is None else f"mask, protein {found.contrast}"
    write_mask(mask, volume, label=label)


def _write_instances(path: Path, mask: Volume) -> None:
    """Write the particles' labels slab by slab."""
    components = Components(mask.data)
    dtype = label_dtype(components.count, mask.name)
    with stream_mrc(
        path, mask.shape, mask.grid, dtype=dtype, label="particles", name=mask.name
    ) as sink:
        for _, labels in components.labels():
            sink.append(labels)


def segment_folder_task(
    job: SegmentFolderJob, *, load: LoadModel | None = None
) -> Task[SegmentedFolder]:
    """Segment each subtomogram of a folder into another folder.

    Every volume is normalised by itself. All inputs and outputs are checked before the first
    mask is written; masks written before an error or a cancel stay.

    Parameters
    ----------
    job : SegmentFolderJob
        Folders, model and settings.
    load : callable or None
        Loads the model; `napari_voxuda.networks.checkpoint.load_model` by default.

    Yields
    ------
    Event
        `Message`, and `Progress` in subtomograms.

    Raises
    ------
    InputError
        When the folder has no subtomogram, or one of them cannot be used.
    OutputError
        When a mask exists already, or the output folder is the input folder or cannot be made.
    RunFolderError, FileFormatError
        When the run folder holds no usable model.
    """
    planned = _planned(job)
    for path in planned:  # read again later: too many memory maps open at once exceed the limit
        _check_usable(_read(path, job), job)
    model = open_model(job.model, job.device, load)
    for folder in _folders(job):
        _make_folder(folder)
    said: set[str] = set()
    yield Progress(stage="Segmenting", done=0, total=len(planned))
    for done, (path, (mask, probability)) in enumerate(planned.items(), 1):
        volume = _read(path, job)
        task = segment_volume(volume, model, job.settings, contrast=job.contrast)
        segmentation = yield from _first_warnings(task, said, volume.name)
        save_segmentation(segmentation, mask=mask, probability=probability, overwrite=job.overwrite)
        yield Progress(stage="Segmenting", done=done, total=len(planned))
    return SegmentedFolder(out=job.out, masks=tuple(mask for mask, _ in planned.values()))


def _planned(job: SegmentFolderJob) -> dict[Path, tuple[Path, Path | None]]:
    """Return mask and probability of each subtomogram after checking that they may be written."""
    planned = {
        path: (
            job.out / mask_name(path),
            job.probability and job.probability / f"{pair_name(path)}_probability.mrc",
        )
        for path in find_subtomograms(job.folder)
    }
    for folder in _folders(job):
        if folder.exists() and folder.resolve() == job.folder.resolve():
            raise OutputError(
                f"{folder}: another folder than that of the subtomograms was wanted; masks may lie "
                "there."
            )
    _check_new([file for files in planned.values() for file in files if file], job.overwrite)
    return planned


def _folders(job: SegmentFolderJob) -> list[Path]:
    return [job.out] if job.probability is None else [job.out, job.probability]


def _read(path: Path, job: SegmentFolderJob) -> Volume:
    volume = read_mrc(path)
    if job.voxel_size_angstrom is None:
        return volume
    return replace(volume, grid=volume.grid.with_voxel_size(job.voxel_size_angstrom))


def _check_usable(volume: Volume, job: SegmentFolderJob) -> None:
    check_minimum_size(volume, job.settings)
    volume_statistics(volume.data, name=str(volume.path))


def _first_warnings(task: Task[Segmentation], said: set[str], name: str) -> Task[Segmentation]:
    """Pass on each kind of warning once, and no progress within a subtomogram."""
    try:
        while True:
            event = next(task)
            if isinstance(event, Message):
                kind = event.text.removeprefix(f"{name}: ").partition(" (")[0]
                if kind not in said:
                    said.add(kind)
                    yield event
    except StopIteration as stop:
        segmentation: Segmentation = stop.value
        return segmentation
    finally:
        task.close()


def _check_new(paths: list[Path], overwrite: bool) -> None:
    """Refuse to write over files, and to write two outputs to one file."""
    seen: dict[Path, Path] = {}
    for path in paths:
        place = path.expanduser().resolve()
        if place in seen:
            raise OutputError(f"{path}: two outputs were to be written to this file; rename one.")
        seen[place] = path
        if path.exists() and not overwrite:
            raise OutputError(
                f"{path}: a new file was wanted, but it exists; choose another name or allow "
                "overwriting."
            )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the folder cannot be made ({error.strerror}).") from error

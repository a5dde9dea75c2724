"""Segment a folder of subtomograms or tomograms into another folder."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_voxuda._params import to_dict
from napari_voxuda._types import Message, Progress, Task
from napari_voxuda.app.device import resolve_device
from napari_voxuda.app.evaluate import pair_name
from napari_voxuda.app.jobs import SegmentedFolder, SegmentFolderJob, SegmentJob
from napari_voxuda.app.provenance import trace, traced_model
from napari_voxuda.app.segment.files import SegmentOutputs, check_new, segment_with
from napari_voxuda.app.segment.task import (
    LoadModel,
    SegmentModel,
    check_sizes,
    model_file,
    open_model,
)
from napari_voxuda.data.normalise import volume_statistics
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import OutputError
from napari_voxuda.io.folders import find_subtomograms
from napari_voxuda.io.mrc import mrc_stem, read_mrc

__all__ = ["mask_name", "segment_folder_task"]


def mask_name(volume: Path) -> str:
    """Return the file name of the mask of `volume`.

    The name is kept, in the suffix ``.mrc``; ``NAME_subtomo.mrc`` gives ``NAME_mask.mrc``. Either
    pairs with the truth in `napari_voxuda.app.evaluate.evaluate`.
    """
    stem = mrc_stem(volume) or volume.stem
    if stem.endswith("_subtomo"):
        stem = stem.removesuffix("_subtomo") + "_mask"
    return f"{stem}.mrc"


def segment_folder_task(
    job: SegmentFolderJob, *, load: LoadModel | None = None
) -> Task[SegmentedFolder]:
    """Segment each volume of a folder into another folder.

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
        `Message`, and `Progress` in volumes, often enough to stop within one.

    Raises
    ------
    InputError
        When the folder has no volume, or one of them cannot be used.
    OutputError
        When a mask exists already, or the output folder is the input folder or cannot be made.
    RunFolderError, FileFormatError
        When the run folder holds no usable model.
    """
    planned = _planned(job)
    for done, path in enumerate(planned):
        yield Progress(stage="Checking the volumes", done=done, total=len(planned))
        _check_usable(_read(path, job), job)  # read again later: too many maps exceed the limit
    model = open_model(job.model, job.device, load)
    for folder in _folders(job):
        _make_folder(folder)
    weights = model_file(job.model)
    traced = None if weights is None else (yield from traced_model(weights))
    said: set[str] = set()
    for done, (path, outputs) in enumerate(planned.items()):
        beat = Progress(stage="Segmenting", done=done, total=len(planned))
        yield beat
        volume = _read(path, job)
        task = _segmented(volume, model, traced, job, outputs)
        yield from _one_of_many(task, beat, said, volume.name)
    yield Progress(stage="Segmenting", done=len(planned), total=len(planned))
    return SegmentedFolder(out=job.out, masks=tuple(outputs.mask for outputs in planned.values()))


def _segmented(
    volume: Volume,
    model: SegmentModel,
    traced: Mapping[str, Any] | None,
    job: SegmentFolderJob,
    outputs: SegmentOutputs,
) -> Task[None]:
    provenance = yield from trace(
        "segment",
        inputs={"volume": volume},
        settings={**to_dict(job.settings), "contrast": job.contrast},
        model=traced,
        device=str(resolve_device(job.device)),
    )
    single = SegmentJob(
        volume=volume,
        model=job.model,
        settings=job.settings,
        device=job.device,
        contrast=job.contrast,
    )
    yield from segment_with(model, single, provenance, outputs, overwrite=job.overwrite)


def _planned(job: SegmentFolderJob) -> dict[Path, SegmentOutputs]:
    """Return the outputs of each volume after checking that they may be written."""
    planned = {
        path: SegmentOutputs(
            mask=job.out / mask_name(path),
            probability=job.probability and job.probability / f"{pair_name(path)}_probability.mrc",
        )
        for path in find_subtomograms(job.folder)
    }
    for folder in _folders(job):
        if folder.exists() and folder.resolve() == job.folder.resolve():
            raise OutputError(
                f"{folder}: another folder than that of the subtomograms was wanted; masks may lie "
                "there."
            )
    files = [file for it in planned.values() for file in (it.mask, it.probability) if file]
    check_new(files, job.overwrite)
    return planned


def _folders(job: SegmentFolderJob) -> list[Path]:
    return [job.out] if job.probability is None else [job.out, job.probability]


def _read(path: Path, job: SegmentFolderJob) -> Volume:
    volume = read_mrc(path)
    if job.voxel_size_angstrom is None:
        return volume
    return replace(volume, grid=volume.grid.with_voxel_size(job.voxel_size_angstrom))


def _check_usable(volume: Volume, job: SegmentFolderJob) -> None:
    check_sizes(volume, job.settings)
    volume_statistics(volume.data, name=str(volume.path))


def _one_of_many(task: Task[None], beat: Progress, said: set[str], name: str) -> Task[None]:
    """Pass on each kind of warning once, and `beat` in place of the task's own progress."""
    with closing(task):
        for event in task:
            if not isinstance(event, Message):
                yield beat
                continue
            kind = event.text.removeprefix(f"{name}: ").partition(" (")[0]
            if kind not in said:
                said.add(kind)
                yield event


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the folder cannot be made ({error.strerror}).") from error

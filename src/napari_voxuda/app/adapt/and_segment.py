"""Adapt to a target and segment it, as one task of one worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_voxuda._types import Message, Task
from napari_voxuda.app.jobs import (
    AdaptJob,
    AdaptResult,
    ContrastChoice,
    DeviceName,
    Segmentation,
    SegmentedFolder,
    SegmentFolderJob,
    SegmentJob,
)
from napari_voxuda.app.runs.places import fresh_masks_folder
from napari_voxuda.data.volume import Volume
from napari_voxuda.segmentation.settings import SegmentSettings

__all__ = ["AdaptOutcome", "adapt_and_segment_task", "segment_each_task", "segment_files_task"]


@dataclass(frozen=True, kw_only=True, eq=False)
class AdaptOutcome:
    """What an adaptation in a dock ends with.

    Parameters
    ----------
    adapted : AdaptResult
        The finished run.
    segmentations : tuple of Segmentation
        The segmented tomograms of the target; none where it is a folder.
    masks : SegmentedFolder or None
        The masks of the files of a folder.
    """

    adapted: AdaptResult
    segmentations: tuple[Segmentation, ...] = ()
    masks: SegmentedFolder | None = None


def adapt_and_segment_task(
    job: AdaptJob, volumes: Sequence[Volume], settings: SegmentSettings
) -> Task[AdaptOutcome]:
    """Adapt, then segment `volumes`, or each file of a folder, with the finished run.

    Parameters
    ----------
    job : AdaptJob
        What to adapt to. The masks of a folder become files in the run folder.
    volumes : sequence of Volume
        What to segment; empty where the target is a folder.
    settings : SegmentSettings
        How to segment.

    Yields
    ------
    Event
        Those of `adapt_task`, and of `segment_task` or `segment_folder_task`.
    """
    from napari_voxuda.app.adapt.task import adapt_task

    adapted = yield from adapt_task(job)
    contrast = "auto" if job.resume else job.contrast  # a resumed run keeps its own
    if isinstance(job.target, Path):
        size = job.voxel_size_angstrom
        files = segment_files_task(job.target, adapted.run, settings, size, job.device, contrast)
        return AdaptOutcome(adapted=adapted, masks=(yield from files))
    task = segment_each_task(volumes, adapted.run, settings, job.device, contrast)
    return AdaptOutcome(adapted=adapted, segmentations=(yield from task))


def segment_each_task(
    volumes: Sequence[Volume],
    model: Path,
    settings: SegmentSettings,
    device: DeviceName,
    contrast: ContrastChoice,
) -> Task[tuple[Segmentation, ...]]:
    """Segment volumes one after the other.

    Parameters
    ----------
    volumes : sequence of Volume
        What to segment.
    model, settings, device, contrast
        See `SegmentJob`.

    Yields
    ------
    Event
        Those of `segment_task`, and where there are several a `Message` before each.
    """
    from napari_voxuda.app.segment.task import segment_task

    job = SegmentJob(
        volume=volumes[0], model=model, settings=settings, device=device, contrast=contrast
    )
    found = []
    for number, volume in enumerate(volumes, 1):
        if len(volumes) > 1:
            yield Message(text=f"Segmenting {volume.name}, {number} of {len(volumes)}.")
        found.append((yield from segment_task(replace(job, volume=volume))))
    return tuple(found)


def segment_files_task(
    folder: Path,
    run: Path,
    settings: SegmentSettings,
    voxel_size_angstrom: float | None,
    device: DeviceName,
    contrast: ContrastChoice,
) -> Task[SegmentedFolder]:
    """Segment the files of a folder into a new folder in the run folder.

    Parameters
    ----------
    folder : Path
        The volumes.
    run : Path
        The finished run; its masks lie there then.
    settings, voxel_size_angstrom, device, contrast
        See `SegmentFolderJob`.

    Yields
    ------
    Event
        Those of `segment_folder_task`.
    """
    from napari_voxuda.app.segment.folder import segment_folder_task

    return (
        yield from segment_folder_task(
            SegmentFolderJob(
                folder=folder,
                model=run,
                out=fresh_masks_folder(run),
                settings=settings,
                voxel_size_angstrom=voxel_size_angstrom,
                device=device,
                contrast=contrast,
            )
        )
    )

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
    SegmentJob,
)
from napari_voxuda.data.volume import Volume
from napari_voxuda.segmentation.settings import SegmentSettings

__all__ = ["AdaptOutcome", "adapt_and_segment_task", "segment_each_task"]


@dataclass(frozen=True, kw_only=True, eq=False)
class AdaptOutcome:
    """What an adaptation in a dock ends with.

    Parameters
    ----------
    adapted : AdaptResult
        The finished run.
    segmentations : tuple of Segmentation
        The segmented tomograms of the target; none where it is a folder.
    """

    adapted: AdaptResult
    segmentations: tuple[Segmentation, ...] = ()


def adapt_and_segment_task(
    job: AdaptJob, volumes: Sequence[Volume], settings: SegmentSettings
) -> Task[AdaptOutcome]:
    """Adapt, then segment `volumes` with the finished run.

    Parameters
    ----------
    job : AdaptJob
        What to adapt to.
    volumes : sequence of Volume
        What to segment; may be empty.
    settings : SegmentSettings
        How to segment.

    Yields
    ------
    Event
        Those of `adapt_task` and `segment_task`.
    """
    from napari_voxuda.app.adapt import adapt_task

    adapted = yield from adapt_task(job)
    if not volumes:
        yield Message(text=f"The adapted model is kept in {adapted.run}.")
        return AdaptOutcome(adapted=adapted)
    contrast = "auto" if job.resume else job.contrast  # a resumed run keeps its own
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
    from napari_voxuda.app.segment import segment_task

    job = SegmentJob(
        volume=volumes[0], model=model, settings=settings, device=device, contrast=contrast
    )
    found = []
    for number, volume in enumerate(volumes, 1):
        if len(volumes) > 1:
            yield Message(text=f"Segmenting {volume.name}, {number} of {len(volumes)}.")
        found.append((yield from segment_task(replace(job, volume=volume))))
    return tuple(found)

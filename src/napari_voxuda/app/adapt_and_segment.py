"""Adapt to a target and segment it, as one task of one worker."""

from __future__ import annotations

from dataclasses import dataclass

from napari_voxuda._types import Message, Task
from napari_voxuda.app.jobs import AdaptJob, AdaptResult, Segmentation, SegmentJob
from napari_voxuda.data.volume import Volume
from napari_voxuda.segmentation.settings import SegmentSettings

__all__ = ["AdaptOutcome", "adapt_and_segment_task"]


@dataclass(frozen=True, kw_only=True, eq=False)
class AdaptOutcome:
    """What an adaptation in a dock ends with.

    Parameters
    ----------
    adapted : AdaptResult
        The finished run.
    segmentation : Segmentation or None
        The segmented target; None where the target is a folder.
    """

    adapted: AdaptResult
    segmentation: Segmentation | None = None


def adapt_and_segment_task(
    job: AdaptJob, volume: Volume | None, settings: SegmentSettings
) -> Task[AdaptOutcome]:
    """Adapt, then segment `volume` with the finished run.

    Parameters
    ----------
    job : AdaptJob
        What to adapt to.
    volume : Volume or None
        What to segment; nothing where it is None.
    settings : SegmentSettings
        How to segment.

    Yields
    ------
    Event
        Those of `adapt_task` and `segment_task`.
    """
    from napari_voxuda.app.adapt import adapt_task

    adapted = yield from adapt_task(job)
    if volume is None:
        yield Message(text=f"The adapted model is kept in {adapted.run}.")
        return AdaptOutcome(adapted=adapted)
    from napari_voxuda.app.segment import segment_task

    segmentation = yield from segment_task(
        SegmentJob(
            volume=volume,
            model=adapted.run,
            settings=settings,
            device=job.device,
            contrast="auto" if job.resume else job.contrast,  # a resumed run keeps its own
        )
    )
    return AdaptOutcome(adapted=adapted, segmentation=segmentation)

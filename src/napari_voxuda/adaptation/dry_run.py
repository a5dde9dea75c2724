"""Take a few real steps of a run, in memory alone, to tell how long it takes and what it needs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch

from napari_voxuda._types import Progress, Task
from napari_voxuda.adaptation.drawing import LabelledSource
from napari_voxuda.adaptation.events import Alarm
from napari_voxuda.adaptation.learner import Learner, label_step
from napari_voxuda.adaptation.loop import CALIBRATION_BOXES
from napari_voxuda.adaptation.memory_gauge import MemoryGauge
from napari_voxuda.adaptation.noise_match import SourceImages
from napari_voxuda.adaptation.self_labels import LABELLED_BOXES, LabelledTarget
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.adaptation.training import Training
from napari_voxuda.data.targets import Target
from napari_voxuda.networks.prediction import predict_steadily

__all__ = ["DryRun", "dry_run"]

_Result = TypeVar("_Result")
_STAGE = "Trying a step"
_POOL_BYTES = (
    2 * 9
)  # per voxel: image and clean image in float32, mask; twice while they are joined


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """What a few steps have shown.

    Parameters
    ----------
    source_seconds : float
        To make one source box.
    step_seconds, labelled_seconds : float
        Of one step without and with pseudo-labels; equal where the run uses none.
    voxel_seconds : float
        To predict one voxel.
    peak_bytes : int or None
        Memory of the network and its steps; None where the system does not tell.
    pool_bytes : int
        Memory of the source boxes, on the CPU.
    state_bytes : int
        Of one full state.
    batch : int
        Boxes of a step; smaller than asked where memory ran out.
    shortages : tuple of str
        What was said when memory ran out.
    """

    source_seconds: float
    step_seconds: float
    labelled_seconds: float
    voxel_seconds: float
    peak_bytes: int | None
    pool_bytes: int
    state_bytes: int
    batch: int
    shortages: tuple[str, ...] = ()

    def training_seconds(self, settings: AdaptSettings, source_count: int, box: int) -> float:
        """Return how long source, steps, labels of the target and the choice of a threshold take."""
        labelled = _labelled_steps(settings)
        seconds = self.source_seconds * source_count
        seconds += self.step_seconds * (settings.steps - labelled)
        seconds += self.labelled_seconds * labelled
        predicted = CALIBRATION_BOXES if settings.calibrate else 0
        if settings.pseudo_labels == "ranked" and labelled:
            predicted += LABELLED_BOXES
        return seconds + self.voxel_seconds * predicted * box**3


def dry_run(
    source: LabelledSource,
    target: Target,
    settings: AdaptSettings,
    *,
    source_count: int,
    seed: int,
    device: torch.device,
) -> Task[DryRun]:
    """Simulate a few boxes, take a step without and a step with pseudo-labels, and predict once.

    Nothing is written, and the run that follows is none the wiser. The first step of each kind is not
    timed: libraries are loaded and kernels are chosen in it.

    Parameters
    ----------
    source, target, settings, source_count, seed, device
        As `napari_voxuda.adaptation.loop.adapt` takes them.

    Yields
    ------
    Progress
        Before each piece of work, so that it can be cancelled there.

    Raises
    ------
    NoMemoryError
        When memory runs out with the smallest batch.
    """
    shortages: list[str] = []
    with MemoryGauge(device) as gauge:
        yield Progress(stage=_STAGE, done=0, total=5)
        generator = torch.Generator().manual_seed(seed)
        source.draw(1, generator)
        seconds_of_boxes, drawn = _timed(lambda: source.draw(3, generator))
        training = Training(
            learner=Learner(settings, device, seed),
            pool=SourceImages(images=drawn.images, clean=drawn.clean, masks=drawn.masks),
            signal_variance=max(drawn.signal_variance.mean().item(), 1e-12),
            target=target,
            settings=settings,
            seed=seed,
            device=device,
            run=None,
            card=None,
        )
        yield Progress(stage=_STAGE, done=1, total=5)
        _take(training, shortages)
        yield Progress(stage=_STAGE, done=2, total=5)
        step_seconds = labelled_seconds = _take(training, shortages)
        if _labelled_steps(settings):
            _begin_labels(training)
            yield Progress(stage=_STAGE, done=3, total=5)
            labelled_seconds = _take(training, shortages)
        yield Progress(stage=_STAGE, done=4, total=5)
        voxel_seconds = _predict_seconds(training)
        state = training.learner.tensors().values()
        state_bytes = sum(t.numel() * t.element_size() for t in state)
    yield Progress(stage=_STAGE, done=5, total=5)
    return DryRun(
        source_seconds=seconds_of_boxes / 3,
        step_seconds=step_seconds,
        labelled_seconds=labelled_seconds,
        voxel_seconds=voxel_seconds,
        peak_bytes=gauge.peak_bytes,
        pool_bytes=_POOL_BYTES * source_count * target.box**3,
        state_bytes=state_bytes,
        batch=training.batch,
        shortages=tuple(shortages),
    )


def _take(training: Training, shortages: list[str]) -> float:
    """Take a step and return its seconds; what is said of memory goes to `shortages`."""

    def step() -> None:
        for event in training.step():
            if isinstance(event, Alarm) and event.kind == "out of memory":
                shortages.append(event.text)
        if training.device.type == "cuda":
            torch.cuda.synchronize(training.device)

    return _timed(step)[0]


def _begin_labels(training: Training) -> None:
    """Bring a training to where pseudo-labels are used; given labels are made up."""
    settings = training.settings
    training.done = settings.steps - _labelled_steps(settings)
    if settings.pseudo_labels == "ranked":
        boxes = training.target.draw(settings.batch, torch.Generator().manual_seed(training.seed))
        sure = torch.ones_like(boxes, dtype=torch.bool)
        training.labelled = LabelledTarget(
            boxes=boxes, labels=boxes > 1.5, confident=sure, share=0.0
        )


def _labelled_steps(settings: AdaptSettings) -> int:
    if settings.pseudo_labels == "none":
        return 0
    if settings.pseudo_labels == "ranked":
        return settings.steps - label_step(settings)
    return settings.steps - min(settings.steps, math.ceil(settings.pseudo_start * settings.steps))


def _predict_seconds(training: Training) -> float:
    settings = training.settings
    boxes = training.target.draw(2, torch.Generator().manual_seed(training.seed))
    boxes = boxes.to(training.device)
    seconds, _ = _timed(
        lambda: predict_steadily(
            training.learner.teacher,
            boxes,
            mirrors=settings.mirrors,
            smooth_voxels=settings.smooth_voxels,
        ).cpu()
    )
    return seconds / boxes.numel()


def _timed(work: Callable[[], _Result]) -> tuple[float, _Result]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result

"""The loop: simulate the source once, then step after step, as a generator of events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import torch
from torch import Tensor

from napari_voxuda._types import Event, Message, Task
from napari_voxuda.adaptation.drawing import LabelledSource, simulate_source
from napari_voxuda.adaptation.events import CheckpointSaved, Preview
from napari_voxuda.adaptation.learner import Learner
from napari_voxuda.adaptation.run_folder import RunFolder
from napari_voxuda.adaptation.self_labels import LABELLED_BOXES
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.adaptation.target_pool import predict_pool
from napari_voxuda.adaptation.training import Training
from napari_voxuda.data.targets import Target
from napari_voxuda.errors import NoMemoryError, TargetChangedError
from napari_voxuda.method.expected_dice import (
    expected_dice_score,
    mean_size_share,
    share_threshold,
)
from napari_voxuda.networks.prediction import predict_steadily
from napari_voxuda.networks.voxresnet import VoxResNet

__all__ = ["CALIBRATION_BOXES", "StepWatch", "adapt"]

CALIBRATION_BOXES = LABELLED_BOXES
"""Boxes of the target on which the threshold is chosen: those that were labelled, whose foreground is known as a share."""


class StepWatch(Protocol):
    """Looks at a run between two steps."""

    def after_step(self, network: VoxResNet, step: int) -> Iterable[Event]:
        """Return what is to be told; the network and the random numbers of the run stay as they are."""
        ...


def adapt(
    source: LabelledSource,
    target: Target,
    settings: AdaptSettings,
    *,
    source_count: int,
    seed: int,
    device: torch.device,
    run: RunFolder | None = None,
    card: dict[str, Any] | None = None,
    watch: StepWatch | None = None,
) -> Task[Learner]:
    """Adapt a network to a target.

    Closing the generator ends the run within a step and, where there is a run folder, saves the
    full state first. A run folder that holds checkpoints is gone on with, from the newest whole one.

    Parameters
    ----------
    source : LabelledSource
        Labelled boxes; `source_count` are drawn once, their noise is fresh in every step.
    target : Target
        Unlabelled boxes.
    settings : AdaptSettings
        Network, losses and schedule.
    source_count : int
        Source boxes in all.
    seed : int
        Seed of everything random.
    device : torch.device
        Where it computes.
    run : RunFolder or None
        Where checkpoints go.
    card : dict or None
        Model card stored with the weights.
    watch : StepWatch or None
        Looks at the segmenting network after each step.

    Yields
    ------
    Event
        `Progress` while simulating and while labelling the target, `StepDone`, `Preview`,
        `SnapshotKept` and `CheckpointSaved`; what `watch` tells; an `Alarm` when the run has collapsed and was taken back, after
        a loss that is not finite without `StepDone`, or when a step did not fit into memory and is tried
        again with fewer boxes.

    Raises
    ------
    TrainingError
        When the run collapses again after three roll-backs.
    NoMemoryError
        When memory runs out with the smallest batch; the full state is saved before.
    TargetChangedError
        When the target's file has gone or changed; the full state is saved before.
    FileFormatError
        When the run folder has checkpoints and none of them is whole.
    """
    pool, signal_variance = yield from simulate_source(source, source_count, seed)
    training = Training(
        learner=Learner(settings, device, seed),
        pool=pool,
        signal_variance=signal_variance,
        target=target,
        settings=settings,
        seed=seed,
        device=device,
        run=run,
        card=card,
    )
    yield from training.restore()
    shown = target.draw(2, torch.Generator().manual_seed(seed)).to(device)
    try:
        yield from training.keep_snapshot(again=False)  # a stopped run may have had no time for it
        while training.done < settings.steps:
            target.check()
            yield from training.label_when_due()
            yield from training.step()
            last = training.done == settings.steps
            if last or training.done % settings.preview_every == 0:
                yield _preview(training.learner, shown, training.done, settings)
            yield from training.keep_snapshot()
            if run is not None and (last or training.done % settings.checkpoint_every == 0):
                yield CheckpointSaved(step=training.done, path=training.save(run))
            if watch is not None:
                yield from watch.after_step(_segmenting(training.learner, settings), training.done)
    except (
        GeneratorExit,
        TargetChangedError,
        NoMemoryError,
    ):  # between two steps: nothing is half-done
        if run is not None and training.saved < training.done:
            training.save(run)
        raise
    if settings.calibrate:
        yield from training.label_when_due()  # a run that was stopped after its last step
        share = None if training.labelled is None else training.labelled.share
        yield from _calibrate(training.learner, target, settings, seed, share)
    return training.learner


def _segmenting(learner: Learner, settings: AdaptSettings) -> VoxResNet:
    return learner.teacher if settings.predict_with == "teacher" else learner.student


def _preview(learner: Learner, boxes: Tensor, step: int, settings: AdaptSettings) -> Preview:
    network = _segmenting(learner, settings)
    probability = predict_steadily(
        network, boxes, mirrors=False, smooth_voxels=settings.smooth_voxels
    )
    middle = boxes.shape[1] // 2
    return Preview(
        step=step,
        image=boxes[0, middle].float().cpu().numpy(),
        probability=probability[0, middle].cpu().numpy(),
    )


def _calibrate(
    learner: Learner,
    target: Target,
    settings: AdaptSettings,
    seed: int,
    share: float | None,
) -> Task[None]:
    """Choose the threshold that is told as 0.5 on target boxes.

    The network as it is now ranks the voxels. Which `share` of them is foreground, it saw more soberly before it
    learnt its own labels; where it learnt none, it says that as well.
    """
    _, probability = yield from predict_pool(
        _segmenting(learner, settings),
        target,
        settings,
        seed,
        count=CALIBRATION_BOXES,
        stage="Choosing the threshold",
    )
    target.check()
    wanted = mean_size_share(probability) if share is None else share
    learner.threshold = share_threshold(probability, wanted)
    learner.expected_dice = expected_dice_score(probability, learner.threshold)
    text = f"The network's threshold, {learner.threshold:.2f} by its own probabilities, is told as 0.5."
    if target.normalisation == "subtomogram":
        text += " A segmented subtomogram gets a threshold of its own instead."
    yield Message(text=text)

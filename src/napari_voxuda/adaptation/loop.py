"""The loop: simulate the source once, then step after step, as a generator of events."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_voxuda._types import Message, Task
from napari_voxuda.adaptation.drawing import (
    LabelledSource,
    draw_source,
    draw_target,
    simulate_source,
)
from napari_voxuda.adaptation.events import CheckpointSaved, Preview, StepDone
from napari_voxuda.adaptation.learner import Learner, NotFiniteError, label_step
from napari_voxuda.adaptation.recovery import Recovery
from napari_voxuda.adaptation.run_folder import RunFolder
from napari_voxuda.adaptation.self_labels import LabelledTarget, label_target
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.adaptation.step import adaptation_step
from napari_voxuda.data.targets import Target
from napari_voxuda.errors import FileFormatError
from napari_voxuda.method.expected_dice import expected_dice_threshold, mean_size_threshold
from napari_voxuda.networks.checkpoint import read_tensors
from napari_voxuda.networks.prediction import predict_steadily
from napari_voxuda.networks.voxresnet import predict_probability

__all__ = ["adapt"]

_CHUNK = 16
_CALIBRATION_BOXES = 96


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
) -> Task[Learner]:
    """Adapt a network to a target.

    Closing the generator ends the run within a step and, where there is a run folder, saves the
    full state first. A run folder that holds a checkpoint is gone on with.

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

    Yields
    ------
    Event
        `Progress` while simulating and while labelling the target, `StepDone`, `Preview` and
        `CheckpointSaved`; an `Alarm` when the run has collapsed and was taken back, after
        a loss that is not finite without `StepDone`.

    Raises
    ------
    TrainingError
        When the run collapses again after three roll-backs.
    """
    pool, signal_variance = yield from simulate_source(source, source_count, seed)
    learner = Learner(settings, device, seed)
    generator = torch.Generator().manual_seed(seed)
    shown = target.draw(2, torch.Generator().manual_seed(seed)).to(device)
    recovery = Recovery(learner, settings)
    done = saved = 0
    if run is not None and (checkpoint := run.latest_checkpoint()) is not None:
        done = saved = _restore(learner, recovery, generator, checkpoint)
        yield Message(text=f"Going on after step {done} of {settings.steps}.")
        recovery.check()
    clock = _Clock()
    labelled: LabelledTarget | None = None
    try:
        while done < settings.steps:
            due = done >= label_step(recovery.settings)
            if not due or learner.labeller is None:  # also after a roll-back to before the labels
                labelled = None
            if due and labelled is None:
                labeller = learner.labeller or learner.keep_labeller()
                labelled = yield from label_target(labeller, target, settings, seed)
            with clock:
                rate = recovery.learning_rate(done)
                learner.set_learning_rate(rate)
                boxes, labels = draw_target(target, labelled, settings, generator, device)
                outcome = None
                with suppress(NotFiniteError):
                    outcome = adaptation_step(
                        learner,
                        draw_source(pool, settings, generator, device),
                        boxes,
                        target.draw(settings.noise_samples, generator).to(device),
                        recovery.settings,
                        signal_variance=signal_variance,
                        normalisation=target.normalisation,
                        step=done,
                        generator=generator,
                        given=labels,
                    )
                done += 1
                alarm = recovery.watch(
                    done, outcome, partial(_look, learner, target, settings, seed + done)
                )
            if alarm is not None:
                yield alarm
                recovery.check()
            if outcome is not None:
                yield StepDone(
                    step=done,
                    total=settings.steps,
                    losses=outcome.losses,
                    coverage=outcome.coverage,
                    foreground=outcome.foreground,
                    learning_rate=rate,
                    seconds_per_step=clock.seconds,
                )
            last = done == settings.steps
            if last or done % settings.preview_every == 0:
                yield _preview(learner, shown, done, settings)
            if run is not None and (last or done % settings.checkpoint_every == 0):
                path = _save(run, learner, recovery, generator, done, card)
                saved = done
                yield CheckpointSaved(step=done, path=path)
    except GeneratorExit:
        if run is not None and saved < done:
            _save(run, learner, recovery, generator, done, card)
        raise
    if settings.calibrate:
        yield _calibrate(learner, target, settings, seed)
    return learner


class _Clock:
    """Smoothed duration of a step, without the time that a paused run waits."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *exc_info: object) -> None:
        spent = time.perf_counter() - self._started
        self.seconds = 0.9 * self.seconds + 0.1 * spent if self.seconds else spent


def _look(learner: Learner, target: Target, settings: AdaptSettings, seed: int) -> float:
    """Return the mean foreground probability in fresh target boxes, drawn apart from the run's."""
    network = learner.teacher if settings.predict_with == "teacher" else learner.student
    device = next(network.parameters()).device
    boxes = target.draw(settings.batch, torch.Generator().manual_seed(seed)).to(device)
    return predict_probability(network, boxes).mean().item()


def _preview(learner: Learner, boxes: Tensor, step: int, settings: AdaptSettings) -> Preview:
    network = learner.teacher if settings.predict_with == "teacher" else learner.student
    probability = predict_steadily(
        network, boxes, mirrors=False, smooth_voxels=settings.smooth_voxels
    )
    middle = boxes.shape[1] // 2
    return Preview(
        step=step,
        image=boxes[0, middle].float().cpu().numpy(),
        probability=probability[0, middle].cpu().numpy(),
    )


def _calibrate(learner: Learner, target: Target, settings: AdaptSettings, seed: int) -> Message:
    """Choose the threshold that is told as 0.5 on target boxes."""
    generator = torch.Generator().manual_seed(seed)
    network = learner.teacher if settings.predict_with == "teacher" else learner.student
    device = next(network.parameters()).device
    parts = [
        predict_steadily(
            network,
            target.draw(_CHUNK, generator).to(device),
            mirrors=settings.mirrors,
            smooth_voxels=settings.smooth_voxels,
        )
        for _ in range(_CALIBRATION_BOXES // _CHUNK)
    ]
    taught = settings.pseudo_labels == "ranked"
    choose = mean_size_threshold if taught else expected_dice_threshold
    learner.threshold = choose(torch.cat(parts))
    return Message(
        text=f"The network's threshold, {learner.threshold:.2f} by its own probabilities, is told as "
        "0.5."
    )


def _save(
    run: RunFolder,
    learner: Learner,
    recovery: Recovery,
    generator: torch.Generator,
    step: int,
    card: dict[str, Any] | None,
) -> Path:
    tensors = learner.tensors() | recovery.tensors() | {"generator": generator.get_state()}
    metadata = {"step": step, "model": card, "recovery": recovery.state()}
    return run.save_checkpoint(step, tensors, metadata)


def _restore(
    learner: Learner, recovery: Recovery, generator: torch.Generator, checkpoint: Path
) -> int:
    tensors, metadata = read_tensors(checkpoint)
    learner.load(tensors)
    try:
        generator.set_state(tensors["generator"])
        step = int(metadata["step"])
        recovery.load(step, tensors, metadata.get("recovery"))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise FileFormatError(f"{checkpoint}: it is not a full state ({error}).") from error
    return step

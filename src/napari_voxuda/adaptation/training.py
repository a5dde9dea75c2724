"""A run between two steps: what it consists of, how it goes on, and how it is kept on disk."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_voxuda._types import Event, Message
from napari_voxuda.adaptation.drawing import draw_source, draw_target
from napari_voxuda.adaptation.events import Alarm, SnapshotKept, StepDone
from napari_voxuda.adaptation.learner import Learner, NotFiniteError, label_step
from napari_voxuda.adaptation.memory import Undo, free_memory, recorded_batch, smaller_batch
from napari_voxuda.adaptation.noise_match import SourceImages
from napari_voxuda.adaptation.recovery import Recovery, looks_after
from napari_voxuda.adaptation.run_folder import RunFolder
from napari_voxuda.adaptation.self_labels import LabelledTarget, label_target
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.adaptation.snapshots import is_due, keep_snapshot, path_of
from napari_voxuda.adaptation.step import StepOutcome, adaptation_step
from napari_voxuda.data.targets import Target
from napari_voxuda.errors import FileFormatError, VoxUDAError, is_out_of_memory, one_line
from napari_voxuda.method.pseudo_labels import PseudoLabels
from napari_voxuda.networks.checkpoint import read_tensors
from napari_voxuda.networks.voxresnet import predict_probability

__all__ = ["Training"]

_NOT_A_STATE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,  # a FileFormatError among them
)


@dataclass(kw_only=True)
class Training:
    """All that a run's next step and its checkpoints depend on.

    Parameters
    ----------
    learner : Learner
        Student, teacher, discriminator and optimiser.
    pool : SourceImages
        The simulated source.
    signal_variance : float
        Mean variance of its labelled molecules.
    target : Target
        Unlabelled boxes.
    settings : AdaptSettings
        As the run was asked for.
    seed : int
        Seed of everything random.
    device : torch.device
        Where it computes.
    run : RunFolder or None
        Where checkpoints are.
    card : dict or None
        Model card stored with the weights.
    done, saved : int
        Steps done, and steps done at the newest checkpoint.
    labelled : LabelledTarget or None
        The target with the labels that it was given once.
    """

    learner: Learner
    pool: SourceImages
    signal_variance: float
    target: Target
    settings: AdaptSettings
    seed: int
    device: torch.device
    run: RunFolder | None
    card: dict[str, Any] | None
    done: int = 0
    saved: int = 0
    labelled: LabelledTarget | None = None

    def __post_init__(self) -> None:
        self.generator = torch.Generator().manual_seed(self.seed)
        self.recovery = Recovery(self.learner, self.settings)
        self.clock = _Clock()
        self.batch = recorded_batch(self.run, self.settings.batch)

    def restore(self) -> Generator[Event, None, None]:
        """Go on with the newest checkpoint that is whole, where the run has any.

        A damaged one is set aside once an older one has been found to be whole.

        Raises
        ------
        FileFormatError
            When none of them is; says what is wrong with the newest.
        TrainingError
            When the run had already ended after too many roll-backs.
        """
        if self.run is None:
            return
        damaged: list[tuple[Path, FileFormatError]] = []
        for checkpoint in self.run.checkpoints():
            try:
                self._load(checkpoint)
            except FileFormatError as error:
                damaged.append((checkpoint, error))
                continue
            yield from _set_aside(self.run, [path for path, _ in damaged])
            yield Message(text=f"Going on after step {self.done} of {self.settings.steps}.")
            self.recovery.check()
            return
        if damaged:
            raise damaged[0][1]

    def _load(self, checkpoint: Path) -> None:
        tensors, metadata = read_tensors(checkpoint)
        try:
            self.learner.load(tensors)
            self.generator.set_state(tensors["generator"])
            step = int(metadata["step"])
            self.recovery.load(step, tensors, metadata.get("recovery"))
        except _NOT_A_STATE as error:
            raise FileFormatError(
                f"{checkpoint}: it is not a full state ({one_line(error)})."
            ) from error
        self.done = self.saved = step

    def save(self, run: RunFolder) -> Path:
        """Write a checkpoint."""
        state = self.learner.tensors() | self.recovery.tensors()
        state["generator"] = self.generator.get_state()
        metadata = {"step": self.done, "model": self.card, "recovery": self.recovery.state()}
        path = run.save_checkpoint(self.done, state, metadata)
        self.saved = self.done
        return path

    def keep_snapshot(self, *, again: bool = True) -> Generator[Event, None, None]:
        """Keep the segmenting network where that is due; one that is there already only `again`."""
        if self.run is None or self.card is None or not is_due(self.done, self.settings.steps):
            return
        if again or not path_of(self.run.path, self.done).exists():
            kept = keep_snapshot(self.run.path, self.done, self.learner.weights(), self.card)
            yield SnapshotKept(step=kept.step, path=kept.path)

    def label_when_due(self) -> Generator[Event, None, None]:
        """Label the target once its step has come, in a run that learns such labels."""
        due = label_step(self.recovery.settings) <= min(self.done, self.settings.steps - 1)
        if not due or self.learner.labeller is None:  # also after a roll-back to before the labels
            self.labelled = None
        if due and self.labelled is None:
            labeller = self.learner.labeller or self.learner.keep_labeller()
            labelled = yield from label_target(labeller, self.target, self.settings, self.seed)
            self.target.check()
            self.labelled = labelled

    def step(self) -> Generator[Event, None, None]:
        """Take a step and judge it; with fewer boxes where memory runs out.

        Raises
        ------
        TrainingError
            When the run has collapsed once too often.
        NoMemoryError
            When memory runs out with the smallest batch; the state is that before the step.
        """
        rate = self.recovery.learning_rate(self.done)
        while (taken := self._attempt(rate)) is None:
            box = self.target.box
            self.batch, shortage = smaller_batch(self.run, self.done + 1, self.batch, box)
            if self.run is not None:
                self.save(self.run)
            yield shortage
        outcome, alarm = taken
        if alarm is not None:
            yield alarm
            self.recovery.check()
        if outcome is not None:
            yield StepDone(
                step=self.done,
                total=self.settings.steps,
                losses=outcome.losses,
                coverage=outcome.coverage,
                foreground=outcome.foreground,
                learning_rate=rate,
                seconds_per_step=self.clock.seconds,
            )

    def _attempt(self, rate: float) -> tuple[StepOutcome | None, Alarm | None] | None:
        """Take a step and judge it; None where memory ran out, and nothing has changed."""
        settings = replace(self.settings, batch=self.batch)
        undo = Undo(self.learner, self.generator)
        with self.clock:
            try:
                self.learner.set_learning_rate(rate)
                drawn = self._drawn(settings)
                outcome = self._outcome(drawn)
            except (MemoryError, RuntimeError, OSError) as error:
                if not is_out_of_memory(error):
                    raise
            else:
                self.done += 1
                look = partial(_look, self.learner, settings, drawn.looked_at)
                return outcome, self.recovery.watch(self.done, outcome, look)
        undo.put_back()
        free_memory()
        return None

    def _drawn(self, settings: AdaptSettings) -> _Drawn:
        """Draw all that the next step takes from the target, or raise as if nothing had been drawn.

        Boxes of a file that changes in this moment never reach the network.
        """
        generator, device = self.generator, self.device
        before = generator.get_state()
        try:
            boxes, labels = draw_target(self.target, self.labelled, settings, generator, device)
            source = draw_source(self.pool, settings, generator, device)
            subset = self.target.draw(settings.noise_samples, generator).to(device)
            looked_at = None
            if looks_after(self.done + 1):
                apart = torch.Generator().manual_seed(self.seed + self.done + 1)
                looked_at = self.target.draw(settings.batch, apart).to(device)
            self.target.check()
        except VoxUDAError:
            generator.set_state(before)
            raise
        return _Drawn(boxes, labels, source, subset, looked_at)

    def _outcome(self, drawn: _Drawn) -> StepOutcome | None:
        """Learn from what was drawn; None where nothing finite came out."""
        with suppress(NotFiniteError):
            return adaptation_step(
                self.learner,
                drawn.source,
                drawn.boxes,
                drawn.subset,
                self.recovery.settings,
                signal_variance=self.signal_variance,
                normalisation=self.target.normalisation,
                step=self.done,
                generator=self.generator,
                given=drawn.labels,
            )
        return None


@dataclass(frozen=True)
class _Drawn:
    """What a step learns from; `looked_at` are the boxes that are only looked at, where it is time."""

    boxes: Tensor
    labels: PseudoLabels | None
    source: SourceImages
    subset: Tensor
    looked_at: Tensor | None


def _set_aside(run: RunFolder, damaged: list[Path]) -> Generator[Event, None, None]:
    for path in damaged:
        aside = run.set_aside(path)
        yield Message(
            text=f"The checkpoint {path.name} is damaged; the one before it is used, and the "
            f"damaged one is kept as {aside.name}.",
            level="warning",
        )


class _Clock:
    """Smoothed duration of a step, without the time that a paused run waits."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *exc_info: object) -> None:
        spent = time.perf_counter() - self._started
        self.seconds = 0.9 * self.seconds + 0.1 * spent if self.seconds else spent


def _look(learner: Learner, settings: AdaptSettings, boxes: Tensor | None) -> float:
    """Return the mean foreground probability in fresh target boxes, drawn apart from the run's."""
    if boxes is None:  # never: they are drawn for the steps at which they are asked for
        return float("nan")
    network = learner.teacher if settings.predict_with == "teacher" else learner.student
    return predict_probability(network, boxes).mean().item()

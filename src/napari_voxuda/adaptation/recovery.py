"""Take a collapsed run back to its last good state and keep it from collapsing alike again.

A copy of the whole state is kept in memory: that of the start, then every 20 steps that of a run that
is calm (see `health`). On a collapse the copy becomes the state again. So that the
same does not simply repeat,

- after a loss, gradient or prediction that is not finite, the learning rate is halved from there on;
- after any other collapse, pseudo-labels are left out from there on; in a run that uses none (any more),
  the learning rate is halved.

After three roll-backs the next collapse ends the run.

The step counter and the random generator go on; neither goes back. A run therefore ends after as many steps as were
asked for, numbers of steps and names of checkpoints only grow (the newest checkpoint is the one with
the largest number), and the next step sees other boxes than those that led astray. The price is that the
steps since the copy are lost to the training.

Everything here that outlives a step, the copy included, is part of a checkpoint: a run that was
killed goes back to the same state as one that was not. A checkpoint is twice as large for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from napari_voxuda.adaptation.events import Alarm, AlarmKind
from napari_voxuda.adaptation.health import (
    CHECK_EVERY,
    HealthMonitor,
    Reading,
    Verdict,
)
from napari_voxuda.adaptation.learner import Learner, learning_rate
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.adaptation.step import StepOutcome
from napari_voxuda.errors import TrainingError

__all__ = ["Recovery", "looks_after"]

_COPY_EVERY = 20
_MOST_ROLL_BACKS = 3
_PREFIX = "good."
_SUBJECTS = {
    "coverage": "the pseudo-labels cover {value:.2%} of the target's voxels",
    "labels": "{value:.2%} of the voxels with a pseudo-label are foreground",
    "student": "the student calls {value:.2%} of the target foreground ({start:.2%} at the start)",
    "network": "the network calls {value:.2%} of the target foreground ({start:.2%} at the start)",
}
_ADVICE: dict[AlarmKind, str] = {
    "not finite": "Start a new run with a smaller learning rate, and look for values in the target "
    "that are far from all others.",
    "no coverage": "Start a new run without pseudo-labels, or with a lower confidence.",
    "all background": "Check the target's contrast and voxel size, then start a new run without "
    "pseudo-labels, or with a later start and a smaller weight of them.",
    "all foreground": "Check the target's contrast and voxel size, then start a new run without "
    "pseudo-labels, or with a smaller learning rate.",
    "runaway foreground": "Check the target's contrast, then start a new run without "
    "pseudo-labels, or with a smaller weight of the discriminator or a smaller learning rate.",
}


class Recovery:
    """Watches a run, keeps its last good state, and goes back to it.

    Parameters
    ----------
    learner : Learner
        The state of the run; changed in place on a collapse.
    settings : AdaptSettings
        As the run was asked for.
    """

    def __init__(self, learner: Learner, settings: AdaptSettings) -> None:
        self._learner = learner
        self._asked = settings
        self._monitor = HealthMonitor(settings.steps)
        self._alarms: list[Alarm] = []
        self._rate_factor = 1.0
        self._without_labels = False
        self._keep(0)

    @property
    def settings(self) -> AdaptSettings:
        """The settings of the next step."""
        return replace(self._asked, pseudo_labels="none") if self._without_labels else self._asked

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of the 0-based `step`."""
        return self._rate_factor * learning_rate(step, self._asked)

    def watch(
        self, step: int, outcome: StepOutcome | None, look: Callable[[], float]
    ) -> Alarm | None:
        """Judge a step; on a collapse, restore the last good state and tell.

        Parameters
        ----------
        step : int
            Steps done, this one included.
        outcome : StepOutcome or None
            Its numbers; None when loss or gradient was not finite.
        look : callable
            Returns the mean foreground probability that the segmenting network gives the target;
            called where `looks_after` says so.
        """
        verdict = self._monitor.feed(_reading(step, outcome, look))
        if verdict is not None:
            return self._go_back(step, verdict)
        if step % _COPY_EVERY == 0 and self._monitor.calm and self._is_finite():
            self._keep(step)
        return None

    def check(self) -> None:
        """End a run that has been rolled back too often.

        Raises
        ------
        TrainingError
            When the last collapse was one too many; names all of them and what to do.
        """
        if len(self._alarms) <= _MOST_ROLL_BACKS:
            return
        told = ", ".join(f"{alarm.kind} at step {alarm.step}" for alarm in self._alarms)
        raise TrainingError(
            f"training: a healthy run was wanted, but it collapsed again after {_MOST_ROLL_BACKS} "
            f"roll-backs: {told}. {_ADVICE[self._alarms[-1].kind]}"
        )

    def tensors(self) -> dict[str, Tensor]:
        """Return the last good state for a checkpoint, named ``good.…``."""
        return {f"{_PREFIX}{name}": value for name, value in self._good.items()}

    def state(self) -> dict[str, Any]:
        """Return all the rest for a checkpoint, as plain values."""
        return {
            "good_step": self._good_step,
            "good_monitor": self._good_monitor,
            "rate_factor": self._rate_factor,
            "without_pseudo_labels": self._without_labels,
            "alarms": [vars(alarm) for alarm in self._alarms],
            "monitor": self._monitor.state(),
        }

    def load(self, step: int, tensors: dict[str, Tensor], state: dict[str, Any] | None) -> None:
        """Restore what `tensors` and `state` returned, after the learner has been restored.

        Parameters
        ----------
        step : int
            Steps done.
        tensors : dict of Tensor
            Those of the checkpoint; names without ``good.`` are passed over.
        state : dict or None
            None for a checkpoint of a version that kept none; its own state is then the good one.

        Raises
        ------
        KeyError, TypeError, ValueError
            When the state is something else.
        """
        if state is None:
            self._keep(step)
            return
        self._good_step = int(state["good_step"])
        self._good_monitor = state["good_monitor"]
        self._rate_factor = float(state["rate_factor"])
        self._without_labels = bool(state["without_pseudo_labels"])
        self._alarms = [Alarm(**alarm) for alarm in state["alarms"]]
        self._monitor.load(state["monitor"])
        self._good = {
            name.removeprefix(_PREFIX): value.clone()
            for name, value in tensors.items()
            if name.startswith(_PREFIX)
        }
        if self._good.keys().isdisjoint(self._learner.weights()):
            raise ValueError("the last good state is missing")

    def _keep(self, step: int) -> None:
        self._good = {k: v.detach().clone() for k, v in self._learner.tensors().items()}
        self._good_step = step
        self._good_monitor = self._monitor.state()

    def _is_finite(self) -> bool:
        tensors = self._learner.tensors().values()
        return all(bool(torch.isfinite(t).all()) for t in tensors if t.is_floating_point())

    def _go_back(self, step: int, verdict: Verdict) -> Alarm:
        # The optimiser keeps the tensors that it is given and changes them in place: give it copies.
        self._learner.load({name: value.clone() for name, value in self._good.items()})
        self._monitor.load(self._good_monitor)
        self._monitor.restart()
        done = f"The state of step {self._good_step} was restored; "
        if len(self._alarms) >= _MOST_ROLL_BACKS:
            done += "since this was one roll-back too many, the run ends."
        elif verdict.kind == "not finite" or self.settings.pseudo_labels == "none":
            self._rate_factor /= 2
            done += (
                f"from here on the learning rate is {self._rate_factor:g} times the planned one."
            )
        else:
            self._without_labels = True
            done += "from here on pseudo-labels are left out."
        alarm = Alarm(
            step=step,
            kind=verdict.kind,
            text=f"Step {step}, {verdict.kind}: {_cause(verdict)}. {done}",
            restored_step=self._good_step,
        )
        self._alarms.append(alarm)
        return alarm


def looks_after(step: int) -> bool:
    """Whether the segmenting network is looked at after a step."""
    return step % CHECK_EVERY == 0


def _reading(step: int, outcome: StepOutcome | None, look: Callable[[], float]) -> Reading:
    if outcome is None:
        return Reading(finite=False)
    labelled = outcome.labelled and outcome.coverage > 0
    return Reading(
        loss=outcome.losses["segmentation"],
        coverage=outcome.coverage if outcome.labelled else None,
        labels=outcome.foreground if labelled else None,
        student=outcome.predicted,
        network=look() if looks_after(step) else None,
    )


def _cause(verdict: Verdict) -> str:
    if verdict.gauge is None:
        return "the loss or its gradient is infinite or no number"
    if verdict.kind == "not finite":
        return "the network's prediction on the target is infinite or no number"
    return _SUBJECTS[verdict.gauge].format(value=verdict.value, start=verdict.start)

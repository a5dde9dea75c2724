"""Tell a healthy adaptation from a collapsing one by the numbers of its steps.

Training without labels on the target can end in states in which the losses look well and the
masks are empty or full. The monitor here is fed a few numbers after each step and names what is wrong.
It computes on plain numbers alone and reacts to nothing; that is the business of `recovery`.

Four gauges are read, each where the run has it:

``coverage``   fraction of target voxels with a pseudo-label
``labels``     fraction of these that are foreground
``student``    mean foreground probability that the student gives the step's target boxes
``network``    the same of the network that segments, on fresh target boxes, every 10 steps

Mean probabilities are read, not the number of voxels above 0.5: a network that is not sure of
itself has few such voxels and is none the worse for it.

**When nothing is judged.** In the first 20 steps and the first tenth of the run; and until a gauge's
window is full, which is 20 readings, 8 for ``network``. A state that was taken back is judged as it was when it was copied, from empty windows.

**What a gauge is compared with.** Its *start*: the mean of its first full window. Its *usual value*: the
median of that window, which then follows the later medians slowly, in log-odds, by a tenth of a window
a reading, and only while they look well. A rise is judged by the window's median, which single odd
steps cannot move; a fall by its mean, which a few boxes full of molecules hold up, since in a tomogram
with little foreground most boxes may be empty.

**The rules**, in the order in which they are tried:

1. *not finite*: loss, gradient or a gauge is NaN or infinite. At once, also during warm-up.
2. *no coverage*: ``coverage`` has a mean below 0.1 %.
3. *all background*: ``labels`` has a mean below 0.001 %; or ``student`` or ``network`` has a mean below
   0.05 % that is also less than a thirtieth of its start. A target with so little foreground from
   the start is not called collapsed.
4. *all foreground*: ``labels``, ``student`` or ``network`` has a median above 95 %.
5. *runaway foreground*: ``labels``, ``student`` or ``network`` has a median above 25 % whose odds are more
   than 20 times the usual ones: from 2 % to 29 %, say, or from 5 % to 51 %, within some 200 steps. A target
   that is 40 % foreground is not called collapsed, nor one that gets there slowly.

**Calm** is more than not alarming. The state of a calm run is worth going back to: with limits
twice as strict (in odds) no rule fires, neither on the windows nor on their last quarters, so
that a collapse that has only begun is not kept; and the source's loss is not above three times the median
of the last 20, or is below 1.

The limits are judgements, chosen so that honest targets between 0.5 % and 40 % foreground pass; they
are not from the paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, median_low
from typing import Any, Literal, get_args

__all__ = ["CHECK_EVERY", "Collapse", "HealthMonitor", "Reading", "Verdict"]

Collapse = Literal[
    "not finite", "no coverage", "all background", "all foreground", "runaway foreground"
]
"""The ways in which an adaptation goes wrong."""

GaugeName = Literal["coverage", "labels", "student", "network"]

CHECK_EVERY = 10
"""Steps between two readings of the gauge ``network``."""

_WINDOW = 20
_CHECK_WINDOW = 8
_WARM_UP = 0.1
_NO_COVERAGE = 1e-3
_NO_LABELS = 1e-5
_NO_PREDICTION = 5e-4
_LOST = 30.0
_FULL = 0.95
_MUCH = 0.25
_RUNAWAY = 20.0
_STRICT = 2.0
_LOSS_JUMP = 3.0
_LOSS_FLOOR = 1.0


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The numbers of one step; None is what the run did not measure in it.

    Parameters
    ----------
    finite : bool
        Whether loss and gradient were finite.
    loss : float or None
        Segmentation loss on the source.
    coverage, labels, student, network : float or None
        The gauges described above, in [0, 1].
    """

    finite: bool = True
    loss: float | None = None
    coverage: float | None = None
    labels: float | None = None
    student: float | None = None
    network: float | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is wrong.

    Parameters
    ----------
    kind : str
        Name of the collapse.
    gauge : str or None
        Which gauge told; None for a loss or a gradient that is not finite.
    value : float
        What it reads: mean or median of its window, NaN where that is not finite.
    start : float
        What it read at the start, NaN where that is not known.
    """

    kind: Collapse
    gauge: GaugeName | None = None
    value: float = math.nan
    start: float = math.nan


class HealthMonitor:
    """Watch one run by the rules of this module.

    Parameters
    ----------
    steps : int
        Steps of the whole run, at least 1.
    """

    def __init__(self, steps: int) -> None:
        self._warm_up = max(_WINDOW, math.ceil(_WARM_UP * steps))
        self._seen = 0
        self._losses: list[float] = []
        self._gauges: dict[GaugeName, _Gauge] = {
            name: _Gauge(name, _CHECK_WINDOW if name == "network" else _WINDOW)
            for name in get_args(GaugeName)
        }

    def feed(self, reading: Reading) -> Verdict | None:
        """Take the numbers of the next step and tell what is wrong, or None."""
        self._seen += 1
        values = {name: getattr(reading, name) for name in self._gauges}
        for name, value in values.items():
            if value is not None and not math.isfinite(value):
                return Verdict(kind="not finite", gauge=name)
        if not reading.finite:
            return Verdict(kind="not finite")
        if reading.loss is not None:
            self._losses = [*self._losses, reading.loss][-_WINDOW:]
        if self._seen <= self._warm_up:
            return None
        for name, value in values.items():
            if value is not None:
                self._gauges[name].add(value)
        verdicts = [v for gauge in self._gauges.values() if (v := gauge.verdict()) is not None]
        return min(verdicts, key=lambda v: get_args(Collapse).index(v.kind), default=None)

    @property
    def calm(self) -> bool:
        """Whether the run looks so well that its state is worth going back to."""
        if self._losses:
            jump = _LOSS_JUMP * median_low(self._losses)
            if self._losses[-1] > max(jump, _LOSS_FLOOR):
                return False
        return all(gauge.calm for gauge in self._gauges.values())

    def restart(self) -> None:
        """Empty the windows; what is usual stays known."""
        self._losses = []
        for gauge in self._gauges.values():
            gauge.values = []

    def state(self) -> dict[str, Any]:
        """Return everything that is remembered, as plain values."""
        gauges = {name: gauge.state() for name, gauge in self._gauges.items()}
        return {"seen": self._seen, "losses": list(self._losses), "gauges": gauges}

    def load(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned.

        Raises
        ------
        KeyError, TypeError, ValueError
            When it is something else.
        """
        self._seen = int(state["seen"])
        self._losses = [float(value) for value in state["losses"]]
        for name, gauge in self._gauges.items():
            gauge.load(state["gauges"][name])


class _Gauge:
    """The last readings of one number, its start, and its usual log-odds."""

    def __init__(self, name: GaugeName, size: int) -> None:
        self.name = name
        self.size = size
        self.values: list[float] = []
        self.start: float | None = None
        self.usual: float | None = None

    def add(self, value: float) -> None:
        self.values = [*self.values, value][-self.size :]
        if len(self.values) < self.size:
            return
        if self.start is None or self.usual is None:
            self.start = fmean(self.values)
            self.usual = _log_odds(median_low(self.values))
        elif self._rule(self.values, _STRICT) is None:
            self.usual += (_log_odds(median_low(self.values)) - self.usual) / (10 * self.size)

    def verdict(self) -> Verdict | None:
        if len(self.values) < self.size or self.start is None:
            return None
        kind = self._rule(self.values, 1.0)
        if kind is None:
            return None
        falls = kind in ("no coverage", "all background")
        value = fmean(self.values) if falls else median_low(self.values)
        return Verdict(kind=kind, gauge=self.name, value=value, start=self.start)

    @property
    def calm(self) -> bool:
        if self.start is None or not self.values:
            return True
        latest = self.values[-max(1, self.size // 4) :]
        return self._rule(self.values, _STRICT) is self._rule(latest, _STRICT) is None

    def state(self) -> dict[str, Any]:
        return {"values": list(self.values), "start": self.start, "usual": self.usual}

    def load(self, state: dict[str, Any]) -> None:
        self.values = [float(value) for value in state["values"]]
        self.start = None if state["start"] is None else float(state["start"])
        self.usual = None if state["usual"] is None else float(state["usual"])

    def _rule(self, values: list[float], strict: float) -> Collapse | None:
        mean, middle = fmean(values), _log_odds(median_low(values))
        slack = math.log(strict)
        if self.name == "coverage":
            return "no coverage" if mean < strict * _NO_COVERAGE else None
        if self._is_empty(mean, strict):
            return "all background"
        if middle > _log_odds(_FULL) - slack:
            return "all foreground"
        risen = self.usual is not None and middle - self.usual > math.log(_RUNAWAY) - slack
        return "runaway foreground" if risen and middle > _log_odds(_MUCH) - slack else None

    def _is_empty(self, mean: float, strict: float) -> bool:
        if self.name == "labels":
            return mean < strict * _NO_LABELS
        lost = self.start is not None and mean < strict * self.start / _LOST
        return lost and mean < strict * _NO_PREDICTION


def _log_odds(fraction: float) -> float:
    """Return the log-odds of a fraction, which keeps 0 and 1 finite."""
    inside = min(max(fraction, 1e-7), 1 - 1e-7)
    return math.log(inside / (1 - inside))

"""The steps and alarms of a run, read from its log while somebody else may be writing it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_voxuda.adaptation.events import Alarm, StepDone

__all__ = ["LogTail", "RunHistory", "last_step"]

_EVENTS_FILE = "events.jsonl"
_TAIL_BYTES = 1 << 16
_MOST_BYTES = 1 << 26
_MALFORMED = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class RunHistory:
    """What a run has gone through.

    Parameters
    ----------
    steps : tuple of StepDone
        In order, each once: of a step that was repeated after a resume the last.
    alarms : tuple of Alarm
        In order, each once.
    """

    steps: tuple[StepDone, ...] = ()
    alarms: tuple[Alarm, ...] = ()

    def thinned(self, most: int = 2000) -> RunHistory:
        """Return at most about `most` steps, evenly spread, the last one among them."""
        stride = -(-len(self.steps) // most) if self.steps else 1
        kept = self.steps[::-1][::stride][::-1]
        return RunHistory(steps=kept, alarms=self.alarms)


class LogTail:
    """Reads the log of a run piece by piece; the folder is only read.

    Parameters
    ----------
    run : Path
        A run folder.
    """

    def __init__(self, run: Path) -> None:
        self._file = run / _EVENTS_FILE
        self._offset = 0
        self._steps: dict[int, StepDone] = {}
        self._alarms: dict[int, Alarm] = {}

    def read(self) -> RunHistory:
        """Read what has been added since and return the whole history."""
        for line in self._new_lines():
            self._take(line)
        steps = tuple(self._steps[number] for number in sorted(self._steps))
        alarms = tuple(self._alarms[number] for number in sorted(self._alarms))
        return RunHistory(steps=steps, alarms=alarms)

    def _new_lines(self) -> list[bytes]:
        try:
            with self._file.open("rb") as file:
                size = file.seek(0, 2)
                if size < self._offset:  # another run has taken the place
                    self._offset = 0
                    self._steps.clear()
                    self._alarms.clear()
                file.seek(self._offset)
                text = file.read(_MOST_BYTES)
        except OSError:
            return []
        whole = text.rfind(b"\n") + 1  # a line that is still being written waits
        self._offset += whole
        return text[:whole].splitlines()

    def _take(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            kind = entry["event"]
            if kind == "step":
                step = _step(entry)
                if step.step in self._steps:  # gone on with from an earlier checkpoint
                    self._forget_from(step.step)
                self._steps[step.step] = step
            elif kind == "alarm":
                alarm = _alarm(entry)
                self._alarms[alarm.step] = alarm
        except _MALFORMED:
            return

    def _forget_from(self, step: int) -> None:
        for number in [n for n in self._steps if n >= step]:
            del self._steps[number]
        for number in [n for n in self._alarms if n >= step]:
            del self._alarms[number]


def last_step(run: Path) -> int:
    """Return the number of the last step in the log, read from its end; 0 where there is none."""
    try:
        with (run / _EVENTS_FILE).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return 0
    for line in reversed(lines):
        try:
            entry = json.loads(line)
            if entry["event"] == "step":
                return int(entry["step"])
        except _MALFORMED:
            continue
    return 0


def _step(entry: dict[str, Any]) -> StepDone:
    return StepDone(
        step=int(entry["step"]),
        total=int(entry["total"]),
        losses={str(name): float(value) for name, value in entry["losses"].items()},
        coverage=float(entry["coverage"]),
        foreground=float(entry["foreground"]),
        learning_rate=float(entry["learning_rate"]),
        seconds_per_step=float(entry["seconds_per_step"]),
    )


def _alarm(entry: dict[str, Any]) -> Alarm:
    return Alarm(
        step=int(entry["step"]),
        kind=entry["kind"],
        text=str(entry["text"]),
        restored_step=int(entry["restored_step"]),
    )

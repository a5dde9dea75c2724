"""How far a task is and how long it will still take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from napari_voxuda._types import Progress
from napari_voxuda.app.words import time_words

__all__ = ["Pace", "ProgressLine"]


@dataclass(frozen=True, kw_only=True)
class ProgressLine:
    """What a progress bar shows.

    Parameters
    ----------
    text : str
        Words, for example ``"Segmenting, 3 of 12, 20 s left"``.
    done, total : int
        Units of work; `total` 0 means that no end is known.
    """

    text: str
    done: int = 0
    total: int = 0


class Pace:
    """Estimates the time left of each stage of a task from its own progress.

    Parameters
    ----------
    clock : callable
        Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stage: str | None = None
        self._began = 0.0
        self._first = 0

    def line(self, progress: Progress) -> ProgressLine:
        """Return the progress in words, with the time left once it can be told."""
        now = self._clock()
        if progress.stage != self._stage or progress.done < self._first:
            self._stage, self._began, self._first = progress.stage, now, progress.done
        words = [progress.stage, f"{progress.done} of {progress.total}"]
        advanced = progress.done - self._first
        if advanced > 0 and progress.done < progress.total:
            left = (now - self._began) / advanced * (progress.total - progress.done)
            words.append(f"{time_words(left)} left")
        return ProgressLine(text=", ".join(words), done=progress.done, total=progress.total)

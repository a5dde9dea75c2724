"""Types that every layer shares: the task, its events, and three-component values.

A *task* is a generator that yields events and returns its result. Whoever runs it stops it
by not asking for the next event and calling ``close()``, which runs its ``finally`` blocks.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal, TypeVar

__all__ = [
    "Contrast",
    "Event",
    "Message",
    "Normalisation",
    "Progress",
    "Task",
    "Triple",
    "TripleInt",
]

Triple = tuple[float, float, float]
"""Three real values in the order (z, y, x)."""

TripleInt = tuple[int, int, int]
"""Three whole values in the order (z, y, x)."""

Contrast = Literal["bright", "dark"]
"""Whether macromolecules have larger (bright) or smaller (dark) values than the solvent."""

Normalisation = Literal["volume", "subtomogram"]
"""Over what an input is scaled to mean 0 and variance 1: the whole tomogram or each box."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened in a task."""


@dataclass(frozen=True, kw_only=True)
class Progress(Event):
    """How far a task is.

    Parameters
    ----------
    stage : str
        What is being done, in words that a user reads, for example ``"Segmenting"``.
    done, total : int
        Units of work done and in all; ``0 <= done <= total``.
    """

    stage: str
    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Message(Event):
    """A sentence for the user.

    Parameters
    ----------
    text : str
        One sentence.
    level : {"info", "warning"}
        How it is shown.
    """

    text: str
    level: Literal["info", "warning"] = "info"


_Result = TypeVar("_Result")
Task = Generator[Event, None, _Result]
"""A generator of events that returns a result."""

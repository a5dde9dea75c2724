"""Ctrl-C and SIGTERM: stop at the next event, and at once when asked twice."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["Interruption", "Terminated", "terminable"]

_NOTICE = b"\nStopping after this step; press Ctrl-C again to stop at once.\n"
_STDERR = 2


class Terminated(BaseException):
    """The process was asked to end (SIGTERM); raised so that tasks are closed first."""


_MEANING: dict[int, type[BaseException]] = {
    signal.SIGINT: KeyboardInterrupt,
    signal.SIGTERM: Terminated,
}


class Interruption:
    """Keep signals back while a task computes, so that it can be closed between two events.

    Use it as a context manager and call `check` after each event. A second signal is raised at
    once. Signals that the process was started to ignore stay ignored.
    """

    def __init__(self) -> None:
        self._asked: type[BaseException] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            heeded = (n for n in _MEANING if signal.getsignal(n) is not signal.SIG_IGN)
            self._before = {number: signal.signal(number, self._note) for number in heeded}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise what a signal asked for since the last call, if any."""
        if self._asked is not None:
            raise self._asked

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._asked is not None:
            raise _MEANING[number]
        self._asked = _MEANING[number]
        os.write(_STDERR, _NOTICE)  # a buffered stream may be in use by what was interrupted


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM raise `Terminated` in the main thread."""
    ignored = signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    if ignored or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise_terminated(number: int, frame: FrameType | None) -> None:
    raise Terminated

"""Run a task in a process of its own, as a task.

A training in a thread of the viewer shares Python's global lock with it: the window stutters and the
training slows down. A child process shares nothing but the cores. It is stepped from here, one
event at a time, so pausing and stopping mean what they mean for every task, and it ends when this
program does: an orphan closes its task, which saves the run, and exits. One event is always asked for ahead:
a child does not wait for a window that is busy, and holds one event later when it is paused. If memory runs out for good, the
system ends the child and not the viewer.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from functools import partial
from typing import IO, Any, TypeVar

from napari_voxuda._types import Event, Message, Task
from napari_voxuda.app.live.view import ViewWish
from napari_voxuda.app.wire import portable, receive, send
from napari_voxuda.errors import ProcessError

__all__ = ["child_task", "main"]

_Result = TypeVar("_Result")
_NICENESS = 5
_SECONDS_TO_CLOSE = 60.0
_SPINS = "3000"  # a tenth of a millisecond: most waits of a step are shorter


def child_task(call: partial[Task[_Result]], live: ViewWish | None = None) -> Task[_Result]:
    """Run a task in a child process.

    Parameters
    ----------
    call : functools.partial
        Makes the task: a function of a module with arguments that pickle takes. Memory-mapped arrays
        travel as the name of their file.
    live : ViewWish or None
        The same as somewhere among the arguments; what it holds goes to the child with each request.

    Yields
    ------
    Event
        Those of the task.

    Returns
    -------
    object
        What the task returns.

    Raises
    ------
    ProcessError
        When the child ends without a word.
    BaseException
        What the task raises, with the child's traceback as a note.
    """
    if not sys.executable:  # an embedded interpreter, which cannot be started again
        return (yield from call())
    yield Message(text="Starting a process for the run.")
    child = _Child(live)
    try:
        child.tell((call, live))  # in one piece, so that the child gets one wish and not two
        child.ask_ahead()
        while True:
            kind, value = child.ask()
            if kind == "event":
                yield value
            elif kind == "done":
                return value  # type: ignore[no-any-return]
            else:
                raise value
    finally:
        child.close()


class _Child:
    """The child process and the two pipes to it."""

    def __init__(self, live: ViewWish | None) -> None:
        self._live = live
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        requests, answers = self._process.stdin, self._process.stdout
        if requests is None or answers is None:  # never: both were asked for
            raise ProcessError("A process was started without its pipes.")
        self._requests: IO[bytes] = requests
        self._answers: IO[bytes] = answers

    def tell(self, value: Any) -> None:
        try:
            send(self._requests, value)
        except BrokenPipeError:
            raise ProcessError(_last_words(self._process.wait())) from None

    def ask_ahead(self) -> None:
        with contextlib.suppress(OSError):  # it has ended: its last answer tells how
            send(self._requests, self._live)

    def ask(self) -> tuple[str, Any]:
        self.ask_ahead()
        try:
            answer: tuple[str, Any] = receive(self._answers)
        except EOFError:
            raise ProcessError(_last_words(self._process.wait())) from None
        return answer

    def close(self) -> None:
        """Let the task clean up, and wait for the end of the process."""
        for pipe in (self._requests, self._answers):  # what it still wants to say has no reader
            with contextlib.suppress(OSError):
                pipe.close()
        try:
            self._process.wait(_SECONDS_TO_CLOSE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _environment() -> dict[str, str]:
    """Return the environment, in which the threads of a run that wait for each other soon sleep.

    By default they spin for milliseconds. Where the window needs a core, that keeps the other one from the very thread
    that is waited for, and a run slows down far more than by the core. What the user has chosen stays.
    """
    given = dict(os.environ)
    if "OMP_WAIT_POLICY" not in given:
        given.setdefault("GOMP_SPINCOUNT", _SPINS)
    return given


def _last_words(code: int) -> str:
    if code == -getattr(signal, "SIGKILL", 9):
        return (
            "The process of the run was ended from outside; mostly that means that memory ran out. "
            "Choose a smaller batch or the preset “fast”, then go on with Resume."
        )
    return (
        f"The process of the run ended unexpectedly (exit status {code}). Go on with Resume; "
        "if it happens again, run in a thread of the viewer and report the text of the terminal."
    )


def main() -> None:
    """Serve as the child: read a call, then answer each request, which holds the wanted view, with the task's next event."""
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is for the viewer
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    requests = sys.stdin.buffer
    with contextlib.suppress(EOFError, BrokenPipeError):
        call, live = receive(requests)
        _serve(call, live, requests, answers)
    with contextlib.suppress(OSError):
        answers.close()


def _serve(
    call: Callable[[], Task[Any]],
    live: ViewWish | None,
    requests: IO[bytes],
    answers: IO[bytes],
) -> None:
    task: Generator[Event, None, Any] | None = None
    answer: tuple[str, Any] = ("event", None)
    try:
        while answer[0] == "event":
            # Raises at the end of the pipe: stopped, or the viewer is gone.
            wish: ViewWish | None = receive(requests)
            if live is not None and wish is not None:
                live.view, live.tomogram = wish.view, wish.tomogram
            try:
                task = task if task is not None else call()
                answer = ("event", next(task))
            except StopIteration as stop:
                answer = ("done", stop.value)
            except Exception as error:
                answer = ("failed", portable(error))
            send(answers, answer)
    finally:
        if task is not None:
            task.close()


if __name__ == "__main__":
    main()

"""Where a job runs: one small interface that a dock, a test or a script fills differently."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from napari_voxuda._types import Event, Task
from napari_voxuda.app.job import Job, JobState

__all__ = ["Executor", "InlineExecutor", "LatestOnly", "single_step"]

_Result = TypeVar("_Result")


class Executor(Protocol):
    """Starts jobs; every callback arrives in the thread that owns the executor."""

    def start(
        self,
        task: Callable[[], Task[_Result]],
        *,
        on_event: Callable[[Event], None],
        on_state: Callable[[JobState], None],
        on_end: Callable[[Job[_Result]], None],
    ) -> Job[_Result]:
        """Start `task`, report its events and states, and report the ended job at last."""
        ...

    def close(self) -> None:
        """Cancel every job and report nothing more; return at once."""
        ...


class InlineExecutor:
    """Runs a job to its end inside `start`; for tests and scripts."""

    def start(
        self,
        task: Callable[[], Task[_Result]],
        *,
        on_event: Callable[[Event], None],
        on_state: Callable[[JobState], None],
        on_end: Callable[[Job[_Result]], None],
    ) -> Job[_Result]:
        """Run `task` now; see `Executor`."""
        job = Job(task, on_event, on_state)
        job.run()
        on_end(job)
        return job

    def close(self) -> None:
        """Do nothing: no job outlives `start`."""


def single_step(work: Callable[[], _Result]) -> Task[_Result]:
    """Make a task of one function: it reports nothing and returns the function's result."""
    yield from ()
    return work()


class LatestOnly(Generic[_Result]):
    """Does the latest request of a stream; requests that wait when a newer one comes are dropped.

    Parameters
    ----------
    executor : Executor
        Where the work is done.
    on_result : callable
        Gets the result of a finished request that no newer one has replaced or `forget` dropped.
    on_error : callable
        Gets what a request raised.
    """

    def __init__(
        self,
        executor: Executor,
        on_result: Callable[[_Result], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._executor = executor
        self._on_result = on_result
        self._on_error = on_error
        self._busy = False
        self._waiting: Callable[[], _Result] | None = None
        self._wanted = 0

    @property
    def busy(self) -> bool:
        """Whether a request is being worked on."""
        return self._busy

    def request(self, work: Callable[[], _Result]) -> None:
        """Ask for `work`; it starts now, or when the current request is done."""
        if self._busy:
            self._waiting = work
            return
        self._busy = True
        number = self._wanted
        self._executor.start(
            lambda: single_step(work),
            on_event=lambda event: None,
            on_state=lambda state: None,
            on_end=lambda job: self._done(job, number),
        )

    def forget(self) -> None:
        """Drop the waiting request and the result of the current one."""
        self._waiting = None
        self._wanted += 1

    def _done(self, job: Job[_Result], number: int) -> None:
        self._busy = False
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self.request(waiting)
        if number != self._wanted:
            return
        if job.error is not None:
            self._on_error(job.error)
        elif job.state is JobState.DONE:
            self._on_result(job.result)  # type: ignore[arg-type]

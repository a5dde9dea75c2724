"""Run a task with named states, pause, and cancel between two events."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Generic, TypeVar

from napari_voxuda._types import Event, Task

__all__ = ["Job", "JobState"]

_Result = TypeVar("_Result")


class JobState(StrEnum):
    """The states of a job; every button's enabled flag is a function of this one value."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_active(self) -> bool:
        """Whether the task still runs or waits."""
        return self in (JobState.RUNNING, JobState.PAUSED, JobState.CANCELLING)

    @property
    def is_over(self) -> bool:
        """Whether the task has ended, or never will begin; a job that waits for its thread is not over."""
        return self in (JobState.CANCELLED, JobState.DONE, JobState.FAILED)


class Job(Generic[_Result]):
    """One run of a task, started once and controlled from another thread.

    Parameters
    ----------
    start : callable
        Makes the task. It is called inside `run`, so errors raised there are caught as well.
    on_event : callable
        Called with each event, in the thread of `run`.
    on_state : callable or None
        Called with each new state, in order, in the thread that caused it. It may control the
        job, but must not wait for another thread that does.
    """

    def __init__(
        self,
        start: Callable[[], Task[_Result]],
        on_event: Callable[[Event], None],
        on_state: Callable[[JobState], None] | None = None,
    ) -> None:
        self._start = start
        self._on_event = on_event
        self._on_state = on_state
        self._changed = threading.Condition()
        self._state = JobState.IDLE
        self.result: _Result | None = None
        self.error: BaseException | None = None

    @property
    def state(self) -> JobState:
        """The current state."""
        return self._state

    def run(self) -> JobState:
        """Run the task to its end and return the final state; never raises what the task raises."""
        if not self._move(JobState.RUNNING, {JobState.IDLE}):
            return self._state
        task: Task[_Result] | None = None
        final = JobState.CANCELLED
        try:
            task = self._start()
            while self._wait_for_turn():
                self._on_event(next(task))
        except StopIteration as stop:
            self.result, final = stop.value, JobState.DONE
        except BaseException as error:  # also KeyboardInterrupt and out-of-memory RuntimeError
            self.error, final = error, JobState.FAILED
        if task is not None:
            final = self._closed(task, final)
        self._move(final, {JobState.RUNNING, JobState.PAUSED, JobState.CANCELLING})
        return self._state

    def pause(self) -> None:
        """Hold the task before its next event."""
        self._move(JobState.PAUSED, {JobState.RUNNING})

    def resume(self) -> None:
        """Let a paused task go on."""
        self._move(JobState.RUNNING, {JobState.PAUSED})

    def cancel(self) -> None:
        """Stop the task before its next event, also when it is paused or not yet started."""
        if not self._move(JobState.CANCELLED, {JobState.IDLE}):
            self._move(JobState.CANCELLING, {JobState.RUNNING, JobState.PAUSED})

    def _wait_for_turn(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._state is not JobState.PAUSED)
            return self._state is not JobState.CANCELLING

    def _move(self, to: JobState, allowed: set[JobState]) -> bool:
        # The listener is called under the (re-entrant) lock: else a thread that is slow to tell
        # of a pause would be overtaken by the one that ends, and "paused" would come last.
        with self._changed:
            if self._state not in allowed:
                return False
            self._state = to
            self._changed.notify_all()
            if self._on_state is not None:
                self._on_state(to)
        return True

    def _closed(self, task: Task[_Result], final: JobState) -> JobState:
        """Close the task and return the final state: failed if its clean-up fails."""
        try:
            task.close()
        except BaseException as error:
            self.error = self.error or error
            return JobState.FAILED
        return final

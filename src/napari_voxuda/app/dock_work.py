"""The one job of a dock: started, watched, paused and stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from napari_voxuda._types import Event, Message, Progress
from napari_voxuda.app.job import Job, JobState
from napari_voxuda.app.pace import Pace, ProgressLine
from napari_voxuda.app.running import Executor
from napari_voxuda.app.words import Level, error_words

__all__ = ["DockWork", "WorkView"]


class WorkView(Protocol):
    """What a dock shows of its job."""

    def show_state(self, state: JobState) -> None:
        """Show the state of the job."""
        ...

    def show_progress(self, line: ProgressLine) -> None:
        """Show how far it is."""
        ...

    def say(self, text: str, level: Level = "info") -> None:
        """Show a sentence; an empty one clears the last."""
        ...


class DockWork:
    """Runs one task at a time and tells the dock how far it is.

    Parameters
    ----------
    view : WorkView
        The dock.
    executor : Executor
        Where the work is done.
    doing : str
        What is being done, for the words of an error: ``"denoising"``.
    stopped : str
        The sentence for a job that the user stopped.
    memory_advice : str
        What to change when memory ran out; a sentence.
    """

    def __init__(
        self, view: WorkView, executor: Executor, *, doing: str, stopped: str, memory_advice: str
    ) -> None:
        self._view = view
        self._executor = executor
        self._doing = doing
        self._stopped = stopped
        self._memory_advice = memory_advice
        self._pace = Pace()
        self._job: Job[Any] | None = None

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        return self._job is not None and not self._job.state.is_over

    def launch(self, task: Callable[[], Any], on_end: Callable[[Any], None]) -> None:
        """Start a task; `on_end` gets its result unless it fails or is stopped."""
        self._pace = Pace()
        self._view.say("")

        def ended(job: Job[Any]) -> None:
            if job.error is not None:
                self.failed(job.error)
            elif job.state is JobState.CANCELLED:
                self._view.say(self._stopped)
            else:
                on_end(job.result)

        self._job = self._executor.start(
            task, on_event=self._on_event, on_state=self._view.show_state, on_end=ended
        )

    def pause(self) -> None:
        """Hold the job before its next step."""
        if self._job is not None:
            self._job.pause()

    def resume(self) -> None:
        """Go on with the held job."""
        if self._job is not None:
            self._job.resume()

    def cancel(self) -> None:
        """Stop the job before its next step."""
        if self._job is not None:
            self._job.cancel()

    def failed(self, error: BaseException) -> None:
        """Say what went wrong and what to do."""
        words = error_words(error, doing=self._doing, memory_advice=self._memory_advice)
        self._view.say(words, "error")

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._view.show_progress(self._pace.line(event))
        elif isinstance(event, Message):
            self._view.say(event.text, event.level)

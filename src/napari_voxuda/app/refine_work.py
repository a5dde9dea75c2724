"""The one job of the dock *Vox-UDA refine*: started, watched, paused and stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_voxuda._types import Event, Message, Progress
from napari_voxuda.app.job import Job, JobState
from napari_voxuda.app.pace import Pace
from napari_voxuda.app.refine_view import RefineView
from napari_voxuda.app.running import Executor
from napari_voxuda.app.words import error_words

__all__ = ["RefineWork"]

_MEMORY_ADVICE = "Choose a smaller batch under “Settings”, or the CPU as device, and try again."


class RefineWork:
    """Runs one task at a time and tells the dock how far it is.

    Parameters
    ----------
    view : RefineView
        The dock.
    executor : Executor
        Where the work is done.
    """

    def __init__(self, view: RefineView, executor: Executor) -> None:
        self._view = view
        self._executor = executor
        self._pace = Pace()
        self._job: Job[Any] | None = None

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        return self._job is not None and self._job.state.is_active

    def launch(self, task: Callable[[], Any], on_end: Callable[[Any], None]) -> None:
        """Start a task; `on_end` gets its result unless it fails or is stopped."""
        self._pace = Pace()
        self._view.say("")

        def ended(job: Job[Any]) -> None:
            if job.error is not None:
                self.failed(job.error)
            elif job.state is JobState.CANCELLED:
                self._view.say("Stopped. The run keeps its model and your corrections.")
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
        """Stop the job before its next step; the run keeps its model."""
        if self._job is not None:
            self._job.cancel()

    def failed(self, error: BaseException) -> None:
        """Say what went wrong and what to do."""
        words = error_words(error, doing="working on it", memory_advice=_MEMORY_ADVICE)
        self._view.say(words, "error")

    def _on_event(self, event: Event) -> None:
        from napari_voxuda.adaptation.refine import RefineStep

        if isinstance(event, RefineStep):
            event = Progress(stage="Refining", done=event.step, total=event.total)
        if isinstance(event, Progress):
            self._view.show_progress(self._pace.line(event))
        elif isinstance(event, Message):
            self._view.say(event.text, event.level)

"""The newest of many requests for a picture, piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_voxuda._types import Event
from napari_voxuda.app.job import Job, JobState
from napari_voxuda.app.live.view import LivePiece
from napari_voxuda.app.running import Executor

__all__ = ["Newest"]


class Newest:
    """Runs the newest of many tasks of pictures; an older one ends with its next picture."""

    def __init__(
        self,
        executor: Executor,
        on_piece: Callable[[LivePiece], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._executor = executor
        self._on_piece = on_piece
        self._on_error = on_error
        self._job: Job[LivePiece] | None = None
        self._busy = False
        self._waiting: Callable[[], Any] | None = None
        self._wanted = 0

    def request(self, task: Callable[[], Any]) -> None:
        """Run a task now, or when the present one has ended."""
        self._wanted += 1
        if not self._busy:
            self._start(task)
            return
        self._waiting = task
        if self._job is not None:
            self._job.cancel()

    def forget(self) -> None:
        """Want none of them any more."""
        self._wanted += 1
        self._waiting = None
        if self._job is not None:
            self._job.cancel()

    def _start(self, task: Callable[[], Any]) -> None:
        self._busy = True
        number = self._wanted

        def told(event: Event) -> None:
            if number == self._wanted and isinstance(event, LivePiece):
                self._on_piece(event)

        def ended(job: Job[Any]) -> None:
            self._busy = False
            waiting, self._waiting = self._waiting, None
            if waiting is not None:
                self._start(waiting)
            elif number == self._wanted and job.error is not None:
                self._on_error(job.error)
            elif number == self._wanted and job.state is JobState.DONE and job.result is not None:
                self._on_piece(job.result)

        self._job = self._executor.start(
            task, on_event=told, on_state=lambda state: None, on_end=ended
        )

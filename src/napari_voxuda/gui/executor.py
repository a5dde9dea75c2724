"""Run jobs in threads and bring their callbacks to the thread of the GUI.

Why not napari's ``thread_worker``: its generator workers swallow `RuntimeError` (torch's
out-of-memory error is one) and skip a generator's ``finally`` when they are stopped. Here the
task is stepped by `napari_voxuda.app.job.Job` in a plain thread, and every callback travels
through one queued Qt signal.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
import traceback
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from qtpy.QtCore import QObject, Qt, Signal

from napari_voxuda._types import Event, Task
from napari_voxuda.app.job import Job, JobState
from napari_voxuda.errors import VoxUDAError

__all__ = ["ThreadExecutor"]

_Result = TypeVar("_Result")
_LOG = logging.getLogger("napari_voxuda")
_SECONDS_AT_EXIT = 2.5  # for all jobs together; a child process saves its run without us
_running: weakref.WeakKeyDictionary[threading.Thread, Job[Any]] = weakref.WeakKeyDictionary()


class ThreadExecutor(QObject):
    """Starts each job in its own daemon thread; callbacks arrive in the thread that made this.

    After `close`, jobs are cancelled and no callback arrives any more, so that nothing
    touches a widget or a layer that is gone.
    """

    _woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._calls: deque[Callable[[], None]] = deque()
        self._jobs: weakref.WeakSet[Job[Any]] = weakref.WeakSet()
        self._open = True
        self._woken.connect(self._drain, type=Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]

    def start(
        self,
        task: Callable[[], Task[_Result]],
        *,
        on_event: Callable[[Event], None],
        on_state: Callable[[JobState], None],
        on_end: Callable[[Job[_Result]], None],
    ) -> Job[_Result]:
        """Start `task` in a new thread; see `napari_voxuda.app.running.Executor`."""
        job: Job[_Result] = Job(
            task,
            lambda event: self._post(partial(on_event, event)),
            lambda state: self._post(partial(on_state, state)),
        )
        thread = threading.Thread(
            target=self._run, args=(job, on_end), name="napari-voxuda", daemon=True
        )
        self._jobs.add(job)
        _running[thread] = job
        thread.start()
        return job

    def close(self) -> None:
        """Cancel every job and deliver nothing more; returns at once."""
        self._open = False
        self._calls.clear()
        for job in list(self._jobs):
            job.cancel()

    def _run(self, job: Job[_Result], on_end: Callable[[Job[_Result]], None]) -> None:
        job.run()
        if job.error is not None:
            if not isinstance(job.error, VoxUDAError):
                _LOG.error("A job failed.", exc_info=job.error)
            # The frames hold the tensors that filled the memory; let them go.
            traceback.clear_frames(job.error.__traceback__)
        self._post(partial(on_end, job))

    def _post(self, call: Callable[[], None]) -> None:
        if not self._open:
            return
        self._calls.append(call)
        try:
            self._woken.emit()
        except RuntimeError:  # the Qt object is gone: the dock was closed meanwhile
            self._open = False

    def _drain(self) -> None:
        # Only what waited at the start: a busy worker must not keep the GUI from its own events.
        for _ in range(len(self._calls)):
            if not self._open or not self._calls:
                return
            self._calls.popleft()()


@atexit.register
def _stop_all() -> None:
    """Give running jobs the time to clean up when the program ends."""
    threads = dict(_running)
    for job in threads.values():
        job.cancel()
    deadline = time.monotonic() + _SECONDS_AT_EXIT
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))

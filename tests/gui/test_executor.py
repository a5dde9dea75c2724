from __future__ import annotations

import gc
import threading

import pytest
from qtpy.QtCore import QCoreApplication, QEvent, QObject

from napari_voxuda._types import Message
from napari_voxuda.app.job import JobState
from napari_voxuda.gui.executor import ThreadExecutor


class Record:
    def __init__(self) -> None:
        self.events, self.states, self.ended, self.threads = [], [], [], set()

    def callbacks(self):
        def note(to):
            def call(value):
                self.threads.add(threading.current_thread())
                to.append(value)

            return call

        return {
            "on_event": note(self.events),
            "on_state": note(self.states),
            "on_end": note(self.ended),
        }


@pytest.fixture
def executor(qapp):
    executor = ThreadExecutor()
    yield executor
    executor.close()


def _gated(gate: threading.Event, closed: threading.Event):
    def task():
        try:
            while True:
                yield Message(text="step")
                gate.wait(30)
        finally:
            closed.set()

    return task


def test_callbacks_arrive_in_the_thread_of_the_gui(qtbot, executor):
    worker = []

    def task():
        worker.append(threading.current_thread())
        yield Message(text="one")
        return 7

    record = Record()
    executor.start(task, **record.callbacks())
    qtbot.waitUntil(lambda: bool(record.ended))
    assert record.threads == {threading.main_thread()}
    assert worker[0] is not threading.main_thread()
    assert record.states == [JobState.RUNNING, JobState.DONE]
    assert [e.text for e in record.events] == ["one"]
    assert record.ended[0].result == 7


@pytest.mark.parametrize(
    "error", [RuntimeError("CUDA out of memory."), KeyboardInterrupt(), MemoryError()]
)
def test_errors_of_every_kind_arrive(qtbot, executor, error, caplog):
    def task():
        yield Message(text="one")
        raise error

    record = Record()
    executor.start(task, **record.callbacks())
    qtbot.waitUntil(lambda: bool(record.ended))
    assert record.states[-1] is JobState.FAILED
    assert record.ended[0].error is error
    assert "A job failed." in caplog.text


def test_the_memory_of_a_failed_job_is_free_again(qtbot, executor):
    class Tensor:
        pass

    import weakref

    alive = []

    def task():
        tensor = Tensor()
        alive.append(weakref.ref(tensor))
        yield Message(text="one")
        raise RuntimeError("DefaultCPUAllocator: not enough memory")

    record = Record()
    executor.start(task, **record.callbacks())
    qtbot.waitUntil(lambda: bool(record.ended))
    gc.collect()
    assert alive[0]() is None


def test_pause_holds_and_cancel_runs_the_clean_up(qtbot, executor):
    gate, closed = threading.Event(), threading.Event()
    record = Record()
    job = executor.start(_gated(gate, closed), **record.callbacks())
    qtbot.waitUntil(lambda: bool(record.events))
    job.pause()
    gate.set()
    qtbot.waitUntil(lambda: JobState.PAUSED in record.states)
    assert not closed.is_set()
    job.cancel()
    qtbot.waitUntil(lambda: bool(record.ended))
    assert closed.is_set()
    assert record.states[-2:] == [JobState.CANCELLING, JobState.CANCELLED]


def test_nothing_arrives_after_close(qtbot, executor):
    gate, closed = threading.Event(), threading.Event()
    record = Record()
    job = executor.start(_gated(gate, closed), **record.callbacks())
    qtbot.waitUntil(lambda: bool(record.events))
    executor.close()
    seen = len(record.states)
    gate.set()
    qtbot.waitUntil(closed.is_set)
    qtbot.waitUntil(lambda: not job.state.is_active)
    QCoreApplication.processEvents()
    assert len(record.states) == seen
    assert not record.ended


def test_a_deleted_qt_object_stops_the_callbacks_without_an_error(qtbot):
    parent = QObject()
    executor = ThreadExecutor(parent)
    gate, closed = threading.Event(), threading.Event()
    record = Record()
    job = executor.start(_gated(gate, closed), **record.callbacks())
    qtbot.waitUntil(lambda: bool(record.events))
    parent.deleteLater()
    QCoreApplication.sendPostedEvents(parent, QEvent.Type.DeferredDelete.value)
    job.cancel()
    gate.set()
    qtbot.waitUntil(closed.is_set)
    qtbot.waitUntil(lambda: not job.state.is_active)

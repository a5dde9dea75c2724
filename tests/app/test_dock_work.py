from __future__ import annotations

import pytest

from napari_voxuda._types import Message, Progress
from napari_voxuda.app.dock_work import DockWork
from napari_voxuda.app.job import JobState
from napari_voxuda.errors import RunBusyError


@pytest.fixture
def work(view, executor):
    return DockWork(
        view,
        executor,
        doing="counting",
        stopped="Stopped; all is kept.",
        memory_advice="Count less.",
    )


def _task():
    yield Progress(stage="Refining", done=1, total=2)
    yield Message(text="hello")
    return 7


def test_a_result_is_handed_on_and_events_are_shown(work, view, executor):
    results, busy = [], []

    def task():
        busy.append(work.busy)
        return (yield from _task())

    work.launch(task, results.append)
    assert work.busy  # a second press must not start a second job before the first has its thread
    executor.run_next()
    assert results == [7]
    assert busy == [True]
    assert not work.busy
    assert view.said[-1] == ("info", "hello")
    assert "Refining" in view.progress.text


def test_a_stopped_job_says_what_is_kept(work, view, executor):
    results = []
    work.launch(_task, results.append)
    work.cancel()
    executor.run_next()
    assert results == []
    assert view.states[-1] is JobState.CANCELLED
    assert view.said[-1] == ("info", "Stopped; all is kept.")


def test_an_error_is_said(work, view, executor):
    def task():
        yield from ()
        raise RunBusyError("run: busy.")

    work.launch(task, lambda _: None)
    executor.run_next()
    assert view.said[-1] == ("error", "run: busy.")


def test_memory_that_ran_out_comes_with_its_advice(work, view, executor):
    def task():
        yield from ()
        raise MemoryError

    work.launch(task, lambda _: None)
    executor.run_next()
    assert view.said[-1] == ("error", "Memory ran out while counting. Count less.")


def test_a_held_job_goes_on(work, view, executor):
    work.pause()  # there is nothing to hold yet

    def task():
        yield Message(text="one")
        work.pause()
        work.resume()
        yield Message(text="two")

    work.launch(task, lambda _: None)
    executor.run_next()
    states = [JobState.RUNNING, JobState.PAUSED, JobState.RUNNING, JobState.DONE]
    assert view.states[-4:] == states

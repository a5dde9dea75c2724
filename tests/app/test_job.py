"""The job's states: in order, from any thread, and never stuck."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from napari_voxuda._types import Event, Message, Task
from napari_voxuda.app.job import Job, JobState

FOREVER = 30.0
"""Seconds after which a test that hangs gives up; no test passes by waiting for it."""


class Recorder:
    """A task that counts to `count`, and everything that its job tells."""

    def __init__(self, count: int = 3) -> None:
        self.count = count
        self.seen: list[str] = []
        self.closed = 0
        self.react: Callable[[str], Any] = lambda text: None
        self.reached = {state: threading.Event() for state in JobState}
        self.job: Job[int] = Job(self.task, self.on_event, self.on_state)

    def task(self) -> Task[int]:
        try:
            for number in range(self.count):
                yield Message(text=f"event {number}")
        finally:
            self.closed += 1
        return self.count

    def on_event(self, event: Event) -> None:
        assert isinstance(event, Message)
        self.seen.append(event.text)
        self.react(event.text)

    def on_state(self, state: JobState) -> None:
        self.seen.append(state.value)
        self.reached[state].set()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def in_thread(recorder: Recorder) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=recorder.job.run, daemon=True)
    yield thread
    recorder.job.cancel()
    if thread.ident is not None:
        thread.join(FOREVER)
        assert not thread.is_alive()


def test_a_task_runs_to_its_result(recorder: Recorder) -> None:
    assert recorder.job.state is JobState.IDLE
    assert recorder.job.run() is JobState.DONE
    assert recorder.job.result == 3
    assert recorder.job.error is None
    assert recorder.seen == ["running", "event 0", "event 1", "event 2", "done"]
    assert recorder.closed == 1


def test_a_job_runs_only_once(recorder: Recorder) -> None:
    recorder.job.run()
    recorder.seen.clear()
    assert recorder.job.run() is JobState.DONE
    assert recorder.seen == []


def test_cancel_before_start_never_makes_the_task(recorder: Recorder) -> None:
    recorder.job.cancel()
    assert recorder.job.run() is JobState.CANCELLED
    assert recorder.seen == ["cancelled"]
    assert recorder.closed == 0
    assert recorder.job.result is None


def test_cancel_stops_before_the_next_event_and_cleans_up(recorder: Recorder) -> None:
    recorder.react = lambda text: recorder.job.cancel()
    assert recorder.job.run() is JobState.CANCELLED
    assert recorder.seen == ["running", "event 0", "cancelling", "cancelled"]
    assert recorder.closed == 1
    assert recorder.job.result is None
    assert recorder.job.error is None


def test_cancel_after_the_end_changes_nothing(recorder: Recorder) -> None:
    recorder.job.run()
    recorder.job.cancel()
    recorder.job.pause()
    recorder.job.resume()
    assert recorder.job.state is JobState.DONE
    assert recorder.seen[-1] == "done"


def test_pause_holds_the_task_and_resume_lets_it_go_on(
    recorder: Recorder, in_thread: threading.Thread
) -> None:
    recorder.react = lambda text: recorder.job.pause() if text == "event 0" else None
    in_thread.start()
    assert recorder.reached[JobState.PAUSED].wait(FOREVER)
    assert recorder.job.state is JobState.PAUSED
    recorder.seen.append("resume asked")
    recorder.job.resume()
    in_thread.join(FOREVER)
    assert recorder.seen == [
        "running",
        "event 0",
        "paused",
        "resume asked",
        "running",
        "event 1",
        "event 2",
        "done",
    ]


def test_pausing_twice_still_pauses(recorder: Recorder, in_thread: threading.Thread) -> None:
    def pause_twice(text: str) -> None:
        recorder.job.pause()
        recorder.job.pause()

    recorder.react = pause_twice
    in_thread.start()
    assert recorder.reached[JobState.PAUSED].wait(FOREVER)
    in_thread.join(0.2)
    assert in_thread.is_alive()
    assert recorder.seen == ["running", "event 0", "paused"]


def test_cancel_while_paused(recorder: Recorder, in_thread: threading.Thread) -> None:
    recorder.react = lambda text: recorder.job.pause()
    in_thread.start()
    assert recorder.reached[JobState.PAUSED].wait(FOREVER)
    recorder.job.cancel()
    in_thread.join(FOREVER)
    assert recorder.seen == ["running", "event 0", "paused", "cancelling", "cancelled"]
    assert recorder.closed == 1


def test_resume_without_pause_changes_nothing(recorder: Recorder) -> None:
    recorder.job.resume()
    recorder.react = lambda text: recorder.job.resume()
    assert recorder.job.run() is JobState.DONE
    assert "paused" not in recorder.seen


@pytest.mark.parametrize(
    "error", [RuntimeError("CUDA out of memory"), ValueError("no"), KeyboardInterrupt()]
)
def test_an_error_in_the_task_is_kept(error: BaseException) -> None:
    def failing() -> Task[int]:
        yield Message(text="before")
        raise error

    states: list[JobState] = []
    job = Job(failing, lambda event: None, states.append)
    assert job.run() is JobState.FAILED
    assert job.error is error
    assert states == [JobState.RUNNING, JobState.FAILED]


def test_an_error_where_the_task_is_made_is_kept() -> None:
    def no_task() -> Task[int]:
        raise RuntimeError("no task")

    job = Job(no_task, lambda event: None)
    assert job.run() is JobState.FAILED
    assert str(job.error) == "no task"


def test_an_error_in_the_listener_closes_the_task(recorder: Recorder) -> None:
    def break_down(text: str) -> None:
        raise LookupError("listener")

    recorder.react = break_down
    assert recorder.job.run() is JobState.FAILED
    assert isinstance(recorder.job.error, LookupError)
    assert recorder.closed == 1


def test_an_error_while_closing_fails_a_cancelled_job() -> None:
    def unclean() -> Task[int]:
        try:
            yield Message(text="once")
            yield Message(text="never")
        finally:
            raise OSError("disk full")
        return 0

    job: Job[int] = Job(unclean, lambda event: job.cancel())
    assert job.run() is JobState.FAILED
    assert str(job.error) == "disk full"


def test_a_cancel_from_the_state_listener_is_obeyed(recorder: Recorder) -> None:
    def listen(state: JobState) -> None:
        recorder.on_state(state)
        if state is JobState.RUNNING:
            job.cancel()

    job: Job[int] = Job(recorder.task, recorder.on_event, listen)
    assert job.run() is JobState.CANCELLED
    assert recorder.seen == ["running", "cancelling", "cancelled"]


def test_states_are_told_in_the_order_in_which_they_came() -> None:
    # The listener is slow to hear of the pause, and another thread cancels the job meanwhile.
    seen: list[JobState] = []
    in_event, may_go_on = threading.Event(), threading.Event()
    canceller = threading.Thread(target=lambda: job.cancel(), daemon=True)

    def listen(state: JobState) -> None:
        if state is JobState.PAUSED:
            canceller.start()
            may_go_on.set()
            runner.join(0.2)
        seen.append(state)

    def on_event(event: Event) -> None:
        in_event.set()
        may_go_on.wait(FOREVER)

    job: Job[int] = Job(Recorder().task, on_event, listen)
    runner = threading.Thread(target=job.run, daemon=True)
    runner.start()
    assert in_event.wait(FOREVER)
    job.pause()
    runner.join(FOREVER)
    assert seen == [JobState.RUNNING, JobState.PAUSED, JobState.CANCELLING, JobState.CANCELLED]

from __future__ import annotations

from napari_voxuda.app.job import JobState
from napari_voxuda.app.running import InlineExecutor, LatestOnly, single_step


def _later(value):
    return lambda: value


def test_an_inline_executor_reports_states_and_the_end():
    states, ends = [], []
    job = InlineExecutor().start(
        lambda: single_step(lambda: 7),
        on_event=lambda event: None,
        on_state=states.append,
        on_end=ends.append,
    )
    assert states == [JobState.RUNNING, JobState.DONE]
    assert ends == [job]
    assert job.result == 7


def test_requests_that_wait_when_a_newer_one_comes_are_dropped(executor):
    results = []
    latest = LatestOnly(executor, results.append, results.append)
    for value in (1, 2, 3):
        latest.request(_later(value))
    assert len(executor.waiting) == 1
    executor.run_all()
    assert results == [1, 3]
    assert not latest.busy


def test_forgotten_work_is_not_reported(executor):
    results = []
    latest = LatestOnly(executor, results.append, results.append)
    latest.request(_later(1))
    latest.request(_later(2))
    latest.forget()
    executor.run_all()
    assert results == []
    latest.request(_later(3))
    executor.run_all()
    assert results == [3]


def test_an_error_is_reported_and_the_next_request_still_runs(executor):
    results, errors = [], []
    latest = LatestOnly(executor, results.append, errors.append)

    def fail():
        raise RuntimeError("out of memory")

    latest.request(fail)
    latest.request(_later(2))
    executor.run_all()
    assert [str(e) for e in errors] == ["out of memory"]
    assert results == [2]

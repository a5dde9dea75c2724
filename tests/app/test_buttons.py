from __future__ import annotations

import pytest

from napari_voxuda.app.buttons import STATE_WORDS, Buttons, buttons_for
from napari_voxuda.app.job import JobState

_START = {"start": True, "pause": False, "resume": False, "stop": False}
_EXPECTED = {
    JobState.IDLE: _START,
    JobState.RUNNING: {"start": False, "pause": True, "resume": False, "stop": True},
    JobState.PAUSED: {"start": False, "pause": False, "resume": True, "stop": True},
    JobState.CANCELLING: {"start": False, "pause": False, "resume": False, "stop": False},
    JobState.CANCELLED: _START,
    JobState.DONE: _START,
    JobState.FAILED: _START,
}


@pytest.mark.parametrize("state", list(JobState))
def test_buttons_are_a_function_of_the_state(state):
    assert buttons_for(state) == Buttons(**_EXPECTED[state])


@pytest.mark.parametrize("state", list(JobState))
def test_an_ended_run_on_disk_can_be_resumed_and_a_running_one_not(state):
    changed = buttons_for(state, resumable=True)
    assert changed.resume == (not state.is_active or state is JobState.PAUSED)
    assert changed.start == buttons_for(state).start


def test_every_state_has_words():
    assert set(STATE_WORDS) == set(JobState)

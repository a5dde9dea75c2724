from __future__ import annotations

import pytest

from napari_voxuda.app.buttons import STATE_WORDS, buttons_for
from napari_voxuda.app.job import JobState
from napari_voxuda.app.pace import ProgressLine
from napari_voxuda.gui.job_bar import JobBar


@pytest.fixture
def bar(qtbot):
    bar = JobBar("Start", start_tip="Begin.", stop_tip="End.")
    qtbot.addWidget(bar)
    return bar


@pytest.mark.parametrize("state", list(JobState))
def test_buttons_and_words_follow_the_state(bar, state):
    bar.show_state(state)
    flags = buttons_for(state)
    shown = (bar.start_button, bar.pause_button, bar.resume_button, bar.stop_button)
    assert [b.isEnabled() for b in shown] == [flags.start, flags.pause, flags.resume, flags.stop]
    assert bar.state_label.text() == STATE_WORDS[state]


def test_resume_is_offered_for_a_run_on_disk(bar):
    bar.set_resumable(True)
    assert bar.resume_button.isEnabled()
    bar.show_state(JobState.RUNNING)
    assert not bar.resume_button.isEnabled()


def test_progress_is_shown_while_running_only(bar):
    line = ProgressLine(text="step 3 of 10", done=3, total=10)
    bar.show_progress(line)
    assert bar.state_label.text() == "Ready"
    bar.show_state(JobState.RUNNING)
    assert (bar.progress.minimum(), bar.progress.maximum()) == (0, 0)
    bar.show_progress(line)
    assert bar.state_label.text() == "Running: step 3 of 10"
    assert (bar.progress.value(), bar.progress.maximum()) == (3, 10)
    bar.show_state(JobState.PAUSED)
    assert bar.progress.value() == 3
    assert bar.state_label.text() == "Paused: step 3 of 10"
    bar.show_state(JobState.CANCELLED)
    assert bar.state_label.text() == "Stopped"


def test_buttons_report_intentions(bar, qtbot):
    for state, button, signal in (
        (JobState.IDLE, bar.start_button, bar.started),
        (JobState.RUNNING, bar.pause_button, bar.paused),
        (JobState.PAUSED, bar.resume_button, bar.resumed),
        (JobState.PAUSED, bar.stop_button, bar.stopped),
    ):
        bar.show_state(state)
        with qtbot.waitSignal(signal):
            button.click()

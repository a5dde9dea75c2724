from __future__ import annotations

import io
import re

from napari_voxuda._types import Event, Message, Progress
from napari_voxuda.adaptation.events import Alarm, StepDone
from napari_voxuda.cli.bars import Bars


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _shown(*events: Event) -> str:
    terminal = _Terminal()
    with Bars(terminal) as bars:
        for event in events:
            bars.show(event)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())


def test_each_stage_has_a_bar_with_its_count() -> None:
    text = _shown(
        Progress(stage="Reading", done=1, total=1),
        Progress(stage="Segmenting [0, 1]", done=3, total=8),
    )
    assert "Reading" in text
    assert "1/1" in text
    assert "Segmenting [0, 1]" in text
    assert "3/8" in text


def test_a_stage_that_begins_again_gets_its_own_bar() -> None:
    text = _shown(
        Progress(stage="Reading", done=7, total=7),
        Progress(stage="Reading", done=2, total=9),
    )
    last = text.splitlines()[-2:]
    assert "7/7" in last[0]
    assert "2/9" in last[1]


def test_messages_are_shown_as_written() -> None:
    text = _shown(Message(text="See [a/b] first."), Message(text="Voxel size 0.", level="warning"))
    assert "See [a/b] first." in text
    assert "Warning: Voxel size 0." in text


def test_an_alarm_is_a_warning() -> None:
    alarm = Alarm(step=3, kind="not finite", text="Step 3 [a].", restored_step=0)
    assert "Warning: Step 3 [a]." in _shown(alarm)


def test_a_step_shows_loss_and_coverage() -> None:
    event = StepDone(
        step=5,
        total=20,
        losses={"total": 1.23456},
        coverage=0.25,
        foreground=0.5,
        learning_rate=1e-3,
        seconds_per_step=0.5,
    )
    text = _shown(event)
    assert "Adapting" in text
    assert "5/20" in text
    assert "loss 1.235" in text.replace("\n", " ")


def test_an_event_without_a_picture_is_passed_over() -> None:
    assert "Event" not in _shown(Event())

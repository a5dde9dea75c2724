from __future__ import annotations

from napari_voxuda._types import Progress
from napari_voxuda.app.pace import Pace


def test_time_left_follows_from_the_stage_s_own_progress():
    now = [100.0]
    pace = Pace(clock=lambda: now[0])
    first = pace.line(Progress(stage="Segmenting", done=0, total=10))
    assert first.text == "Segmenting, 0 of 10"
    now[0] = 110.0
    line = pace.line(Progress(stage="Segmenting", done=2, total=10))
    assert line.text == "Segmenting, 2 of 10, 40 s left"
    assert (line.done, line.total) == (2, 10)


def test_a_new_stage_starts_its_own_estimate():
    now = [0.0]
    pace = Pace(clock=lambda: now[0])
    pace.line(Progress(stage="Reading", done=0, total=2))
    now[0] = 50.0
    assert "left" not in pace.line(Progress(stage="Segmenting", done=0, total=2)).text


def test_the_end_has_no_time_left():
    now = [0.0]
    pace = Pace(clock=lambda: now[0])
    pace.line(Progress(stage="Reading", done=0, total=2))
    now[0] = 5.0
    assert pace.line(Progress(stage="Reading", done=2, total=2)).text == "Reading, 2 of 2"

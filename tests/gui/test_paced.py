from __future__ import annotations

from functools import partial

import pytest

from napari_voxuda.gui.paced import Paced


@pytest.fixture
def drawn():
    return []


@pytest.fixture
def paced(qapp):
    paced = Paced(qapp, every_ms=50)
    yield paced
    paced.forget()
    paced.setParent(None)


def test_the_first_report_is_drawn_at_once_and_the_last_of_many_with_the_beat(qtbot, paced, drawn):
    paced.show("step", partial(drawn.append, 1))
    qtbot.waitUntil(lambda: drawn == [1])
    for step in range(2, 100):
        paced.show("step", partial(drawn.append, step))
    assert drawn == [1]
    qtbot.waitUntil(lambda: len(drawn) > 1)
    assert drawn == [1, 99]


def test_reports_of_different_kinds_are_drawn_together(qtbot, paced, drawn):
    for name in ("step", "preview", "step"):
        paced.show(name, partial(drawn.append, name))
    qtbot.waitUntil(lambda: bool(drawn))
    assert drawn == ["step", "preview"]


def test_what_waits_is_drawn_by_a_flush_and_only_once(qtbot, paced, drawn):
    paced.show("step", partial(drawn.append, 1))
    paced.flush()
    assert drawn == [1]
    qtbot.waitUntil(lambda: not paced._timer.isActive())  # and the pace rests without reports
    assert drawn == [1]


def test_what_is_forgotten_is_not_drawn(qtbot, paced, drawn):
    paced.show("step", partial(drawn.append, 1))
    paced.forget()
    qtbot.waitUntil(lambda: not paced._timer.isActive())
    assert drawn == []

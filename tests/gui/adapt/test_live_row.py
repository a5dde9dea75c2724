from __future__ import annotations

import pytest

from napari_voxuda.gui.adapt.live_row import LiveRow


@pytest.fixture
def row(qtbot):
    row = LiveRow()
    qtbot.addWidget(row)
    return row


def test_there_is_no_slider_without_snapshots(row):
    assert row.slider.isHidden()
    assert row.moment.isHidden()
    assert row.note.isHidden()
    assert row.wanted()


def test_moments_are_shown_without_being_told_and_told_when_chosen(row, qtbot):
    told = []
    row.chosen.connect(told.append)
    row.show_moments(["Step 2 of 6", "Step 4 of 6", "Now"], 2)
    assert not row.slider.isHidden()
    assert (row.slider.maximum(), row.moment.text(), told) == (2, "Now", [])
    row.slider.setValue(0)
    assert (row.moment.text(), told) == ("Step 2 of 6", [0])
    row.show_moments(["Step 2 of 6", "Step 4 of 6", "Step 6 of 6", "Now"], 0)
    assert (row.moment.text(), told) == ("Step 2 of 6", [0])


def test_switching_off_greys_the_slider(row):
    told = []
    row.wanted_changed.connect(lambda: told.append(row.wanted()))
    row.show_moments(["Step 2 of 6"], 0)
    row.switch_off()
    assert not row.slider.isEnabled()
    row.box.setChecked(True)
    assert row.slider.isEnabled()
    assert told == [False, True]


def test_fields_explain_themselves(row):
    for widget in (row.box, row.slider):
        assert widget.toolTip()
        assert widget.accessibleName()
    row.show_note("Here.")
    assert not row.note.isHidden()

"""The dock *Vox-UDA domain gap* in a real viewer, opened from *Vox-UDA adapt*."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QBoxLayout

_TIMEOUT = 120_000  # milliseconds; a bound for a broken test, not a measure of speed
_GAP = "Vox-UDA domain gap"


@pytest.fixture
def until(qtbot):
    return lambda condition: qtbot.waitUntil(lambda: bool(condition()), timeout=_TIMEOUT)


def _dock(viewer, name):
    return viewer.window.add_plugin_dock_widget("napari-voxuda", name)[1]


def _small(adapt):
    for name, value in {"count": 4, "box": 16, "neighbours": 0}.items():
        adapt.source.form.fields[name].setValue(value)
    adapt.target.contrast_box.setCurrentIndex(adapt.target.contrast_box.findData("dark"))
    return adapt


@pytest.fixture
def adapt(viewer):
    return _small(_dock(viewer, "Vox-UDA adapt"))


def test_one_button_shows_the_gap_of_the_run_that_would_start(viewer, adapt, until):
    adapt.source.gap_button.click()
    gap = _dock(viewer, _GAP)
    until(lambda: gap.bar.state_label.text() == "Done" and not gap.body.isHidden())
    assert gap.headline.text().startswith("Before matching, the source")
    assert "Target: tomo." in gap.meaning.text()
    frequency, power = gap.plots.line("spectra", "target")
    np.testing.assert_allclose(frequency, np.arange(1, 9) / 16 / 12)
    assert len(power) == 8
    assert max(gap.plots.line("histogram", "matched")[1]) > 0.1
    assert gap.pictures.pictures["residual"].pixmap().width() == 128
    assert "noise over the target" in gap.table.text()
    # Without noise there is nothing after matching.
    adapt.training.form.fields["noise"].setValue("none")
    gap.bar.start_button.click()
    until(lambda: "add no noise" in gap.headline.text())
    assert gap.plots.line("spectra", "matched") == ([], [])
    assert gap.pictures.pictures["matched"].isHidden()
    assert "after&nbsp;matching" not in gap.plots._legends["spectra"].text()


def test_opened_by_itself_it_opens_the_dock_that_it_measures(viewer, until):
    gap = _dock(viewer, _GAP)
    assert gap.body.isHidden()
    gap.bar.start_button.click()
    _small(_dock(viewer, "Vox-UDA adapt"))
    assert gap.controller.work.busy
    gap.bar.stop_button.click()
    until(lambda: not gap.controller.work.busy)
    gap.bar.start_button.click()
    until(lambda: not gap.body.isHidden())


def test_wrong_inputs_are_said_and_the_dock_goes_on(viewer, adapt, until):
    adapt.source.kind_box.setCurrentIndex(adapt.source.kind_box.findData("files"))
    adapt.source.gap_button.click()
    gap = _dock(viewer, _GAP)
    assert "Source: files were wanted" in gap.notice.text()
    assert gap.bar.start_button.isEnabled()


def test_closing_the_viewer_while_it_measures_raises_nothing(viewer, adapt, until):
    adapt.source.gap_button.click()
    gap = _dock(viewer, _GAP)
    job = gap.controller.work._job
    viewer.close()
    until(lambda: not job.state.is_active)


def test_it_stacks_where_it_is_narrow_and_follows_the_theme(viewer, adapt, until):
    adapt.source.gap_button.click()
    gap = _dock(viewer, _GAP)
    until(lambda: not gap.body.isHidden())
    assert gap.minimumSizeHint().width() <= 320
    wrapper = viewer.window._wrapped_dock_widgets[f"{_GAP} (napari-voxuda)"]
    wrapper.setFloating(True)
    for width, direction in (
        (330, QBoxLayout.Direction.TopToBottom),
        (900, QBoxLayout.Direction.LeftToRight),
    ):
        wrapper.resize(width, 600)
        until(lambda direction=direction: gap._row.direction() == direction)
    palette = gap.plots.palette()
    palette.setColor(QPalette.ColorRole.WindowText, QColor("#123456"))
    palette.setColor(QPalette.ColorRole.Window, QColor("#fedcba"))
    gap.plots.setPalette(palette)
    assert gap.plots._lines["spectra", "target"].opts["pen"].color() == QColor("#123456")
    assert gap.plots._plots["histogram"].backgroundBrush().color() == QColor("#fedcba")

"""What every dock owes its user, tested on all docks of the manifest, those to come included."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from npe2 import PluginManifest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QScrollBar,
    QTextEdit,
    QWidget,
)
from superqt import QElidingLabel

import napari_voxuda
from napari_voxuda._napari.export import open_export_window
from napari_voxuda._params import parameters
from napari_voxuda.app.export.choice import ExportOffer
from napari_voxuda.gui.config_form import ConfigForm
from napari_voxuda.gui.field import Field
from napari_voxuda.gui.frame import Group
from napari_voxuda.gui.layer_box import LayerBox

_MANIFEST = PluginManifest.from_file(Path(napari_voxuda.__file__).with_name("napari.yaml"))
_DOCKS = [widget.display_name for widget in _MANIFEST.contributions.widgets]
_WITH_MEMORY = [name for name in _DOCKS if name != "Vox-UDA domain gap"]
_EXPORT = "Export masks"  # a window of its own, which owes the same
_NARROW = 300
_TITLE_BAR = 40
_ARROW = 34  # of a choice, with the margins of its text
_BELOW = 100_000
_INPUTS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
)
_WHOLE = (QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QPlainTextEdit)


@pytest.fixture(params=[*_DOCKS, _EXPORT])
def dock(request, make_napari_viewer, tomogram_file):
    """Each dock in a window of 1366 by 768 pixels, all its groups unfolded."""
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1366, 768)
    viewer.open(tomogram_file, plugin="napari-voxuda")
    dock = _opened(viewer, request.param)
    for group in dock.findChildren(Group):
        group.expand()
    dock.viewer_of_test = viewer
    _settle()
    return dock


def _opened(viewer, name) -> QWidget:
    """Open a dock, or the export window with every format ticked, so that it shows every option."""
    if name != _EXPORT:
        return viewer.window.add_plugin_dock_widget("napari-voxuda", name)[1]
    image = viewer.layers[0]
    ones = np.ones(image.data.shape, np.uint8)
    labels = viewer.add_labels(ones, name="a mask", scale=image.scale, units=image.units)
    window = open_export_window(viewer, ExportOffer(layers=(labels.unique_id,)))
    for box in window.options.format_boxes.values():
        box.setChecked(True)
    window.controller.changed()
    return window


def _settle() -> None:
    for _ in range(4):
        QApplication.processEvents()


def _inputs(dock: QWidget) -> list[QWidget]:
    """Return what the user can operate, without the parts of which Qt makes it."""

    def is_part(widget: QWidget) -> bool:
        parent = widget.parentWidget()
        while parent is not None and parent is not dock:
            if isinstance(parent, _WHOLE):
                return True
            parent = parent.parentWidget()
        return False

    return [
        widget
        for widget in dock.findChildren(QWidget)
        if isinstance(widget, _INPUTS)
        and not isinstance(widget, QScrollBar)
        and not is_part(widget)
    ]


def _name(widget: QWidget) -> str:
    """Return what a screen reader calls an input: of a button its text serves, where it is a word."""
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return widget.accessibleName() or (text if any(c.isalpha() for c in text) else "")


def _words(widget: QWidget) -> str:
    text = getattr(widget, "text", str)
    return f"{type(widget).__name__} {widget.accessibleName() or text()!r}"


def _choices(dock: QWidget):
    """Go through the entries of each choice, which may bring other inputs into sight."""
    yield
    for box in dock.findChildren(QComboBox):
        if isinstance(box, LayerBox):
            continue
        before = box.currentIndex()
        for index in range(box.count()):
            box.setCurrentIndex(index)
            yield
        box.setCurrentIndex(before)


def test_every_input_tells_what_it_does(dock):
    silent = [_words(widget) for widget in _inputs(dock) if not widget.toolTip()]
    assert not silent


def test_every_setting_shows_the_help_of_its_declaration(dock):
    for form in dock.findChildren(ConfigForm):
        declared = parameters(form.value())
        for name, field in form.fields.items():
            assert declared[name].help in field.toolTip()
            assert all(widget.toolTip() for widget in _inputs(field)), name


def test_every_input_has_a_name_of_its_own_for_screen_readers(dock):
    assert not [_words(widget) for widget in _inputs(dock) if not _name(widget)]
    for _ in _choices(dock):
        _settle()
        shown = [widget for widget in _inputs(dock) if widget.isVisible()]
        names = Counter((type(widget).__name__, _name(widget)) for widget in shown)
        assert not [name for name, count in names.items() if count > 1]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_is_cut_off_in_a_narrow_dock(qtbot, dock, theme):
    dock.viewer_of_test.theme = theme
    dock.setFixedWidth(_NARROW)
    for _ in _choices(dock):
        _settle()
        assert dock.width() == _NARROW
        for area in dock.findChildren(QScrollArea):
            assert area.widget().width() <= area.viewport().width()
        with suppress(
            qtbot.TimeoutError
        ):  # what a worker found out may just have come, to be laid out
            qtbot.waitUntil(lambda: not _cut(dock), timeout=3000)
        assert not _cut(dock)


def _cut(dock: QWidget) -> list[str]:
    return [_words(w) + _lack(w) for w in dock.findChildren(QWidget) if w.isVisible() and _lack(w)]


def _lack(widget: QWidget) -> str:
    """Say what a widget lacks of the room that it needs; an empty text where it lacks nothing."""
    wanted = widget.minimumSizeHint()
    if isinstance(widget, QPushButton | QCheckBox) and not isinstance(widget.parent(), Group):
        wanted = widget.sizeHint()
    if isinstance(widget, QLabel) and not isinstance(widget, QElidingLabel):
        if widget.wordWrap():
            lines = widget.heightForWidth(widget.width())
            return f": {widget.height()} of {lines} px high" if lines > widget.height() else ""
        wanted = widget.sizeHint()
    if type(widget).__name__ == "SliderLabel" or isinstance(widget.parent(), QAbstractSpinBox):
        wanted.setWidth(widget.fontMetrics().horizontalAdvance(widget.text()))
    elif isinstance(widget, QComboBox) and not isinstance(widget, LayerBox):
        wanted.setWidth(widget.fontMetrics().horizontalAdvance(widget.currentText()) + _ARROW)
    elif isinstance(widget, QAbstractSpinBox | QScrollBar | LayerBox | Field):
        return ""  # the hint is for the longest number or name that could be there
    if widget.width() < wanted.width():
        return f": {widget.width()} of {wanted.width()} px wide"
    return ""


def test_a_dock_fits_a_small_screen(dock):
    window = dock.viewer_of_test.window._qt_window
    assert (window.width(), window.height()) == (1366, 768)
    if dock.isWindow():
        assert dock.width() <= 1366
        assert dock.height() <= 768 - _TITLE_BAR
        return
    below = dock.mapTo(window, QPoint(0, dock.height())).y()
    assert below <= 768  # what does not scroll, such as the buttons, is in sight
    assert dock.visibleRegion().boundingRect().height() == dock.height()


def test_the_tab_key_goes_down_the_dock(dock):
    for _ in _choices(dock):
        _settle()
        order = _tab_order(dock)
        assert order
        for one, next_one in pairwise(order):
            a, b = _place(dock, one), _place(dock, next_one)
            same_row = a.top() < b.center().y() < a.bottom()
            ahead = b.left() >= a.left() if same_row else b.center().y() > a.center().y()
            next_column = one.parentWidget() is next_one.parentWidget() and b.left() > a.left()
            assert ahead or next_column, f"{_words(one)} → {_words(next_one)}"


def _tab_order(dock: QWidget) -> list[QWidget]:
    inputs = {id(widget) for widget in _inputs(dock)}
    order, widget = [], dock.nextInFocusChain()
    while widget is not dock:
        takes_tab = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        if id(widget) in inputs and takes_tab and widget.isVisible() and widget.isEnabled():
            order.append(widget)
        widget = widget.nextInFocusChain()
    return order


def _place(dock: QWidget, widget: QWidget):
    rect = widget.rect()
    rect.moveTopLeft(widget.mapTo(dock, QPoint(0, 0)))
    if not any(isinstance(parent, QScrollArea) for parent in _parents(widget)):
        rect.translate(0, _BELOW)  # the column scrolls, the buttons stay below it
    return rect


def _parents(widget: QWidget):
    while (widget := widget.parentWidget()) is not None:
        yield widget


def test_no_button_is_told_by_its_colour_alone(dock):
    buttons = dock.findChildren(QAbstractButton)
    bare = [b for b in buttons if not b.icon().isNull() and not (b.text() or b.toolTip())]
    assert not bare


_CHOSEN = {"Device": "cpu", "Colours": "one"}  # a choice of each dock, and another value of it


def _remembered(dock: QWidget) -> QComboBox:
    return next(b for b in dock.findChildren(QComboBox) if b.accessibleName() in _CHOSEN)


def test_what_has_no_memory_has_nothing_to_remember(dock):
    if not hasattr(dock, "memory"):
        assert dock.isWindow() or not dock.findChildren(QComboBox)


@pytest.mark.parametrize("dock", _WITH_MEMORY, indirect=True)
def test_a_dock_begins_with_what_was_chosen_last_and_can_be_reset(qtbot, dock):
    box = _remembered(dock)
    first, other = box.currentData(), _CHOSEN[box.accessibleName()]
    assert first != other
    box.setCurrentIndex(box.findData(other))
    viewer, name = dock.viewer_of_test, dock.accessibleName()
    viewer.window.remove_dock_widget(dock)
    with qtbot.waitSignal(dock.destroyed):
        dock.deleteLater()
    again = viewer.window.add_plugin_dock_widget("napari-voxuda", name)[1]
    box = _remembered(again)
    assert box.currentData() == other
    again.defaults_button.click()
    assert box.currentData() == first

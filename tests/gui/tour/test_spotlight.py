from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from napari_voxuda.gui.frame import DockFrame, Group
from napari_voxuda.gui.tour.spotlight import Spotlight


@pytest.fixture
def window(qtbot):
    window = DockFrame()
    qtbot.addWidget(window)
    window.group = Group("Folded", expanded=False)
    for _ in range(40):
        window.group.addWidget(QPushButton("above"))
    window.button = QPushButton("below")
    window.group.addWidget(window.button)
    window.column.addWidget(window.group)
    window.resize(320, 300)
    window.show()
    qtbot.waitExposed(window)
    return window


def test_it_unfolds_and_scrolls_to_what_it_frames(qtbot, window):
    spot = Spotlight(window)
    spot.point_at(window.button)
    assert window.group.isExpanded()
    qtbot.waitUntil(spot.isVisible)
    place = window.button.mapTo(window, window.button.rect().center())
    qtbot.waitUntil(lambda: spot.geometry().contains(place))
    spot.point_at(None)
    assert not spot.isVisible()


def test_clicks_go_through_it(qtbot, window):
    spot = Spotlight(window)
    spot.point_at(window.button)
    assert spot.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    assert spot.focusPolicy() == Qt.FocusPolicy.NoFocus


def test_it_goes_when_its_target_goes(qtbot, window):
    spot = Spotlight(window)
    spot.point_at(window.button)
    with qtbot.waitSignal(window.button.destroyed):
        window.button.deleteLater()
    assert spot.target() is None
    assert not spot.isVisible()

from __future__ import annotations

from qtpy.QtWidgets import QFormLayout, QLabel, QWidget

from napari_voxuda.gui.wrapping import let_wrap


def test_a_label_added_to_a_shown_form_gets_the_height_of_all_its_lines(qtbot):
    outer = QWidget()
    qtbot.addWidget(outer)
    rows = QFormLayout(outer)
    outer.resize(200, 400)
    outer.show()
    label = QLabel("words that break into several lines where there is no more room than this")
    let_wrap(label)
    rows.addRow("Name", label)
    qtbot.waitUntil(lambda: label.height() >= label.heightForWidth(label.width()) > 30)
    assert rows.hasHeightForWidth()

from __future__ import annotations

from qtpy.QtWidgets import QFormLayout, QLabel, QWidget

from napari_voxuda.gui.wrapping import breakable, let_wrap


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


def test_a_long_name_breaks_into_lines_and_nothing_else_changes(qtbot):
    name = "TS_01_aligned_bin4_denoised_corrected_again"
    words = breakable(f"Protein is dark in {name}.")
    assert words.replace("\u200b", "") == f"Protein is dark in {name}."
    heights = []
    for text in (name, breakable(name)):
        label = QLabel(text)
        qtbot.addWidget(label)
        let_wrap(label)
        heights.append(label.heightForWidth(100))
    assert heights[1] >= 2 * heights[0]

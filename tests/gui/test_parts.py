from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QColor, QPalette, QWheelEvent
from qtpy.QtWidgets import QApplication, QLabel

from napari_voxuda.adaptation.events import Alarm, Preview, StepDone
from napari_voxuda.app.scene import LayerChoice
from napari_voxuda.errors import InputError
from napari_voxuda.gui.adapt.plots import CurvePanel
from napari_voxuda.gui.adapt.progress_group import MessageLog, PreviewPair, ProgressGroup
from napari_voxuda.gui.adapt.source_group import SourceGroup
from napari_voxuda.gui.adapt.training_group import TrainingGroup
from napari_voxuda.gui.frame import DOCK_WIDTH, DockFrame, Group, Notice
from napari_voxuda.gui.inputs import FloatBox
from napari_voxuda.gui.layer_box import LayerBox
from napari_voxuda.gui.path_row import PathRow


def _step(step):
    return StepDone(
        step=step,
        total=10,
        losses={"total": 2.0 / step, "segmentation": 1.0 / step},
        coverage=0.5,
        foreground=0.02,
        learning_rate=1e-3,
        seconds_per_step=1.0,
    )


def test_a_group_folds(qtbot):
    group = Group("Target", expanded=False)
    inner = QLabel("inside")
    group.addWidget(inner)
    qtbot.addWidget(group)
    group.show()
    assert not inner.isVisible()
    group.heading.click()
    assert group.isExpanded()
    assert inner.isVisible()


def test_a_notice_marks_its_level_in_words_or_signs(qtbot):
    notice = Notice()
    qtbot.addWidget(notice)
    notice.say("Careful.", "warning")
    assert notice.text() == "⚠ Warning: Careful."
    notice.say("")
    assert notice.isHidden()


def test_a_part_that_was_just_shown_is_scrolled_into_sight(qtbot):
    dock = DockFrame()
    qtbot.addWidget(dock)
    above, note = QLabel("above"), QLabel("note")
    above.setFixedHeight(2000)
    dock.column.addWidget(above)
    dock.column.addWidget(note)
    above.hide()
    dock.resize(DOCK_WIDTH, 400)
    dock.show()
    above.show()
    dock.scroll_to(note)
    qtbot.waitUntil(lambda: not note.visibleRegion().isEmpty())


def test_one_step_is_seen_in_the_curves(qtbot):
    panel = CurvePanel()
    qtbot.addWidget(panel)
    panel.add(_step(1))
    qtbot.waitUntil(lambda: "total" in panel._lines)
    assert panel._lines["total"].opts["symbol"] == "o"
    panel.add(_step(2))
    qtbot.waitUntil(lambda: panel._lines["total"].opts["symbol"] is None)


def test_a_layer_box_keeps_its_choice_while_layers_come_and_go(qtbot):
    box = LayerBox("Tomogram", "tip", none_text="None")
    qtbot.addWidget(box)
    a, b = LayerChoice(key="a", name="A"), LayerChoice(key="b", name="B")
    box.show_choices([a, b])
    assert box.key() is None
    box.set_key("b")
    box.show_choices([LayerChoice(key="c", name="C"), a, LayerChoice(key="b", name="renamed")])
    assert (box.key(), box.currentText()) == ("b", "renamed")
    with qtbot.waitSignal(box.chosen):
        box.show_choices([a])
    assert box.key() is None


def test_the_wheel_scrolls_the_dock_and_changes_no_value(qtbot):
    box = FloatBox()
    qtbot.addWidget(box)
    box.setValue(1.0)
    event = QWheelEvent(
        QPointF(1, 1),
        QPointF(1, 1),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(box, event)
    assert box.value() == 1.0


def test_a_path_row_shows_and_forgets(qtbot, tmp_path):
    row = PathRow("Choose…", "tip", "nothing", lambda parent, title: [tmp_path, tmp_path])
    qtbot.addWidget(row)
    assert row.path() is None
    row.button.click()
    assert row.paths() == [tmp_path, tmp_path]
    assert "1 more" in row.label.text()
    row.clear_button.click()
    assert row.paths() == []
    assert row.label.text() == "nothing"


def test_giving_up_a_choice_keeps_the_old_one(qtbot, tmp_path):
    row = PathRow("Choose…", "tip", "nothing", lambda parent, title: [])
    qtbot.addWidget(row)
    row.set_paths([tmp_path])
    row.button.click()
    assert row.path() == tmp_path


def test_curves_are_drawn_and_cleared(qtbot):
    panel = CurvePanel()
    qtbot.addWidget(panel)
    for step in (1, 2, 3):
        panel.add(_step(step))
    assert panel.points("total") == ([1, 2, 3], [2.0, 1.0, 2.0 / 3])
    assert panel.points("coverage") == ([1, 2, 3], [50.0] * 3)
    qtbot.waitUntil(lambda: bool(panel._plots))
    np.testing.assert_array_equal(panel._lines["total"].xData, [1, 2, 3])
    panel.clear()
    assert panel.points("total") == ([], [])


def test_an_alarm_stays_in_sight_and_is_marked_until_the_next_run(qtbot):
    group = ProgressGroup()
    qtbot.addWidget(group)
    group.expand()
    group.show()
    assert not group.alert.isVisible()
    for step in (2, 3):
        group.show_step(_step(step))
        text = f"Step {step}, all background."
        group.show_alarm(Alarm(step=step, kind="all background", text=text, restored_step=1))
    assert group.alert.text() == "⚠ Warning: Alarm 2 of this run. Step 3, all background."
    qtbot.waitUntil(lambda: len(group.curves._marks) == 4)
    assert [line.value() for _, line in group.curves._marks] == [2, 2, 3, 3]
    group.show_step(_step(4))
    assert group.alert.isVisible()
    plots = [plot for plot, _ in group.curves._marks[:2]]
    lines = [line for _, line in group.curves._marks]
    group.clear()
    assert not group.alert.isVisible()
    assert not any(line in plot.getPlotItem().items for plot in plots for line in lines)
    group.show_alarm(Alarm(step=2, kind="not finite", text="Step 2.", restored_step=1))
    assert group.alert.text() == "⚠ Warning: Step 2."


def test_terms_that_a_run_does_not_use_are_left_out(qtbot):
    panel = CurvePanel()
    qtbot.addWidget(panel)
    panel.show()
    step = _step(1)
    panel.add(replace(step, losses={**step.losses, "pseudo": 0.0}, coverage=0.0, foreground=0.0))
    qtbot.waitUntil(lambda: bool(panel._plots))
    assert panel._lines["total"].isVisible()
    assert not panel._lines["pseudo"].isVisible()
    assert [plot.isVisible() for plot in panel._plots] == [True, False]
    legends = [label.text() for label, _ in panel._legends]
    assert "segmentation" in legends[0]
    assert "pseudo" not in legends[0]
    panel.add(_step(2))
    qtbot.waitUntil(panel._plots[1].isVisible)


def test_curves_follow_the_theme(qtbot):
    panel = CurvePanel()
    qtbot.addWidget(panel)
    panel.add(_step(1))
    qtbot.waitUntil(lambda: bool(panel._plots))
    palette = panel.palette()
    palette.setColor(QPalette.ColorRole.WindowText, QColor("#123456"))
    palette.setColor(QPalette.ColorRole.Window, QColor("#fedcba"))
    panel.setPalette(palette)
    assert panel._lines["total"].opts["pen"].color() == QColor("#123456")
    assert panel._plots[0].backgroundBrush().color() == QColor("#fedcba")


def test_a_preview_is_shown_with_its_step(qtbot):
    pair = PreviewPair()
    qtbot.addWidget(pair)
    image = np.linspace(-1, 1, 24, dtype=np.float32).reshape(4, 6)
    pair.show_preview(Preview(step=20, image=image, probability=np.abs(image)))
    assert "Step 20" in pair.caption.text()
    assert not pair.image.pixmap().isNull()


def test_a_constant_preview_is_no_error(qtbot):
    pair = PreviewPair()
    qtbot.addWidget(pair)
    flat = np.zeros((4, 4), np.float32)
    pair.show_preview(Preview(step=1, image=flat, probability=flat))


def test_messages_name_warnings(qtbot):
    log = MessageLog()
    qtbot.addWidget(log)
    log.add("Fine.")
    log.add("Careful.", "warning")
    assert log.toPlainText() == "Fine.\nWarning: Careful."


def test_a_source_of_files_needs_files(qtbot, tmp_path):
    group = SourceGroup()
    qtbot.addWidget(group)
    assert group.value().kind == "phantom"
    group.kind_box.setCurrentIndex(group.kind_box.findData("files"))
    with pytest.raises(InputError, match="got none"):
        group.value()
    structure = tmp_path / "a.pdb"
    structure.write_text("END\n")
    group.files_row.set_paths([structure])
    assert group.value().kind == "structures"
    assert group.value().files == (str(structure),)
    group.kind_box.setCurrentIndex(group.kind_box.findData("folder"))
    group.folder_row.set_paths([tmp_path])
    assert group.value().kind == "folder"


def test_a_source_from_the_pdb_takes_identifiers(qtbot):
    group = SourceGroup()
    qtbot.addWidget(group)
    group.show()
    row = group.entry_row
    assert not row.isVisible()
    group.kind_box.setCurrentIndex(group.kind_box.findData("pdb"))
    assert row.isVisible()
    assert not group.files_row.isVisible()
    with pytest.raises(InputError, match="PDB identifiers were wanted, got none"):
        group.value()
    row.line.setText(" 1BXN,3j9i  pdb_00001f1b")
    group.form.fields["count"].setValue(7)
    value = group.value()
    assert (value.kind, value.files, value.count) == ("pdb", ("1bxn", "3j9i", "1f1b"), 7)
    assert row.line.toolTip()


def test_a_word_that_is_no_identifier_is_told_when_the_line_is_left(qtbot):
    group = SourceGroup()
    qtbot.addWidget(group)
    group.kind_box.setCurrentIndex(group.kind_box.findData("pdb"))
    row = group.entry_row
    row.line.setText("1bxn rubisco")
    assert row.notice.isHidden()
    row.line.editingFinished.emit()
    assert "'rubisco'" in row.notice.text()
    with pytest.raises(InputError, match="'rubisco'"):
        group.value()
    row.line.setText("1bxn")
    assert row.notice.isHidden()
    row.line.editingFinished.emit()
    assert row.notice.isHidden()


@pytest.mark.parametrize(
    ("letter", "entries"), [("A", ("1bxn", "1f1b", "1yg6")), ("B", ("2byu", "2h12", "2ldb"))]
)
def test_the_papers_groups_are_one_click(qtbot, letter, entries):
    from napari_voxuda.simulation.settings import SourceSettings

    group = SourceGroup()
    qtbot.addWidget(group)
    group.kind_box.setCurrentIndex(group.kind_box.findData("pdb"))
    group.form.fields["box"].setValue(40)
    group.entry_row.buttons[letter].click()
    assert group.value() == SourceSettings.paper(kind="pdb", files=entries, group=letter, box=40)


def test_a_source_keeps_its_settings(qtbot):
    group = SourceGroup()
    qtbot.addWidget(group)
    group.form.fields["count"].setValue(123)
    assert group.value().count == 123


def test_a_preset_fills_every_setting(qtbot):
    from napari_voxuda.adaptation.settings import PRESETS

    group = TrainingGroup()
    qtbot.addWidget(group)
    for name, preset in PRESETS.items():
        group.preset_box.setCurrentIndex(group.preset_box.findData(name))
        assert group.settings() == preset


def test_groups_fit_a_narrow_dock_when_everything_is_unfolded(qtbot):
    for group in (SourceGroup(), TrainingGroup()):
        qtbot.addWidget(group)
        for inner in group.findChildren(Group):
            inner.expand()
        group.show()
        assert group.minimumSizeHint().width() <= DOCK_WIDTH


def test_a_dock_has_a_footer_outside_the_scroll_area(qtbot):
    frame = DockFrame()
    qtbot.addWidget(frame)
    button = QLabel("always here")
    frame.footer.addWidget(button)
    assert button.parent() is frame
    assert frame.sizeHint().width() == DOCK_WIDTH


@pytest.mark.parametrize("module", ["gui.adapt.dock", "gui.denoise.dock", "_napari.docks"])
def test_opening_a_dock_imports_neither_torch_nor_pyqtgraph(module):
    code = (
        f"import sys, napari_voxuda.{module}; "
        "print([m for m in ('torch', 'pyqtgraph', 'gemmi', 'zarr') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    assert result.stdout.strip() == "[]"

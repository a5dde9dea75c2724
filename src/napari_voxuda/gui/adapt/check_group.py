"""The part of *Vox-UDA adapt* that tells, before a run, what it will do and need."""

from __future__ import annotations

import re

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_voxuda.app.adapt.preflight_report import Preflight
from napari_voxuda.gui.frame import Group, Notice
from napari_voxuda.gui.wrapping import let_wrap

__all__ = ["CheckGroup"]

_BREAKS = re.compile(r"[/\\\\_-]")
_TEXT = "Check before starting"
_TIP = (
    "Show the boxes that would be used, and take one step of the run to tell how long it will take and "
    "whether it fits into memory. Nothing is written."
)


class CheckGroup(Group):
    """A button, and the report of the check."""

    asked = Signal()

    def __init__(self) -> None:
        super().__init__("Before starting")
        self.button = QPushButton(_TEXT)
        self.button.setToolTip(_TIP)
        self.button.setAccessibleName(_TEXT)
        self.button.clicked.connect(lambda: self.asked.emit())
        self.addWidget(self.button)
        self._report = QWidget()
        column = QVBoxLayout(self._report)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(4)
        self._warnings = QVBoxLayout()
        self._rows = QFormLayout()
        self._rows.setVerticalSpacing(2)
        self._rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        column.addLayout(self._warnings)
        column.addLayout(self._rows)
        self.addWidget(self._report)
        self._report.hide()

    def show_check(self, report: Preflight | None) -> None:
        """Show a report; None takes it away."""
        self._clear()
        self._report.setVisible(report is not None)
        self.button.setText(_TEXT if report is None else "Hide the check")
        self.button.setAccessibleName(self.button.text())
        if report is None:
            return
        for text in report.warnings:
            notice = Notice()
            notice.say(text, "warning")
            self._warnings.addWidget(notice)
        for name, words in report.rows:
            self._rows.addRow(name, _words(name, words))
        self.expand()

    def words(self) -> dict[str, str]:
        """Return the rows as they are shown."""
        found = {}
        for row in range(self._rows.rowCount()):
            name = self._rows.itemAt(row, QFormLayout.ItemRole.LabelRole)
            value = self._rows.itemAt(row, QFormLayout.ItemRole.FieldRole)
            if name is not None and value is not None:
                found[_text(name.widget())] = _text(value.widget())
        return found

    def warnings(self) -> list[str]:
        """Return the warnings as they are shown."""
        items = (self._warnings.itemAt(row) for row in range(self._warnings.count()))
        return [_text(item.widget()) for item in items if item is not None]

    def _clear(self) -> None:
        while self._rows.rowCount():
            self._rows.removeRow(0)
        while (item := self._warnings.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()


def _words(name: str, words: str) -> QLabel:
    label = QLabel(_BREAKS.sub("\\g<0>\u200b", words))  # a long path may break at its signs
    label.setTextFormat(Qt.TextFormat.PlainText)
    let_wrap(label)
    label.setAccessibleName(name)
    label.setToolTip(words)
    return label


def _text(widget: QWidget | None) -> str:
    return widget.text().replace("\u200b", "") if isinstance(widget, QLabel) else ""

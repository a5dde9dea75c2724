"""The part of *Vox-UDA adapt* that shows how a run goes."""

from __future__ import annotations

import numpy as np
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from napari_voxuda.adaptation.events import Alarm, Preview, StepDone
from napari_voxuda.app.runs.history import RunHistory
from napari_voxuda.app.words import Level
from napari_voxuda.gui.adapt.live_row import LiveRow
from napari_voxuda.gui.adapt.plots import CurvePanel
from napari_voxuda.gui.frame import Group, Notice
from napari_voxuda.gui.paced import Paced
from napari_voxuda.gui.pixmaps import grey_pixmap
from napari_voxuda.gui.wrapping import let_wrap

__all__ = ["MessageLog", "PreviewPair", "ProgressGroup"]

_EDGE = 128
_SIGNS = {"info": "", "warning": "Warning: ", "error": "Error: "}
_MOST_LINES = 500


class MessageLog(QPlainTextEdit):
    """What happened, a sentence a line."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setMaximumBlockCount(_MOST_LINES)
        self.setMinimumHeight(70)
        self.setMaximumHeight(110)
        self.setPlaceholderText("Messages of the run.")
        self.setAccessibleName("Messages")
        self.setToolTip("What happened in this run, the newest last.")
        self.setTabChangesFocus(True)

    def add(self, text: str, level: Level = "info") -> None:
        """Append a sentence."""
        self.appendPlainText(f"{_SIGNS[level]}{text}")


class PreviewPair(QWidget):
    """One target box and what the network finds in it, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.image, self.probability = QLabel(), QLabel()
        self.caption = QLabel()
        let_wrap(self.caption)
        row = QHBoxLayout()
        row.setSpacing(4)
        for label, name in ((self.image, "Target box"), (self.probability, "Probability")):
            label.setAccessibleName(name)
            label.setFixedSize(_EDGE, _EDGE)
            row.addWidget(label)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.caption)
        self.hide()

    def show_preview(self, preview: Preview) -> None:
        """Show a preview."""
        low, high = np.percentile(preview.image, (1, 99))
        self.image.setPixmap(grey_pixmap(preview.image, float(low), float(high), _EDGE))
        self.probability.setPixmap(grey_pixmap(preview.probability, 0.0, 1.0, _EDGE))
        self.caption.setText(
            f"Step {preview.step}: a slice of one target box as the network sees it, and where it "
            "finds foreground (white = 1)."
        )
        self.show()


class ProgressGroup(Group):
    """Alarms, curves, preview and messages.

    Parameters
    ----------
    paced : Paced or None
        When curves and figures are drawn; at a pace of its own without.
    """

    def __init__(self, paced: Paced | None = None) -> None:
        super().__init__("Progress", expanded=False)
        self._paced = paced if paced is not None else Paced(self)
        self.alert = Notice()
        self.alert.setAccessibleName("Alarms")
        self._alarms = 0
        self.curves = CurvePanel(self._paced)
        self.coverage = QLabel()
        let_wrap(self.coverage)
        self.coverage.setAccessibleName("Pseudo-labels")
        self.coverage.hide()
        self.preview = PreviewPair()
        self.messages = MessageLog()
        self.live = LiveRow()
        for widget in (
            self.alert,
            self.live,
            self.curves,
            self.coverage,
            self.preview,
            self.messages,
        ):
            self.addWidget(widget)

    def show_step(self, step: StepDone) -> None:
        """Add a step."""
        self.curves.add(step)
        if step.losses.get("pseudo", 0.0) == 0.0 and step.coverage == 0.0:
            return
        words = (
            f"Pseudo-labels: {100 * step.coverage:.0f} % of the target's voxels, "
            f"{100 * step.foreground:.1f} % of these foreground."
        )
        self._paced.show("coverage", lambda: self._show_coverage(words))

    def show_alarm(self, alarm: Alarm) -> None:
        """Show an alarm until the next run, and mark its step in the curves."""
        self.curves.mark(alarm.step)
        self._alarms += 1
        count = f"Alarm {self._alarms} of this run. " if self._alarms > 1 else ""
        self.alert.say(f"{count}{alarm.text}", "warning")

    def show_history(self, history: RunHistory) -> None:
        """Show the steps and alarms of a run that was not watched."""
        self.clear()
        for step in history.steps:
            self.show_step(step)
        for alarm in history.alarms:
            self.show_alarm(alarm)

    def _show_coverage(self, words: str) -> None:
        self.coverage.setText(words)
        self.coverage.setVisible(bool(words))

    def clear(self) -> None:
        """Forget an earlier run's alarms, curves and preview."""
        self._alarms = 0
        self.alert.say("")
        self.curves.clear()
        self._show_coverage("")
        self.preview.hide()

"""The switch of the live prediction, and the slider over the snapshots of a run."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_voxuda.gui.inputs import calm_wheel
from napari_voxuda.gui.wrapping import let_wrap

__all__ = ["LiveRow"]


class LiveRow(QWidget):
    """Whether the prediction is shown on the tomogram, and of which moment of the run."""

    wanted_changed = Signal()
    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.box = QCheckBox("Show live prediction")
        self.box.setChecked(True)
        self.box.setToolTip(
            "Show on the tomogram what the network finds in the slice in view: every 2 s at most while a "
            "run goes on, from the middle of the view outwards. It takes about a thirteenth of the run's time."
        )
        self.box.setAccessibleName("Show live prediction")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setToolTip(
            "Look back: show what the network found after an earlier step, on whatever slice is in view. "
            "A run keeps some twenty snapshots of its network."
        )
        self.slider.setAccessibleName("Moment of the run")
        self.slider.setPageStep(1)
        calm_wheel(self.slider)
        self.moment = QLabel()
        self.moment.setAccessibleName("Shown moment of the run")
        self._moments: list[str] = []
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.slider, 1)
        row.addWidget(self.moment)
        self.note = QLabel()
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        let_wrap(self.note)
        self.note.setAccessibleName("What is shown on the tomogram")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.box)
        column.addLayout(row)
        column.addWidget(self.note)
        self.note.hide()
        self.box.toggled.connect(self._switched)
        self.slider.valueChanged.connect(self._slid)
        self.slider.sliderPressed.connect(lambda: self.chosen.emit(self.slider.value()))
        self.show_moments((), 0)

    def wanted(self) -> bool:
        """Whether the prediction is switched on."""
        return bool(self.box.isChecked())

    def switch_off(self) -> None:
        """Show that it is off."""
        self.box.setChecked(False)

    def show_moments(self, moments: Sequence[str], at: int) -> None:
        """Show which moments can be chosen, and which one is; nothing is told of it."""
        self._moments = list(moments)
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(0, len(self._moments) - 1))
        self.slider.setValue(at)
        self.slider.blockSignals(False)
        self._update()

    def show_note(self, text: str) -> None:
        """Show a sentence about what is shown on the tomogram."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _slid(self, position: int) -> None:
        self._update()
        self.chosen.emit(position)

    def _switched(self) -> None:
        self._update()
        self.wanted_changed.emit()

    def _update(self) -> None:
        there = bool(self._moments)
        self.slider.setVisible(there)
        self.moment.setVisible(there)
        self.slider.setEnabled(self.wanted())
        if there:
            self.moment.setText(self._moments[self.slider.value()])

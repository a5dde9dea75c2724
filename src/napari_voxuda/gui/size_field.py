"""A slider for sizes over several powers of ten, with an exact value beside it."""

from __future__ import annotations

import math

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractSpinBox, QHBoxLayout, QSlider, QWidget

from napari_voxuda.gui.inputs import FloatBox, calm_wheel

__all__ = ["SizeField"]

_STEPS = 200


class SizeField(QWidget):
    """A volume from 0 on: the slider's first position is 0, the others are logarithmic.

    Parameters
    ----------
    name, tip : str
        Accessible name and tooltip.
    low, high : float
        Smallest volume above 0 and largest one that the slider reaches, in Å³.
    """

    valueChanged = Signal()

    def __init__(self, name: str, tip: str, *, low: float = 1e3, high: float = 1e8) -> None:
        super().__init__()
        self._low, self._high = math.log10(low), math.log10(high)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        calm_wheel(self.slider)
        self.box = FloatBox()
        self.box.setRange(0.0, 1e12)
        self.box.setSuffix(" Å³")
        self.box.setSpecialValueText("none")
        self.box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.box.setMaximumWidth(88)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.slider, 1)
        row.addWidget(self.box, 0)
        for widget in (self.slider, self.box):
            widget.setToolTip(tip)
            widget.setAccessibleName(name)
        self.setFocusProxy(self.slider)
        self.slider.valueChanged.connect(self._slid)
        self.box.valueChanged.connect(self._typed)

    def value(self) -> float:
        """Return the exact volume in Å³."""
        return float(self.box.value())

    def setValue(self, value: float) -> None:
        """Show a volume in Å³, also one that the slider does not reach."""
        self.box.setValue(value)

    def _slid(self, position: int) -> None:
        exponent = self._low + (self._high - self._low) * (position - 1) / (_STEPS - 1)
        value = 10**exponent
        digits = 1 - math.floor(exponent)
        self.box.setValue(0.0 if position == 0 else round(value, digits))

    def _typed(self, value: float) -> None:
        position = 0
        if value > 0:
            fraction = (math.log10(value) - self._low) / (self._high - self._low)
            position = 1 + round(min(max(fraction, 0.0), 1.0) * (_STEPS - 1))
        self.slider.blockSignals(True)
        self.slider.setValue(position)
        self.slider.blockSignals(False)
        self.valueChanged.emit()

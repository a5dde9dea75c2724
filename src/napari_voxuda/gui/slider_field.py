"""A slider for positive real settings, with an exact value beside it."""

from __future__ import annotations

import math

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractSpinBox, QToolButton
from superqt import QDoubleSlider

from napari_voxuda._params import Parameter
from napari_voxuda.gui.field import Field, label_of, number_box
from napari_voxuda.gui.inputs import calm_wheel

__all__ = ["SliderField"]

_KEY_STEPS = 100
_SLIDER_REACH = 8.0


class SliderField(Field):
    """A real number on a logarithmic slider, with a spin box for exact values and a reset.

    The slider reaches from an eighth to eight times the default, within the bounds.
    """

    def __init__(self, declared: Parameter) -> None:
        super().__init__(declared)
        self._low = max(declared.default / _SLIDER_REACH, declared.minimum or 0.0)
        self._high = declared.default * _SLIDER_REACH
        if declared.maximum is not None:
            self._high = min(self._high, declared.maximum)
        self._slider = QDoubleSlider(Qt.Orientation.Horizontal)  # type: ignore[no-untyped-call]
        # It slides along the logarithm.
        low, high = math.log(self._low), math.log(self._high)
        self._slider.setRange(low, high)
        self._slider.setSingleStep((high - low) / _KEY_STEPS)
        self._slider.setPageStep((high - low) / 10)
        calm_wheel(self._slider)
        self._box = number_box(declared, float)
        self._box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self._reset = QToolButton()
        self._reset.setText("↺")
        self.add_input(self._slider, 3)
        self.add_input(self._box, 1)
        self.add_input(self._reset, 0)
        self._box.setStyleSheet("min-width: 76px;")
        self._box.setMaximumWidth(108)
        self._reset.setToolTip(f"Back to the default, {declared.default:g}.")
        self._reset.setAccessibleName(f"Reset {label_of(declared)}")
        self._slider.valueChanged.connect(self._slid)
        self._box.valueChanged.connect(self._typed)
        self._reset.clicked.connect(lambda: self.setValue(declared.default))
        self.setValue(declared.default)

    def value(self) -> float:
        """Return the exact value of the spin box."""
        return float(self._box.value())

    def setValue(self, value: float) -> None:
        """Show `value`, also where it lies beyond the slider's reach."""
        self._box.setValue(value)
        self._follow(value)

    def _slid(self, position: float) -> None:
        value = math.exp(position)
        digits = max(0, 2 - math.floor(math.log10(value)))
        self._box.setValue(round(value, digits))

    def _typed(self, value: float) -> None:
        self._follow(value)
        self.valueChanged.emit()

    def _follow(self, value: float) -> None:
        inside = min(max(value, self._low), self._high)
        self._slider.blockSignals(True)
        self._slider.setValue(math.log(inside))
        self._slider.blockSignals(False)

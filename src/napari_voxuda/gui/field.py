"""The common part of every input for a declared setting."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QSpinBox, QWidget

from napari_voxuda._params import Parameter
from napari_voxuda.gui.inputs import FloatBox, calm_wheel

__all__ = ["Field", "label_of", "number_box"]

_LARGEST_INT = 2**31 - 1
_BUTTONS_WIDTH = 62  # and margins, in napari's themes
_UNIT_WORDS = ("_angstrom3", "_angstrom", "_deg", "_um")


class Field(QWidget):
    """An input for one declared setting.

    Parameters
    ----------
    declared : Parameter
        The setting.
    """

    valueChanged = Signal()

    def __init__(self, declared: Parameter) -> None:
        super().__init__()
        self.declared = declared
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self.setToolTip(_tooltip(declared))

    def value(self) -> Any:
        """Return the value as the settings class takes it."""
        raise NotImplementedError

    def setValue(self, value: Any) -> None:
        """Show `value`."""
        raise NotImplementedError

    def add_input(self, widget: QWidget, stretch: int = 1) -> None:
        """Append a widget of the input and give it the setting's name and help."""
        self._row.addWidget(widget, stretch)
        widget.setToolTip(self.toolTip())
        widget.setAccessibleName(label_of(self.declared))
        widget.setAccessibleDescription(self.declared.help)
        if self.focusProxy() is None:
            self.setFocusProxy(widget)


def number_box(declared: Parameter, kind: Any) -> Any:
    """Return a spin box for numbers of `kind` within the bounds of `declared`."""
    box: QSpinBox | FloatBox
    if kind is int:
        box = QSpinBox()
        box.setRange(-_LARGEST_INT, _LARGEST_INT)
        box.setKeyboardTracking(False)
        calm_wheel(box)
        convert: Any = int
    else:
        box, convert = FloatBox(), float
    if declared.minimum is not None:
        box.setMinimum(convert(declared.minimum))
    if declared.maximum is not None:
        box.setMaximum(convert(declared.maximum))
    if declared.step is not None:
        box.setSingleStep(convert(declared.step))
    if declared.unit:
        box.setSuffix(f" {declared.unit}")
    shown = f"{declared.default} {declared.unit or ''}"
    width = _BUTTONS_WIDTH + box.fontMetrics().horizontalAdvance(shown)
    box.setStyleSheet(f"min-width: {width}px;")  # setMinimumWidth yields to napari's own theme
    return box


def label_of(declared: Parameter) -> str:
    """Return the setting's name as a person writes it, without its unit."""
    name = declared.name
    for word in _UNIT_WORDS:
        name = name.removesuffix(word)
    words = name.replace("_", " ")
    words = words.replace("snr", "SNR").replace("ema", "EMA")
    return words[0].upper() + words[1:]


def _tooltip(declared: Parameter) -> str:
    lines = [declared.help]
    if declared.minimum is not None and declared.maximum is not None:
        unit = f" {declared.unit}" if declared.unit else ""
        lines.append(f"From {declared.minimum:g} to {declared.maximum:g}{unit}.")
    if not declared.optional and declared.default not in ((), ""):
        default = declared.default
        shown = ", ".join(map(str, default)) if isinstance(default, tuple) else str(default)
        lines.append(f"Default: {shown}.")
    return "\n".join(lines)

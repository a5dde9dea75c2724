"""One input widget for each kind of setting, all with value, setValue and valueChanged."""

from __future__ import annotations

import math
import typing
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSlider,
    QSpinBox,
    QToolButton,
    QWidget,
)

from napari_voxuda._params import Parameter
from napari_voxuda.errors import InputError

__all__ = [
    "DEVICES",
    "DEVICE_TIP",
    "Field",
    "FloatBox",
    "SliderField",
    "calm_wheel",
    "choice_box",
    "label_of",
    "make_field",
    "may_shrink",
]

DEVICES = {"auto": "Automatic", "cpu": "CPU", "cuda": "CUDA GPU"}
DEVICE_TIP = "Automatic takes a CUDA GPU where there is one, and the CPU otherwise."

_DECIMALS = 10
_LARGEST_INT = 2**31 - 1
_SLIDER_STEPS = 1000
_SLIDER_REACH = 8.0


class _NoScroll(QObject):
    """Keeps the mouse wheel from changing a value that has no focus: it scrolls the dock."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if (
            event is not None
            and event.type() == QEvent.Type.Wheel
            and isinstance(watched, QWidget)
            and not watched.hasFocus()
        ):
            event.ignore()
            return True
        return False


def calm_wheel(widget: QWidget) -> None:
    """Let `widget` take the mouse wheel only while it has the focus."""
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(_NoScroll(widget))


def may_shrink(box: QComboBox) -> None:
    """Let `box` be narrower than its longest entry."""
    box.setMinimumContentsLength(8)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)


def choice_box(name: str, choices: dict[str, str], tip: str) -> QComboBox:
    """Return a combo box of `choices`: values to the words that stand for them."""
    box = QComboBox()
    for value, words in choices.items():
        box.addItem(words, value)
    box.setToolTip(tip)
    box.setAccessibleName(name)
    may_shrink(box)
    calm_wheel(box)
    return box


class FloatBox(QDoubleSpinBox):
    """A spin box that keeps ten decimals and shows only those that are needed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(_DECIMALS)
        self.setRange(-1e12, 1e12)
        self.setKeyboardTracking(False)
        self.setMinimumWidth(60)
        calm_wheel(self)

    def textFromValue(self, v: float) -> str:
        """Return `v` without needless zeros."""
        text = f"{v:.{_DECIMALS}f}".rstrip("0").rstrip(".")
        return text or "0"


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

    def _add(self, widget: QWidget, stretch: int = 1) -> None:
        self._row.addWidget(widget, stretch)
        widget.setToolTip(self.toolTip())
        widget.setAccessibleName(label_of(self.declared))
        widget.setAccessibleDescription(self.declared.help)
        if self.focusProxy() is None:
            self.setFocusProxy(widget)


class _NumberField(Field):
    def __init__(self, declared: Parameter) -> None:
        super().__init__(declared)
        self._box: QSpinBox | QDoubleSpinBox = _number_box(declared, declared.type)
        self._box.valueChanged.connect(lambda _: self.valueChanged.emit())
        self._add(self._box)

    def value(self) -> Any:
        return self._box.value()

    def setValue(self, value: Any) -> None:
        self._box.setValue(value)


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
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, _SLIDER_STEPS)
        calm_wheel(self._slider)
        self._box = _number_box(declared, float)
        self._box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self._reset = QToolButton()
        self._reset.setText("↺")
        self._add(self._slider, 3)
        self._add(self._box, 1)
        self._add(self._reset, 0)
        self._box.setMaximumWidth(86)
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

    def _slid(self, position: int) -> None:
        ratio = self._high / self._low
        value = self._low * ratio ** (position / _SLIDER_STEPS)
        digits = max(0, 2 - math.floor(math.log10(value)))
        self._box.setValue(round(value, digits))

    def _typed(self, value: float) -> None:
        self._follow(value)
        self.valueChanged.emit()

    def _follow(self, value: float) -> None:
        inside = min(max(value, self._low), self._high)
        position = math.log(inside / self._low) / math.log(self._high / self._low)
        self._slider.blockSignals(True)
        self._slider.setValue(round(position * _SLIDER_STEPS))
        self._slider.blockSignals(False)


class _BoolField(Field):
    def __init__(self, declared: Parameter) -> None:
        super().__init__(declared)
        self._box = QCheckBox()
        self._box.toggled.connect(lambda _: self.valueChanged.emit())
        self._add(self._box)

    def value(self) -> bool:
        return bool(self._box.isChecked())

    def setValue(self, value: bool) -> None:
        self._box.setChecked(value)


class _ChoiceField(Field):
    def __init__(self, declared: Parameter) -> None:
        super().__init__(declared)
        self._box = QComboBox()
        for choice in declared.choices or ():
            self._box.addItem(choice.replace("_", " "), choice)
        self._box.currentIndexChanged.connect(lambda _: self.valueChanged.emit())
        may_shrink(self._box)
        calm_wheel(self._box)
        self._add(self._box)

    def value(self) -> str:
        return str(self._box.currentData())

    def setValue(self, value: str) -> None:
        self._box.setCurrentIndex(self._box.findData(value))


class _TextField(Field):
    def __init__(self, declared: Parameter) -> None:
        super().__init__(declared)
        self._edit = QLineEdit()
        self._edit.editingFinished.connect(self.valueChanged.emit)
        self._add(self._edit)

    def value(self) -> Any:
        return self._edit.text()

    def setValue(self, value: Any) -> None:
        self._edit.setText(str(value))


class _ListField(_TextField):
    """Several values, separated by commas (numbers) or semicolons (texts)."""

    def __init__(self, declared: Parameter) -> None:
        super().__init__(declared)
        self._kind = typing.get_args(declared.type)[0]
        self._mark = ";" if self._kind is str else ","
        self._edit.setPlaceholderText(f"values separated by “{self._mark}”")

    def value(self) -> tuple[Any, ...]:
        texts = [t.strip() for t in self._edit.text().split(self._mark) if t.strip()]
        try:
            return tuple(self._kind(t) for t in texts)
        except ValueError as error:
            raise InputError(
                f"{label_of(self.declared)}: numbers separated by commas were wanted, "
                f"got “{self._edit.text()}”."
            ) from error

    def setValue(self, value: tuple[Any, ...]) -> None:
        self._edit.setText(f"{self._mark} ".join(str(v) for v in value))


class _TupleField(Field):
    """A fixed number of numbers side by side."""

    def __init__(self, declared: Parameter) -> None:
        super().__init__(declared)
        self._boxes = [_number_box(declared, kind) for kind in typing.get_args(declared.type)]
        for box in self._boxes:
            box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
            box.setSuffix("")
            box.setStyleSheet("min-width: 40px;")  # napari's own theme asks for more
            box.valueChanged.connect(lambda _: self.valueChanged.emit())
            self._add(box)
        if declared.unit:
            self._add(QLabel(declared.unit), 0)

    def value(self) -> tuple[Any, ...]:
        return tuple(box.value() for box in self._boxes)

    def setValue(self, value: tuple[Any, ...]) -> None:
        for box, number in zip(self._boxes, value, strict=True):
            box.setValue(number)


class _OptionalField(Field):
    """A setting that may be left to the program: ticked when the user gives a value."""

    def __init__(self, declared: Parameter, inner: Field) -> None:
        super().__init__(declared)
        self._inner = inner
        self._given = QCheckBox()
        self._add(self._given, 0)
        self._add(inner)
        inner.setEnabled(False)
        self._given.toggled.connect(inner.setEnabled)
        self._given.toggled.connect(lambda _: self.valueChanged.emit())
        inner.valueChanged.connect(self.valueChanged.emit)
        self._given.setAccessibleName(f"Set {label_of(declared)}")

    def value(self) -> Any:
        return self._inner.value() if self._given.isChecked() else None

    def setValue(self, value: Any) -> None:
        self._given.setChecked(value is not None)
        if value is not None:
            self._inner.setValue(value)


def make_field(declared: Parameter, *, slider: bool = False) -> Field:
    """Return the input for `declared`, showing its default where it has one."""
    field = _plain_field(declared, slider)
    if declared.optional:
        field = _OptionalField(declared, field)
    field.setValue(declared.default)
    return field


def _plain_field(declared: Parameter, slider: bool) -> Field:
    kind = declared.type
    if declared.choices is not None:
        return _ChoiceField(declared)
    if kind is bool:
        return _BoolField(declared)
    if kind is float and slider and declared.default > 0:
        return SliderField(declared)
    if kind in (int, float):
        return _NumberField(declared)
    if typing.get_origin(kind) is tuple:
        kinds = typing.get_args(kind)
        return (
            _ListField(declared) if Ellipsis in kinds or len(kinds) > 2 else _TupleField(declared)
        )
    return _TextField(declared)


def _number_box(declared: Parameter, kind: Any) -> Any:
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
    return box


_UNIT_WORDS = ("_angstrom3", "_angstrom", "_deg", "_um")


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

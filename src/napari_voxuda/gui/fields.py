"""One input for each kind of setting, all with value, setValue and valueChanged."""

from __future__ import annotations

import typing
from typing import Any

from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QSpinBox,
)

from napari_voxuda._params import Parameter
from napari_voxuda.errors import InputError
from napari_voxuda.gui.field import Field, label_of, number_box
from napari_voxuda.gui.inputs import calm_wheel, may_shrink
from napari_voxuda.gui.slider_field import SliderField

__all__ = ["make_field"]


class _NumberField(Field):
    def __init__(self, declared: Parameter) -> None:
        super().__init__(declared)
        self._box: QSpinBox | QDoubleSpinBox = number_box(declared, declared.type)
        self._box.valueChanged.connect(lambda _: self.valueChanged.emit())
        self.add_input(self._box)

    def value(self) -> Any:
        return self._box.value()

    def setValue(self, value: Any) -> None:
        self._box.setValue(value)


class _BoolField(Field):
    def __init__(self, declared: Parameter) -> None:
        super().__init__(declared)
        self._box = QCheckBox()
        self._box.toggled.connect(lambda _: self.valueChanged.emit())
        self.add_input(self._box)

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
        self.add_input(self._box)

    def value(self) -> str:
        return str(self._box.currentData())

    def setValue(self, value: str) -> None:
        self._box.setCurrentIndex(self._box.findData(value))


class _TextField(Field):
    def __init__(self, declared: Parameter) -> None:
        super().__init__(declared)
        self._edit = QLineEdit()
        self._edit.editingFinished.connect(self.valueChanged.emit)
        self.add_input(self._edit)

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
        self._boxes = [number_box(declared, kind) for kind in typing.get_args(declared.type)]
        for box in self._boxes:
            box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
            box.setSuffix("")
            box.setStyleSheet("min-width: 40px;")  # napari's own theme asks for more
            box.valueChanged.connect(lambda _: self.valueChanged.emit())
            self.add_input(box)
        words = ("from", "to") if len(self._boxes) == 2 else range(1, len(self._boxes) + 1)
        for word, box in zip(words, self._boxes, strict=True):
            box.setAccessibleName(f"{label_of(declared)} {word}")
        if declared.unit:
            self.add_input(QLabel(declared.unit), 0)

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
        self.add_input(self._given, 0)
        self.add_input(inner)
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

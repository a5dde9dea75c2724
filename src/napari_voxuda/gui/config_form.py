"""A form made from any settings class, from the same declaration as the command line's options."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Collection
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from napari_voxuda._params import parameters
from napari_voxuda.gui.field import Field, label_of
from napari_voxuda.gui.fields import make_field
from napari_voxuda.gui.frame import Group
from napari_voxuda.gui.slider_field import SliderField

__all__ = ["ConfigForm"]


class ConfigForm(QWidget):
    """Inputs for every declared field of a settings class, nested settings included.

    Parameters
    ----------
    default : object
        A settings object: its class gives the fields, its values fill them.
    sliders : collection of str
        Real fields that get a slider.
    exclude : collection of str
        Fields without an input; they keep the value last given to `setValue`.
    """

    valueChanged = Signal()

    def __init__(
        self,
        default: Any,
        *,
        sliders: Collection[str] = (),
        exclude: Collection[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._base = default
        self.fields: dict[str, Field] = {}
        self._labels: dict[str, QLabel] = {}
        self.nested: dict[str, ConfigForm] = {}
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(4)
        self._rows = _form_layout()
        outer.addLayout(self._rows)
        advanced = QWidget()
        self._advanced_rows = _form_layout()
        advanced.setLayout(self._advanced_rows)
        for name, declared in parameters(default).items():
            if name in exclude:
                continue
            field = make_field(declared, slider=name in sliders)
            field.valueChanged.connect(self.valueChanged.emit)
            self.fields[name] = field
            rows = self._advanced_rows if declared.advanced else self._rows
            label = QLabel(label_of(declared))
            label.setToolTip(field.toolTip())
            label.setBuddy(field)
            self._labels[name] = label
            if isinstance(field, SliderField):  # a slider takes the whole width, below its name
                rows.addRow(label)
                rows.addRow(field)
            else:
                rows.addRow(label, field)
        self._add_nested(outer, default, exclude)
        if self._advanced_rows.rowCount():
            group = Group("Rarely needed", expanded=False)
            of = re.sub("(?<=[a-z])(?=[A-Z])", " ", type(default).__name__).lower()
            group.heading.setAccessibleName(f"Show or hide: Rarely needed, {of}")
            group.addWidget(advanced)
            outer.addWidget(group)
        self.setValue(default)

    def value(self) -> Any:
        """Return a settings object with the values shown.

        Raises
        ------
        InputError
            When the values do not fit together.
        """
        changes = {name: field.value() for name, field in self.fields.items()}
        changes |= {name: form.value() for name, form in self.nested.items()}
        return dataclasses.replace(self._base, **changes)

    def setValue(self, config: Any) -> None:
        """Show the values of `config`, reporting one change at most."""
        self._base = config
        self.blockSignals(True)
        for name, field in self.fields.items():
            field.setValue(getattr(config, name))
        for name, form in self.nested.items():
            form.setValue(getattr(config, name))
        self.blockSignals(False)
        self.valueChanged.emit()

    def show_fields(self, names: Collection[str]) -> None:
        """Show only the fields of `names`; the others keep their values."""
        for name, field in self.fields.items():
            declared = field.declared
            rows = self._advanced_rows if declared.advanced else self._rows
            rows.setRowVisible(field, name in names)
            self._labels[name].setVisible(name in names)

    def _add_nested(self, outer: QVBoxLayout, default: Any, exclude: Collection[str]) -> None:
        hints = typing.get_type_hints(type(default))
        for entry in dataclasses.fields(default):
            if entry.name in exclude or not dataclasses.is_dataclass(hints[entry.name]):
                continue
            form = ConfigForm(getattr(default, entry.name))
            form.valueChanged.connect(self.valueChanged.emit)
            group = Group(entry.name.capitalize(), expanded=False)
            group.addWidget(form)
            outer.addWidget(group)
            self.nested[entry.name] = form


def _form_layout() -> QFormLayout:
    layout = QFormLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setHorizontalSpacing(6)
    layout.setVerticalSpacing(4)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
    return layout

"""How the value of each kind of input is remembered."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QAbstractButton, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget
from superqt import QLabeledDoubleSlider, QLabeledSlider

from napari_voxuda._params import from_dict, to_dict
from napari_voxuda.gui.config_form import ConfigForm
from napari_voxuda.gui.mask_sliders import MaskSliders
from napari_voxuda.gui.path_row import PathRow
from napari_voxuda.gui.remember import Choice

__all__ = ["choice_of"]


def choice_of(widget: QWidget, base: Callable[[], Any] | None = None) -> Choice:
    """Return how the value of an input is remembered.

    Parameters
    ----------
    widget : QWidget
        A combo box with data, check box, spin box, slider, line of text, row of paths, the sliders of a mask, or
        a form.
    base : callable or None
        Of a form: the settings from which only the differences are kept, so that a new version's
        defaults are followed; those that the form shows now without.

    Raises
    ------
    TypeError
        For a widget of another kind.
    """
    if isinstance(widget, ConfigForm):
        return _form_choice(widget, base)
    if isinstance(widget, PathRow):
        return _path_choice(widget)
    if isinstance(widget, MaskSliders):
        return _slider_choice(widget)
    if isinstance(widget, QComboBox):
        return Choice(
            get=widget.currentData,
            put=lambda value: _select(widget, value),
            changed=widget.currentIndexChanged,
        )
    if isinstance(widget, QAbstractButton):
        return Choice(
            get=widget.isChecked,
            put=lambda value: widget.setChecked(bool(value)),
            changed=widget.toggled,
        )
    if isinstance(widget, QSpinBox | QDoubleSpinBox | QLabeledSlider | QLabeledDoubleSlider):
        return Choice(get=widget.value, put=widget.setValue, changed=widget.valueChanged)
    if isinstance(widget, QLineEdit):
        return Choice(get=widget.text, put=widget.setText, changed=widget.textChanged)
    raise TypeError(f"remember: an input was wanted, got {type(widget).__name__}.")


def _select(box: QComboBox, value: Any) -> None:
    index = box.findData(value)
    if index >= 0:
        box.setCurrentIndex(index)


def _form_choice(form: ConfigForm, base: Callable[[], Any] | None) -> Choice:
    shown = form.value()
    base = base if base is not None else lambda: shown

    def put(changes: dict[str, Any]) -> None:
        settings = base()
        form.setValue(from_dict(type(settings), _merged(to_dict(settings), changes)))

    return Choice(
        get=lambda: _differences(to_dict(form.value()), to_dict(base())),
        put=put,
        changed=form.valueChanged,
    )


def _differences(values: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            if inner := _differences(value, base[key]):
                found[key] = inner
        elif value != base[key]:
            found[key] = value
    return found


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with the changes that it still knows."""
    known = {key: value for key, value in changes.items() if key in base}
    nested = {k: _merged(base[k], v) for k, v in known.items() if isinstance(base[k], dict)}
    return {**base, **known, **nested}


def _path_choice(row: PathRow) -> Choice:
    def put(texts: list[str]) -> None:
        paths = [Path(text) for text in texts]
        row.set_paths([path for path in paths if path.exists()])

    return Choice(get=lambda: [str(path) for path in row.paths()], put=put, changed=row.changed)


def _slider_choice(sliders: MaskSliders) -> Choice:
    def put(values: dict[str, Any]) -> None:
        sliders.show_choice(dataclasses.replace(sliders.choice(numbered=False), **values))

    def get() -> dict[str, Any]:
        values = dataclasses.asdict(sliders.choice(numbered=False))
        return {key: value for key, value in values.items() if key != "numbered"}

    return Choice(get=get, put=put, changed=sliders.changed)

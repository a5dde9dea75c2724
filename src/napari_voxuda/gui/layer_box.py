"""A box to choose a layer from, which keeps the choice while layers come and go."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QWidget

from napari_voxuda.app.scene import LayerChoice, LayerKey
from napari_voxuda.gui.inputs import calm_wheel, may_shrink

__all__ = ["LayerBox"]

_NARROWEST = 80


class LayerBox(QComboBox):
    """A combo box of layers.

    Parameters
    ----------
    name : str
        Accessible name.
    tip : str
        Tooltip.
    none_text : str or None
        Text of an entry that stands for no layer; no such entry without.
    """

    chosen = Signal()

    def __init__(
        self, name: str, tip: str, *, none_text: str | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._none_text = none_text
        self.setToolTip(tip)
        self.setAccessibleName(name)
        may_shrink(self)
        self.setPlaceholderText("open a tomogram first")
        self.setMinimumWidth(_NARROWEST)  # else the placeholder asks for its whole width
        calm_wheel(self)
        self.currentIndexChanged.connect(lambda _: self.chosen.emit())

    def key(self) -> LayerKey | None:
        """Return the chosen layer's key, or None."""
        key: LayerKey | None = self.currentData()
        return key

    def set_key(self, key: LayerKey | None) -> None:
        """Choose a layer, where it is in the list."""
        for index in range(self.count()):
            if key is not None and self.itemData(index) == key:
                self.setCurrentIndex(index)

    def set_none(self) -> None:
        """Choose no layer."""
        self.setCurrentIndex(-1)

    def show_choices(self, choices: list[LayerChoice]) -> None:
        """List `choices`; the chosen layer stays chosen where it is still there."""
        before = self.key()
        self.blockSignals(True)
        self.clear()
        if self._none_text is not None:
            self.addItem(self._none_text, None)
        for choice in choices:
            self.addItem(choice.name, choice.key)
        if before is not None and any(c.key == before for c in choices):
            self.set_key(before)
        elif self.count():
            self.setCurrentIndex(0)
        self.blockSignals(False)
        if self.key() != before:
            self.chosen.emit()

"""A list to tick several layers in, which keeps the ticks while layers come and go."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QWidget

from napari_voxuda.app.scene import LayerChoice, LayerKey

__all__ = ["LayerList"]

_ROWS = 4
_NARROWEST = 80


class LayerList(QListWidget):
    """A list of layers with a box to tick before each.

    Parameters
    ----------
    name : str
        Accessible name.
    tip : str
        Tooltip.
    """

    chosen = Signal()

    def __init__(self, name: str, tip: str, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setToolTip(tip)
        self.setAccessibleName(name)
        self.setMinimumWidth(_NARROWEST)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        line = self.fontMetrics().height() + 6
        self.setFixedHeight(_ROWS * line + 2 * self.frameWidth())
        self.itemChanged.connect(lambda _: self.chosen.emit())

    def keys(self) -> list[LayerKey]:
        """Return the ticked layers, in the order of the list."""
        return [
            item.data(Qt.ItemDataRole.UserRole)
            for item in self._items()
            if item.checkState() == Qt.CheckState.Checked
        ]

    def tick(self, keys: Sequence[LayerKey | None]) -> None:
        """Tick layers, where they are in the list; others stay as they are."""
        before = self.keys()
        self.blockSignals(True)
        for item in self._items():
            if item.data(Qt.ItemDataRole.UserRole) in keys:
                item.setCheckState(Qt.CheckState.Checked)
        self.blockSignals(False)
        if self.keys() != before:
            self.chosen.emit()

    def show_choices(self, choices: list[LayerChoice]) -> None:
        """List `choices`; ticked layers stay ticked where they are still there."""
        before = self.keys()
        self.blockSignals(True)
        self.clear()
        for choice in choices:
            item = QListWidgetItem(choice.name)
            item.setData(Qt.ItemDataRole.UserRole, choice.key)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            ticked = choice.key in before
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
            item.setToolTip(choice.name)
            self.addItem(item)
        self.blockSignals(False)
        if self.keys() != before:
            self.chosen.emit()

    def _items(self) -> list[QListWidgetItem]:
        found = (self.item(row) for row in range(self.count()))
        return [item for item in found if item is not None]

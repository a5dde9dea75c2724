"""A table of particles that stays quick with thousands of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QAbstractTableModel, QItemSelectionModel, QModelIndex, QSize, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QAbstractItemView, QSizePolicy, QTableView

from napari_voxuda.segmentation.particles import Particle

__all__ = ["ParticleModel", "ParticleTable"]

_COLUMNS = ("No.", "Å³", "z", "y", "x", "Prob.")
_TIPS = (
    "Label of the particle in the mask.",
    "Volume in Å³, or in voxels where their size is unknown.",
    "Centre, slice.",
    "Centre, row.",
    "Centre, column.",
    "Mean foreground probability inside.",
)
_WIDTHS = (34, 76, 32, 34, 34, 30)  # together no wider than a dock
_Role = Qt.ItemDataRole


class ParticleModel(QAbstractTableModel):
    """Particles as rows; sorted by any column without a proxy."""

    def __init__(self) -> None:
        super().__init__()
        self._unit = _COLUMNS[1]
        self._values = np.zeros((0, len(_COLUMNS)))
        self._order = np.zeros(0, np.intp)
        self._sorted: tuple[int, Qt.SortOrder] = (1, Qt.SortOrder.DescendingOrder)

    def set_particles(self, particles: Sequence[Particle]) -> None:
        """Show other particles in the same sorting."""
        self.beginResetModel()
        self._unit = "Å³"
        if any(p.volume_angstrom3 is None for p in particles):
            self._unit = "voxels"
        rows = [
            (
                p.label,
                p.voxels if p.volume_angstrom3 is None else p.volume_angstrom3,
                *p.centroid,
                p.mean_probability,
            )
            for p in particles
        ]
        self._values = np.array(rows, dtype=np.float64).reshape(-1, len(_COLUMNS))
        self._arrange()
        self.endResetModel()

    def label(self, row: int) -> int:
        """Return the label of the particle in a row."""
        return int(self._values[self._order[row], 0])

    def position(self, row: int) -> tuple[float, float, float]:
        """Return the centre (z, y, x) in voxels of the particle in a row."""
        z, y, x = (float(v) for v in self._values[self._order[row], 2:5])
        return z, y, x

    def row_of(self, label: int) -> int | None:
        """Return the row of a label."""
        found = np.flatnonzero(self._values[self._order, 0] == label)
        return int(found[0]) if len(found) else None

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of particles."""
        return 0 if parent is not None and parent.isValid() else len(self._order)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(_COLUMNS)

    def data(self, index: QModelIndex, role: int = _Role.DisplayRole) -> Any:
        """Return the text of a cell."""
        if role == _Role.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role != _Role.DisplayRole or not index.isValid():
            return None
        return _text(self._values[self._order[index.row()], index.column()], index.column())

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole
    ) -> Any:
        """Return the heading of a column, or its tooltip."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        titles = (_COLUMNS[0], self._unit, *_COLUMNS[2:])
        return {_Role.DisplayRole: titles, _Role.ToolTipRole: _TIPS}.get(
            _Role(role), (None,) * len(_COLUMNS)
        )[section]

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column."""
        self.layoutAboutToBeChanged.emit()
        before = self._order.copy()
        self._sorted = (column, order)
        self._arrange()
        place = np.empty(len(before), np.intp)
        place[self._order] = np.arange(len(before))
        for index in self.persistentIndexList():
            row = int(place[before[index.row()]])
            self.changePersistentIndex(index, self.index(row, index.column()))
        self.layoutChanged.emit()

    def _arrange(self) -> None:
        column, order = self._sorted
        keys: npt.NDArray[np.float64] = self._values[:, column]
        descending = order == Qt.SortOrder.DescendingOrder
        self._order = np.argsort(-keys if descending else keys, kind="stable")


class ParticleTable(QTableView):
    """The particles; a click flies there, and the Delete key deletes what is selected."""

    visited = Signal(object)
    deleted = Signal()
    selected = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.particles = ParticleModel()
        self.setModel(self.particles)
        self.setAccessibleName("Particles")
        self.setToolTip(
            "Click a particle to see it. Ctrl or Shift selects several. A heading sorts."
        )
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setSortingEnabled(True)
        self.sortByColumn(1, Qt.SortOrder.DescendingOrder)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        if rows is not None:
            rows.hide()
            rows.setDefaultSectionSize(20)
        if columns is not None:
            columns.setMinimumSectionSize(20)
            columns.setDefaultAlignment(Qt.AlignmentFlag.AlignCenter)
            for column, width in enumerate(_WIDTHS):
                columns.resizeSection(column, width)
            columns.setStretchLastSection(True)
        self.clicked.connect(self._go)
        self.activated.connect(self._go)
        selection = self.selectionModel()
        if selection is not None:
            selection.selectionChanged.connect(lambda *_: self.selected.emit())

    def sizeHint(self) -> QSize:
        """Return a height of six rows, which leaves room for the other groups on a small screen."""
        return QSize(super().sizeHint().width(), 150)

    def set_particles(self, particles: Sequence[Particle]) -> None:
        """Show other particles; those that are still there stay selected."""
        labels = self.chosen()
        self.particles.set_particles(particles)
        self.choose(labels)

    def chosen(self) -> list[int]:
        """Return the labels of the selected particles, in the order of the rows."""
        selection = self.selectionModel()
        rows = [] if selection is None else selection.selectedRows()
        return [self.particles.label(row) for row in sorted(index.row() for index in rows)]

    def choose(self, labels: Sequence[int]) -> None:
        """Select particles."""
        selection = self.selectionModel()
        flags = QItemSelectionModel.SelectionFlag
        for label in labels:
            row = self.particles.row_of(label)
            if row is not None and selection is not None:
                selection.select(self.particles.index(row, 0), flags.Select | flags.Rows)
        self.selected.emit()

    def keyPressEvent(self, e: QKeyEvent | None) -> None:
        """Delete the selected particles with the Delete key."""
        if e is not None and e.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.deleted.emit()
            return
        super().keyPressEvent(e)

    def _go(self, index: QModelIndex) -> None:
        if index.isValid():
            self.visited.emit(self.particles.position(index.row()))


def _text(value: float, column: int) -> str:
    if column == 1:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.2f}" if column == 5 else f"{value:.0f}"

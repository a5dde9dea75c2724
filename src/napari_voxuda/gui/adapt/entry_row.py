"""A line for PDB identifiers, and buttons for the paper's two groups."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_voxuda.errors import InputError
from napari_voxuda.gui.frame import Notice
from napari_voxuda.io.pdb_entries import entry_identifier
from napari_voxuda.simulation.entries import PAPER_ENTRIES

__all__ = ["EntryRow"]

_TIP = (
    "Identifiers of the Protein Data Bank, separated by spaces or commas, such as 1bxn 3j9i. Each is "
    "fetched once over HTTPS when the run starts, and kept; afterwards no network is needed."
)


class EntryRow(QWidget):
    """Identifiers typed, or those of one of the paper's groups.

    ``group_chosen`` tells which of the paper's groups was asked for.
    """

    group_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.line = QLineEdit()
        self.line.setPlaceholderText("for example 1bxn 3j9i")
        self.line.setToolTip(_TIP)
        self.line.setAccessibleName("PDB identifiers")
        self.notice = Notice()
        self.buttons: dict[str, QPushButton] = {}
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for group, entries in PAPER_ENTRIES.items():
            button = QPushButton(f"Paper's {group}")
            button.setToolTip(
                f"The structures of the paper's source {group}, {', '.join(entries)}, and the "
                "simulation settings as published."
            )
            button.setAccessibleName(f"The paper's group {group}")
            button.clicked.connect(partial(self._choose, group))
            buttons.addWidget(button)
            self.buttons[group] = button
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.line)
        layout.addWidget(self.notice)
        layout.addLayout(buttons)
        self.line.editingFinished.connect(self._judge)
        self.line.textChanged.connect(lambda: self.notice.say(""))

    def value(self) -> tuple[str, ...]:
        """Return the identifiers.

        Raises
        ------
        InputError
            When there is none, or a word is no identifier.
        """
        words = self.line.text().replace(",", " ").split()
        if not words:
            raise InputError(
                "Source: PDB identifiers were wanted, got none. Type them, such as 1bxn 3j9i."
            )
        return tuple(entry_identifier(word) for word in words)

    def _judge(self) -> None:
        """Tell of a word that is no identifier as soon as the line is left."""
        try:
            self.value()
        except InputError as error:
            self.notice.say(str(error) if self.line.text().strip() else "", "warning")

    def _choose(self, group: str, checked: bool = False) -> None:
        self.line.setText(" ".join(PAPER_ENTRIES[group]))
        self.group_chosen.emit(group)

"""The part of *Vox-UDA adapt* that lists the runs, with their states and scores."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QSize, Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from napari_voxuda.app.runs.overview import RunSummary
from napari_voxuda.gui.frame import Group, Notice
from napari_voxuda.gui.path_row import ask_folder
from napari_voxuda.gui.wrapping import let_wrap

__all__ = ["RunsGroup", "RunsTable"]

_FOLLOW_MS = 3000
_ROW = 36
_HEADINGS = {
    "Run": "The run's folder, named after its target and the time when it began.",
    "State": "Finished, how far an unfinished run is, or that a process is writing it.",
    "Dice": (
        "The Dice score of its mask: against a truth where one was compared, else ≈ what the network "
        "expects by its own probabilities, which is mostly too good."
    ),
}


class RunsTable(QTableWidget):
    """One row for each run; the selected one stays selected while the list is read anew."""

    def __init__(self) -> None:
        super().__init__(0, len(_HEADINGS))
        self.setAccessibleName("Runs")
        self.setToolTip(
            "The runs that are known, with their states and scores; choose one to open it."
        )
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setShowGrid(False)
        rows = self.verticalHeader()
        if rows is not None:
            rows.hide()
            rows.setDefaultSectionSize(_ROW)
        for column, (name, tip) in enumerate(_HEADINGS.items()):
            item = QTableWidgetItem(name)
            item.setToolTip(tip)
            self.setHorizontalHeaderItem(column, item)
        heading = self.horizontalHeader()
        if heading is not None:
            heading.setHighlightSections(False)
            heading.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            for column in (1, 2):
                heading.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.setMinimumHeight(90)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._runs: list[RunSummary] = []

    def sizeHint(self) -> QSize:
        """Return a height for up to five rows."""
        rows = min(max(self.rowCount(), 2), 5)
        heading = self.horizontalHeader()
        height = _ROW if heading is None else heading.sizeHint().height()
        return QSize(280, height + _ROW * rows + 4)

    def show_runs(self, runs: list[RunSummary]) -> None:
        """List `runs`."""
        chosen = self.chosen()
        self._runs = list(runs)
        self.blockSignals(True)
        self.clearSelection()
        self.setRowCount(len(runs))
        for row, run in enumerate(runs):
            tip = "\n".join(f"{name}: {words}" for name, words in run.details)
            state = run.state_words.replace(", ", "\n").replace("step ", "step\n")
            words = (run.name_words, state, run.score_words)
            for column, text in enumerate(words):
                item = QTableWidgetItem(text)
                item.setToolTip(tip)
                self.setItem(row, column, item)
            if chosen is not None and run.path == chosen.path:
                self.selectRow(row)
        self.blockSignals(False)
        self.updateGeometry()
        self.itemSelectionChanged.emit()

    def chosen(self) -> RunSummary | None:
        """Return the selected run."""
        rows = {index.row() for index in self.selectedIndexes()}
        return self._runs[min(rows)] if rows else None

    def choose(self, run: Path) -> None:
        """Select a run, where it is in the list."""
        for row, summary in enumerate(self._runs):
            if summary.path == run:
                self.selectRow(row)


class RunsGroup(Group):
    """The runs, what is known of the selected one, and buttons to open it."""

    opened = Signal(object)
    added = Signal(object)
    refreshed = Signal()
    ticked = Signal()

    def __init__(self) -> None:
        super().__init__("Runs", expanded=False)
        self.table = RunsTable()
        self.details = QLabel()
        self.details.setTextFormat(Qt.TextFormat.PlainText)
        let_wrap(self.details)
        self.details.setAccessibleName("The selected run")
        self.open_button = _button(
            "Open",
            "Choose the selected run as run folder: look at its curves, resume it, segment with it, or "
            "watch it while another process writes it.",
        )
        self.add_button = _button(
            "Add…", "Add a run folder, or a folder of runs, from another place."
        )
        self.refresh_button = _button("Refresh", "Read the list anew.")
        self.followed = Notice()
        self.followed.setAccessibleName("A run that goes on elsewhere")
        buttons = QWidget()
        row = QHBoxLayout(buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for button in (self.open_button, self.add_button, self.refresh_button):
            row.addWidget(button)
        for widget in (self.table, self.details, buttons, self.followed):
            self.addWidget(widget)
        self._timer = QTimer(self)
        self._timer.setInterval(_FOLLOW_MS)
        self._timer.timeout.connect(self.ticked.emit)
        self._connect()
        self._show_chosen()

    def show_runs(self, runs: list[RunSummary]) -> None:
        """List the runs."""
        self.table.show_runs(runs)

    def follow(self, words: str) -> None:
        """Say that a run goes on elsewhere and tick while it does; an empty text ends it."""
        self.followed.say(words)
        if words and not self._timer.isActive():
            self._timer.start()
        elif not words:
            self._timer.stop()

    def _connect(self) -> None:
        self.table.itemSelectionChanged.connect(self._show_chosen)
        self.table.cellDoubleClicked.connect(lambda *_: self._open())
        self.open_button.clicked.connect(lambda: self._open())
        self.add_button.clicked.connect(lambda: self._ask())
        self.refresh_button.clicked.connect(lambda: self.refreshed.emit())
        self.heading.toggled.connect(self._unfolded)

    def _unfolded(self, expanded: bool) -> None:
        if expanded:
            self.refreshed.emit()

    def _show_chosen(self) -> None:
        chosen = self.table.chosen()
        self.open_button.setEnabled(chosen is not None and chosen.state != "damaged")
        if chosen is not None:
            self.details.setText("\n".join(f"{n}: {w}" for n, w in chosen.details[:-1]))
            self.details.setToolTip(str(chosen.path))
        elif self.table.rowCount():
            self.details.setText("Select a run to see more of it.")
        else:
            self.details.setText("No runs yet. Those that you start here are kept in this list.")

    def _open(self) -> None:
        chosen = self.table.chosen()
        if chosen is not None and chosen.state != "damaged":
            self.opened.emit(chosen.path)

    def _ask(self) -> None:
        for folder in ask_folder(self, "Add runs"):
            self.added.emit(folder)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAccessibleName(text.rstrip("…"))
    return button

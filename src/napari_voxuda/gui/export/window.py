"""The window *Export masks*: what is written on the left, every file to be on the right."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QFontDatabase, QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QBoxLayout,
    QDialog,
    QFrame,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_voxuda.app.export.choice import ExportChoice, ExportOffer, ExportOption
from napari_voxuda.app.export.controller import ExportController
from napari_voxuda.app.export.preview import ExportPreview, FilePreview
from napari_voxuda.app.job import JobState
from napari_voxuda.app.pace import ProgressLine
from napari_voxuda.app.running import Executor
from napari_voxuda.app.scene import LayerChoice, Scene
from napari_voxuda.app.words import Level
from napari_voxuda.gui.executor import ThreadExecutor
from napari_voxuda.gui.export.options import ExportOptions
from napari_voxuda.gui.frame import Notice, when_destroyed
from napari_voxuda.gui.job_bar import JobBar
from napari_voxuda.gui.wrapping import let_wrap

__all__ = ["ExportWindow"]

_COLUMNS = ("File", "Size", "State", "First particle (x, y, z)")
_OPTIONS_WIDTH, _WIDTH, _HEIGHT = 410, 1060, 640
_SIDE_BY_SIDE, _LEAST_OPTIONS = 760, 260
_NO_LIMIT = 16_777_215  # of Qt, for a widget's width
_LET_TYPING_SETTLE_MS = 200


class ExportWindow(QDialog):
    """View of `ExportController`.

    Parameters
    ----------
    scene : Scene
        The layers; closed with the window.
    offer : ExportOffer
        What is chosen at first.
    executor : Executor or None
        Where work is done; threads without.
    """

    def __init__(
        self,
        scene: Scene,
        offer: ExportOffer,
        executor: Executor | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export masks")
        self.setAccessibleName("Export masks")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._executor = executor if executor is not None else ThreadExecutor()
        self._ready, self._state = False, JobState.IDLE
        self._files: tuple[FilePreview, ...] = ()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_LET_TYPING_SETTLE_MS)
        self._build()
        self.controller = ExportController(self, scene, self._executor, offer)
        self._connect(scene)
        when_destroyed(self, scene.close, self.controller.close, self._executor.close)
        self.controller.begin()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Put the files beside the options where there is room, below them where there is none."""
        super().resizeEvent(event)
        wide = self.width() >= _SIDE_BY_SIDE
        directions = QBoxLayout.Direction
        self._row.setDirection(directions.LeftToRight if wide else directions.TopToBottom)
        self._area.setMinimumHeight(0 if wide else _LEAST_OPTIONS)
        self._area.setMinimumWidth(_OPTIONS_WIDTH if wide else 0)
        self._area.setMaximumWidth(_OPTIONS_WIDTH if wide else _NO_LIMIT)

    def choice(self) -> ExportChoice:
        """Return the inputs."""
        return self.options.choice()

    def show_layers(self, masks: list[LayerChoice], probabilities: list[LayerChoice]) -> None:
        """Show the layers to choose from."""
        self.options.show_layers(masks, probabilities)

    def show_offer(self, offer: ExportOffer, folder: Path | None, pixel: float | None) -> None:
        """Show what is chosen at first."""
        self.options.show_offer(offer, folder, pixel)
        self._settle.stop()

    def show_name(self, name: str, *, editable: bool) -> None:
        """Propose a name."""
        self.options.show_name(name, editable=editable)

    def show_options(self, options: frozenset[ExportOption]) -> None:
        """Show the options that are needed."""
        self.options.show_options(options)

    def show_preview(self, preview: ExportPreview | None) -> None:
        """Show every file that would be written; the selected row stays selected."""
        row = max(0, self.table.currentRow())
        self._files = () if preview is None else preview.files
        self.table.setRowCount(len(self._files))
        for number, file in enumerate(self._files):
            for column, text in enumerate(_cells(file)):
                item = QTableWidgetItem(text)
                item.setToolTip(str(file.planned.path) if column == 0 else text)
                self.table.setItem(number, column, item)
        self.table.resizeColumnsToContents()
        if self._files:
            self.table.selectRow(min(row, len(self._files) - 1))
        self._show_details()

    def show_ready(self, ready: bool, words: str) -> None:
        """Enable the export, and say why it is not or what it will do."""
        self._ready = ready
        self.summary.setText(words)
        self._update()

    def show_state(self, state: JobState) -> None:
        """Show the state of the export."""
        self._state = state
        self.bar.show_state(state)
        self._update()

    def show_progress(self, line: ProgressLine) -> None:
        """Show how far the export is."""
        self.bar.show_progress(line)

    def say(self, text: str, level: Level = "info") -> None:
        """Show a sentence."""
        self.notice.say(text, level)

    def _build(self) -> None:
        self.options = ExportOptions()
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(self.options)
        self.table = _file_table()
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setTabChangesFocus(True)
        self.details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.details.setAccessibleName("The selected file")
        self.details.setToolTip(
            "The first lines of the selected file, or what its header will say."
        )
        self.summary = QLabel()
        let_wrap(self.summary)
        self.summary.setAccessibleName("Summary")
        self.bar = JobBar(
            "Export",
            start_tip="Write the files. Each appears under its name when it is complete.",
            stop_tip="Stop before the next file; files that are finished stay.",
        )
        self.bar.pause_button.hide()
        self.bar.resume_button.hide()
        self.notice = Notice()
        right = QVBoxLayout()
        right.setSpacing(6)
        right.addWidget(self.table, 2)
        right.addWidget(self.details, 3)
        for widget in (self.summary, self.bar, self.notice):
            right.addWidget(widget)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.addWidget(self._area, 0)
        self._row.addLayout(right, 1)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)  # Enter ends a line; it must not press a button
        self.resize(_WIDTH, _HEIGHT)

    def _connect(self, scene: Scene) -> None:
        controller = self.controller
        self._settle.timeout.connect(controller.changed)
        self.options.changed.connect(self._settle.start)
        self.table.itemSelectionChanged.connect(self._show_details)
        self.bar.started.connect(controller.export)
        self.bar.stopped.connect(controller.work.cancel)
        scene.watch_layers(controller.layers_changed)

    def _update(self) -> None:
        self.bar.start_button.setEnabled(self._ready and not self._state.is_active)

    def _show_details(self) -> None:
        row = self.table.currentRow()
        shown = self._files[row] if 0 <= row < len(self._files) else None
        self.details.setPlainText("" if shown is None else _details(shown))


def _cells(file: FilePreview) -> tuple[str, ...]:
    planned = file.planned
    state = "cannot be written" if file.problem else "exists" if file.exists else "new"
    size = _size_words(file.size_bytes)
    first = "" if planned.first is None else f"{_triple(planned.first)} {planned.unit}"
    return (planned.path.name, size if file.is_exact else f"at most {size}", state, first)


def _details(file: FilePreview) -> str:
    """Return what a file will hold: its first lines, or the facts of its header."""
    if file.head:
        return file.head
    planned = file.planned
    voxel, origin = planned.voxel_size_angstrom, planned.origin_angstrom
    lines = [str(planned.path), "", f"content     {planned.kind}", f"type        {file.dtype}"]
    lines.append(f"voxel size  {'unknown' if voxel is None else _xyz(voxel, 'Å')}")
    if origin is not None:
        lines.append(f"origin      {_xyz(origin, 'Å')}")
    if file.nstart is not None:
        lines.append(f"nstart      {_xyz(file.nstart, 'voxels')}")
    return "\n".join([*lines, *([planned.note] if planned.note else [])])


def _xyz(values: tuple[float, float, float], unit: str) -> str:
    """Return a triple (z, y, x) as files tell it."""
    return f"{_triple(values[::-1])} {unit} (x, y, z)"


def _triple(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.6g}" for value in values)


def _size_words(size_bytes: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if unit == "bytes" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.2f} GB"


def _file_table() -> QTableWidget:
    """Return the empty table of the files that will be written."""
    table = QTableWidget(0, len(_COLUMNS))
    table.setHorizontalHeaderLabels(list(_COLUMNS))
    table.setAccessibleName("Files that will be written")
    table.setToolTip("Every file that will be written. Select one to look into it.")
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setTabKeyNavigation(False)
    heading, rows = table.horizontalHeader(), table.verticalHeader()
    if heading is not None and rows is not None:
        heading.setStretchLastSection(True)
        heading.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        rows.hide()
    return table

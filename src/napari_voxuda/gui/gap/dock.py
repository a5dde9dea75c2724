"""The dock *Vox-UDA domain gap*: how far the source is from the target, and whether noise closes it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from qtpy.QtCore import Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_voxuda.app.adapt.request import AdaptRequest
from napari_voxuda.app.gap.controller import GapController
from napari_voxuda.app.gap.report import GapReport
from napari_voxuda.app.gap.words import gap_rows
from napari_voxuda.app.job import JobState
from napari_voxuda.app.running import Executor
from napari_voxuda.app.scene import Scene
from napari_voxuda.gui.executor import ThreadExecutor
from napari_voxuda.gui.frame import when_destroyed
from napari_voxuda.gui.gap.plots import BoxPictures, GapPlots
from napari_voxuda.gui.job_bar import JobBar
from napari_voxuda.gui.job_dock import JobDock
from napari_voxuda.gui.wrapping import let_wrap

__all__ = ["GapDock"]

_WIDE = 620
_EMPTY = (
    "Compares the source that “Vox-UDA adapt” would simulate with your tomogram, before and after "
    "noise matching. Press Measure: it takes some seconds, and trains nothing."
)


class GapDock(JobDock):
    """View of `GapController`.

    Parameters
    ----------
    scene : Scene
        The layers.
    inputs : callable
        Returns the inputs of the run that would start now.
    executor : Executor or None
        Where work is done; threads without.
    """

    def __init__(
        self,
        scene: Scene,
        inputs: Callable[[], AdaptRequest],
        executor: Executor | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName("Vox-UDA domain gap")
        self._inputs = inputs
        self._executor = executor if executor is not None else ThreadExecutor()
        self._build()
        self.controller = GapController(self, scene, self._executor)
        self.drive(self.controller.measure, self.controller.work)
        when_destroyed(self, scene.close, self.controller.close, self._executor.close)

    def request(self) -> AdaptRequest:
        """Return the inputs of the run that would start now."""
        return self._inputs()

    def show_report(self, report: GapReport | None) -> None:
        """Show what was measured; what stands there is greyed while it is measured again."""
        self.body.setEnabled(report is not None)
        self.headline.setEnabled(report is not None)
        self.meaning.setEnabled(report is not None)
        if report is None:
            return
        self.headline.setText(" ".join(report.sentences[:2]).replace(" %", "\N{NO-BREAK SPACE}%"))
        self.headline.show()
        self.meaning.setText(" ".join([*report.sentences[2:], f"Target: {report.name}."]))
        self.plots.show_gap(report.gap)
        self.pictures.show_gap(report.gap)
        self.table.setText(_table(gap_rows(report.gap)))
        self.body.show()

    def show_state(self, state: JobState) -> None:
        """Show the state of the job; what was measured before is in force again if it was stopped."""
        super().show_state(state)
        if not state.is_active:
            self.body.setEnabled(True)
            self.headline.setEnabled(True)
            self.meaning.setEnabled(True)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Put pictures beside the plots where there is room, below them where there is none."""
        super().resizeEvent(event)
        wide = self.width() >= _WIDE
        directions = QBoxLayout.Direction
        self._row.setDirection(directions.LeftToRight if wide else directions.TopToBottom)

    def _build(self) -> None:
        self.headline = _words("", "What the gap means")
        self.headline.setStyleSheet("font-weight: bold;")
        self.headline.hide()
        self.meaning = _words(_EMPTY, "What was compared")
        self.plots, self.pictures = GapPlots(), BoxPictures()
        self.table = QLabel()
        self.table.setTextFormat(Qt.TextFormat.RichText)
        let_wrap(self.table)
        self.table.setAccessibleName("What was measured")
        beside = QWidget()
        column = QVBoxLayout(beside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.pictures)
        column.addWidget(self.table)
        column.addStretch(1)
        self.body = QWidget()
        self._row = QBoxLayout(QBoxLayout.Direction.TopToBottom, self.body)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        self._row.addWidget(self.plots, 1)
        self._row.addWidget(beside, 1)
        self.body.hide()
        self.column.addWidget(self.headline)
        self.column.addWidget(self.meaning)
        self.column.addWidget(self.body)
        self.column.addStretch(1)
        self.end_with(
            JobBar(
                "Measure",
                start_tip="Measure the gap for the target, source and settings that are chosen in the dock "
                "“Vox-UDA adapt”; it is opened where it is not there.",
                stop_tip="Stop after the current boxes; nothing is shown.",
            )
        )


def _words(text: str, name: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse
        | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    let_wrap(label)
    label.setAccessibleName(name)
    return label


def _table(rows: list[tuple[str, ...]]) -> str:
    """Return rows as rich text, the first as a heading."""
    lines = []
    for number, row in enumerate(rows):
        tag = "th" if number == 0 else "td"
        first, *others = (escape(cell) for cell in row)
        cells = "".join(f'<{tag} align="right">{cell}</{tag}>' for cell in others)
        lines.append(f'<tr><{tag} align="left">{first}</{tag}>{cells}</tr>')
    return f'<table cellspacing="0" cellpadding="2" width="100%">{"".join(lines)}</table>'

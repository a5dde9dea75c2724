"""Live curves of losses and pseudo-labels; pyqtgraph is imported with the first point."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_voxuda.adaptation.events import StepDone
from napari_voxuda.gui.paced import Paced
from napari_voxuda.gui.plot_theme import (
    join_legend,
    legend_entry,
    legend_label,
    paint_plot,
    style_colour,
)
from napari_voxuda.gui.wrapping import let_wrap

__all__ = ["CurvePanel"]

_HEIGHT = 145
_TOP = 8  # room for the upper half of the highest number
# Colours that colour-blind readers tell apart (Okabe and Ito); the dashes tell them apart too.
_STYLES: dict[str, tuple[str, Qt.PenStyle]] = {
    "total": ("text", Qt.PenStyle.SolidLine),
    "segmentation": ("#3d8fd1", Qt.PenStyle.SolidLine),
    "pseudo": ("#e69f00", Qt.PenStyle.DashLine),
    "consistency": ("#009e73", Qt.PenStyle.DotLine),
    "discriminator": ("#cc79a7", Qt.PenStyle.DashDotLine),
    "coverage": ("#3d8fd1", Qt.PenStyle.SolidLine),
    "foreground": ("#d55e00", Qt.PenStyle.DashLine),
}
_LOSSES = ("total", "segmentation", "pseudo", "consistency", "discriminator")
_TITLES = {"coverage": "voxels with a pseudo-label", "foreground": "of these, foreground"}


class CurvePanel(QWidget):
    """Two small plots over the steps: the losses, and the pseudo-labels in per cent.

    Parameters
    ----------
    paced : Paced or None
        When the curves are drawn again; at a pace of its own without.
    """

    def __init__(self, paced: Paced | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paced = paced if paced is not None else Paced(self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._empty = QLabel("The loss curves appear here while the run goes on.")
        let_wrap(self._empty)
        self._column.addWidget(self._empty)
        self._plots: list[Any] = []
        self._legends: list[tuple[QLabel, tuple[str, ...]]] = []
        self._lines: dict[str, Any] = {}
        self._values: dict[str, tuple[list[int], list[float]]] = {}
        self._counting: set[str] = set()
        self._marked: list[int] = []
        self._marks: list[tuple[Any, Any]] = []

    def prepare(self) -> None:
        """Make the plots now, which takes the window some tenths of a second, and not at the first step."""
        if not self._plots:
            self._build()
            self._show_counting()

    def add(self, step: StepDone) -> None:
        """Append a step; the curves are drawn again at most once a second."""
        shares = {"coverage": 100 * step.coverage, "foreground": 100 * step.foreground}
        for name, value in {**step.losses, **shares}.items():
            steps, values = self._values.setdefault(name, ([], []))
            steps.append(step.step)
            values.append(float(value))
        self._paced.show("curves", self._redraw)

    def mark(self, step: int) -> None:
        """Mark a step at which something went wrong by an upright line."""
        self._marked.append(step)
        self._paced.show("curves", self._redraw)

    def clear(self) -> None:
        """Forget every step and mark."""
        self._values.clear()
        self._marked.clear()
        for plot, line in self._marks:
            plot.removeItem(line)
        self._marks.clear()
        for line in self._lines.values():
            line.setData([], [])

    def points(self, name: str) -> tuple[list[int], list[float]]:
        """Return the steps and values of one curve."""
        steps, values = self._values.get(name, ([], []))
        return list(steps), list(values)

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        changes = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange)
        if event is not None and event.type() in changes:
            self._paint()

    def _redraw(self) -> None:
        self.prepare()
        self._empty.setVisible(not self._values)
        for name, (steps, values) in self._values.items():
            if name in self._lines:
                first = "o" if len(steps) == 1 else None  # one point makes no line
                self._lines[name].setData(steps, values, symbol=first, symbolSize=5)
        self._draw_marks()
        counting = {name for name, (_, values) in self._values.items() if any(values)}
        if counting != self._counting:
            self._counting = counting
            self._show_counting()

    def _draw_marks(self) -> None:
        import pyqtgraph as pg

        for step in self._marked[len(self._marks) // len(self._plots) :]:
            for plot in self._plots:
                line = pg.InfiniteLine(step, angle=90, pen=self._mark_pen())
                plot.addItem(line)
                self._marks.append((plot, line))

    def _mark_pen(self) -> Any:
        import pyqtgraph as pg

        text = self.palette().color(QPalette.ColorRole.WindowText)
        return pg.mkPen(text, width=1, style=Qt.PenStyle.DashLine)

    def _show_counting(self) -> None:
        """Leave out the terms that a run does not use, which stay at 0."""
        for name, line in self._lines.items():
            line.setVisible(name in self._counting)
        for plot, (legend, names) in zip(self._plots, self._legends, strict=True):
            used = bool(self._counting.intersection(names))
            plot.setVisible(used)
            legend.setVisible(used)
        self._paint()

    def _build(self) -> None:
        import pyqtgraph as pg

        for label, names in (("loss", _LOSSES), ("%", tuple(_TITLES))):
            plot = pg.PlotWidget()
            plot.setFixedHeight(_HEIGHT)
            plot.setMouseEnabled(x=False, y=False)
            plot.setMenuEnabled(False)
            plot.hideButtons()
            plot.setLabel("left", label)
            plot.setLabel("bottom", "step")
            plot.getPlotItem().setContentsMargins(0, _TOP, 0, 0)
            plot.setDownsampling(auto=True, mode="peak")
            plot.setLimits(yMin=0.0, minYRange=1e-3)
            for side in ("left", "bottom"):
                plot.getAxis(side).enableAutoSIPrefix(False)
            plot.getAxis("left").setWidth(44)
            plot.setAccessibleName("Loss curves" if label == "loss" else "Pseudo-label curves")
            for name in names:
                self._lines[name] = plot.plot([], [])
            legend = legend_label()
            self._plots.append(plot)
            self._legends.append((legend, names))
            self._column.addWidget(plot)
            self._column.addWidget(legend)
        self._plots[-1].setXLink(self._plots[0])
        self._paint()

    def _paint(self) -> None:
        if not self._plots:
            return
        import pyqtgraph as pg

        text = self.palette().color(QPalette.ColorRole.WindowText)
        for plot in self._plots:
            paint_plot(plot, self.palette())
        for name, line in self._lines.items():
            colour, dash = _STYLES[name]
            width = 3.2 if name == "total" else 1.6  # it is seen below the only term of a sum
            line.setPen(pg.mkPen(style_colour(colour, text), width=width, style=dash))
        for _, line in self._marks:
            line.setPen(self._mark_pen())
        for label, names in self._legends:
            entries = []
            for name in names:
                if name in self._counting:
                    colour, dash = _STYLES[name]
                    entries.append(
                        legend_entry(_TITLES.get(name, name), style_colour(colour, text), dash)
                    )
            label.setText(join_legend(entries))

"""Live curves of losses and pseudo-labels; pyqtgraph is imported with the first point."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_voxuda.adaptation.events import StepDone

__all__ = ["CurvePanel"]

_REDRAW_MS = 200
_HEIGHT = 150
# Colours that colour-blind readers tell apart (Okabe and Ito); the dashes tell them apart too.
_STYLES: dict[str, tuple[str, Qt.PenStyle]] = {
    "total": ("text", Qt.PenStyle.SolidLine),
    "segmentation": ("#0072b2", Qt.PenStyle.SolidLine),
    "pseudo": ("#e69f00", Qt.PenStyle.DashLine),
    "consistency": ("#009e73", Qt.PenStyle.DotLine),
    "discriminator": ("#cc79a7", Qt.PenStyle.DashDotLine),
    "coverage": ("#56b4e9", Qt.PenStyle.SolidLine),
    "foreground": ("#d55e00", Qt.PenStyle.DashLine),
}
_TITLES = {"coverage": "voxels with a pseudo-label", "foreground": "of these, foreground"}


class CurvePanel(QWidget):
    """Two small plots over the steps: the losses, and the pseudo-labels in per cent."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._empty = QLabel("The loss curves appear here while the run goes on.")
        self._empty.setWordWrap(True)
        self._empty.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._column.addWidget(self._empty)
        self._plots: list[Any] = []
        self._lines: dict[str, Any] = {}
        self._values: dict[str, tuple[list[int], list[float]]] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REDRAW_MS)
        self._timer.timeout.connect(self._redraw)

    def add(self, step: StepDone) -> None:
        """Append a step; the curves are drawn again at most five times a second."""
        shares = {"coverage": 100 * step.coverage, "foreground": 100 * step.foreground}
        for name, value in {**step.losses, **shares}.items():
            steps, values = self._values.setdefault(name, ([], []))
            steps.append(step.step)
            values.append(float(value))
        if not self._timer.isActive():
            self._timer.start()

    def clear(self) -> None:
        """Forget every step."""
        self._values.clear()
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
        if not self._plots:
            self._build()
        for name, (steps, values) in self._values.items():
            if name in self._lines:
                self._lines[name].setData(steps, values)

    def _build(self) -> None:
        import pyqtgraph as pg

        self._empty.hide()
        losses = tuple(name for name in _STYLES if name not in _TITLES)
        for label, names in (("loss", losses), ("%", tuple(_TITLES))):
            plot = pg.PlotWidget()
            plot.setFixedHeight(_HEIGHT)
            plot.setMouseEnabled(x=False, y=False)
            plot.setMenuEnabled(False)
            plot.hideButtons()
            plot.setLabel("left", label)
            plot.addLegend(offset=(-4, 2), labelTextSize="8pt", verSpacing=-6)
            plot.setAccessibleName("Loss curves" if label == "loss" else "Pseudo-label curves")
            for name in names:
                self._lines[name] = plot.plot([], [], name=_TITLES.get(name, name))
            self._plots.append(plot)
            self._column.addWidget(plot)
        self._plots[-1].setLabel("bottom", "step")
        self._plots[-1].setXLink(self._plots[0])
        self._paint()

    def _paint(self) -> None:
        if not self._plots:
            return
        import pyqtgraph as pg

        palette = self._empty.palette()
        text = palette.color(QPalette.ColorRole.WindowText)
        ground = palette.color(QPalette.ColorRole.Window)
        for plot in self._plots:
            plot.setBackground(ground)
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(text)
                plot.getAxis(side).setTextPen(text)
            plot.plotItem.legend.setLabelTextColor(text)
        for name, line in self._lines.items():
            colour, dashes = _STYLES[name]
            pen = pg.mkPen(text if colour == "text" else colour, width=1.6, style=dashes)
            line.setPen(pen)
        for plot in self._plots:
            legend = plot.plotItem.legend
            for _, label in legend.items:
                label.setText(label.text)

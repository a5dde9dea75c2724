"""Spectra, histograms and boxes of source and target; pyqtgraph is imported with the first report."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_voxuda.adaptation.domain_gap import DomainGap
from napari_voxuda.app.gap.figure import shown_images, shown_range
from napari_voxuda.app.gap.words import DOMAIN_NAMES, image_captions
from napari_voxuda.gui.pixmaps import grey_pixmap
from napari_voxuda.gui.plot_theme import (
    join_legend,
    legend_entry,
    legend_label,
    paint_plot,
    style_colour,
)
from napari_voxuda.gui.wrapping import let_wrap

__all__ = ["BoxPictures", "GapPlots"]

_HEIGHT = 165
_EDGE = 128
# Okabe and Ito's colours; dash and width tell the lines apart too.
_STYLES: dict[str, tuple[str, Qt.PenStyle, float]] = {
    "target": ("text", Qt.PenStyle.SolidLine, 2.0),
    "source": ("#d55e00", Qt.PenStyle.DashLine, 1.6),
    "matched": ("#3d8fd1", Qt.PenStyle.DotLine, 2.6),
}
_BAND_ALPHA = 28


class GapPlots(QWidget):
    """Radial power spectra and histograms of intensities."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._plots: dict[str, Any] = {}
        self._legends: dict[str, QLabel] = {}
        self._lines: dict[tuple[str, str], Any] = {}
        self._bands: list[Any] = []
        self._shown: tuple[str, ...] = ()

    def show_gap(self, gap: DomainGap) -> None:
        """Draw a gap in the place of the last one."""
        if not self._plots:
            self._build()
        domains = {"target": gap.target, "source": gap.source, "matched": gap.matched}
        self._shown = tuple(name for name, domain in domains.items() if domain is not None)
        frequency = gap.frequencies / gap.voxel_size_angstrom
        centres = (gap.edges[1:] + gap.edges[:-1]) / 2
        for name, domain in domains.items():
            spectra, histogram = self._lines["spectra", name], self._lines["histogram", name]
            if domain is None:
                spectra.setData([], [])
                histogram.setData([], [])
            else:
                spectra.setData(frequency, np.maximum(domain.power, 1e-12))
                histogram.setData(centres, domain.density)
        powers = [d.power for d in domains.values() if d is not None]
        self._plots["spectra"].getAxis("left").setTicks([_log_ticks(np.concatenate(powers))])
        self._draw_bands(frequency, gap.noisy)
        self._plots["histogram"].setXRange(*shown_range(gap), padding=0)
        self._paint()

    def line(self, plot: str, name: str) -> tuple[list[float], list[float]]:
        """Return the points of a line: of ``"spectra"`` or ``"histogram"``, of one kind of boxes."""
        line = self._lines[plot, name]
        x, y = (list(v) if v is not None else [] for v in (line.xData, line.yData))
        return x, y

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        changes = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange)
        if event is not None and event.type() in changes:
            self._paint()

    def _build(self) -> None:
        import pyqtgraph as pg

        titles = {
            "spectra": ("Radial power spectra", "spatial frequency (1/Å)", "power"),
            "histogram": (
                "Intensities, protein bright",
                "intensity (standard deviations of the target)",
                "density",
            ),
        }
        for key, (title, bottom, left) in titles.items():
            heading = QLabel(title)
            heading.setStyleSheet("font-weight: bold;")
            plot = pg.PlotWidget()
            plot.setFixedHeight(_HEIGHT)
            plot.setMouseEnabled(x=False, y=False)
            plot.setMenuEnabled(False)
            plot.hideButtons()
            plot.setLabel("left", left)
            for side in ("left", "bottom"):
                plot.getAxis(side).enableAutoSIPrefix(False)
            plot.getAxis("left").setWidth(48)
            plot.setAccessibleName(title)
            for name in _STYLES:
                self._lines[key, name] = plot.plot([], [])
            self._plots[key] = plot
            self._legends[key] = legend_label()
            below = QLabel(bottom)  # pyqtgraph cuts the feet of its letters off
            below.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            below.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            for widget in (heading, plot, below, self._legends[key]):
                self._column.addWidget(widget)
        self._plots["spectra"].setLogMode(y=True)
        self._column.addStretch(1)

    def _draw_bands(self, frequency: Any, noisy: Any) -> None:
        import pyqtgraph as pg

        plot = self._plots["spectra"]
        for band in self._bands:
            plot.removeItem(band)
        half = (frequency[1] - frequency[0]) / 2 if len(frequency) > 1 else frequency[0] / 2
        edges = np.flatnonzero(np.diff(np.concatenate([[False], noisy, [False]]).astype(int)))
        self._bands = [
            pg.LinearRegionItem(
                (frequency[first] - half, frequency[last - 1] + half), movable=False
            )
            for first, last in zip(edges[::2], edges[1::2], strict=True)
        ]
        for band in self._bands:
            band.setZValue(-10)
            plot.addItem(band)

    def _paint(self) -> None:
        if not self._plots:
            return
        import pyqtgraph as pg

        text = self.palette().color(QPalette.ColorRole.WindowText)
        for plot in self._plots.values():
            paint_plot(plot, self.palette())
        entries = []
        for name, (colour, dash, width) in _STYLES.items():
            pen = pg.mkPen(style_colour(colour, text), width=width, style=dash)
            for key in self._plots:
                self._lines[key, name].setPen(pen)
            if name in self._shown:
                entries.append(legend_entry(DOMAIN_NAMES[name], style_colour(colour, text), dash))
        shade = style_colour("text", text)
        shade.setAlpha(_BAND_ALPHA)
        for band in self._bands:
            band.setBrush(pg.mkBrush(shade))
            for line in band.lines:
                line.setPen(pg.mkPen(None))
        self._legends["histogram"].setText(join_legend(entries))
        self._legends["spectra"].setText(
            join_legend([*entries, "▒&nbsp;compared:&nbsp;noise&nbsp;dominates"])
        )


def _log_ticks(values: Any) -> list[tuple[float, str]]:
    """Return ticks at 1, 2 and 5 times the powers of ten, only at these where there are many."""
    positive = np.maximum(values, 1e-12)
    decades = range(math.floor(np.log10(positive.min())), math.ceil(np.log10(positive.max())) + 1)
    steps = (1, 2, 5) if len(decades) <= 4 else (1,)
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    return [(math.log10(tick), f"{tick:g}") for tick in ticks]


class BoxPictures(QWidget):
    """Central slices: a source box before and after, a target box, and the NGM's residual."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(4)
        self.pictures: dict[str, QLabel] = {}
        self.captions: dict[str, QLabel] = {}
        for number, name in enumerate(("source", "matched", "target", "residual")):
            picture, caption = QLabel(), QLabel()
            picture.setFixedSize(_EDGE, _EDGE)
            caption.setWordWrap(True)
            caption.setFixedWidth(_EDGE)
            caption.setMargin(0)
            caption.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            row, column = 2 * (number // 2), number % 2
            self._grid.addWidget(picture, row, column)
            self._grid.addWidget(caption, row + 1, column)
            self.pictures[name], self.captions[name] = picture, caption
        self._note = QLabel()
        let_wrap(self._note)
        self._grid.addWidget(self._note, 4, 0, 1, 3)
        self._grid.setColumnStretch(2, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

    def show_gap(self, gap: DomainGap) -> None:
        """Show the slices of a gap."""
        images, captions = shown_images(gap), image_captions(gap)
        for name, picture in self.pictures.items():
            shown = name in images
            picture.setVisible(shown)
            self.captions[name].setVisible(shown)
            if not shown:
                continue
            image, (low, high) = images[name]
            picture.setPixmap(grey_pixmap(image, low, high, _EDGE))
            picture.setAccessibleName(captions[name])
            self.captions[name].setText(captions[name])
        (low, high), (least, most) = images["target"][1], images["residual"][1]
        self._note.setText(
            f"Central slices. Boxes from {low:.2g} (black) to {high:.2g} (white) standard deviations "
            f"of the target, the noise from {least:.2g} to {most:.2g}."
        )

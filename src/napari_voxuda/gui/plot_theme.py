"""How plots look: in the colours of the theme, with a legend in words below."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QLabel

from napari_voxuda.gui.wrapping import let_wrap

__all__ = ["join_legend", "legend_entry", "legend_label", "paint_plot", "style_colour"]

_GLYPHS = {
    Qt.PenStyle.SolidLine: "━━",
    Qt.PenStyle.DashLine: "╍╍",
    Qt.PenStyle.DotLine: "┉┉",
    Qt.PenStyle.DashDotLine: "━╍",
}


def paint_plot(plot: Any, palette: QPalette) -> None:
    """Give a pyqtgraph plot the palette's ground and text."""
    text = palette.color(QPalette.ColorRole.WindowText)
    plot.setBackground(palette.color(QPalette.ColorRole.Window))
    for side in ("left", "bottom"):
        plot.getAxis(side).setPen(text)
        plot.getAxis(side).setTextPen(text)


def style_colour(colour: str, text: QColor) -> QColor:
    """Return the colour that a style names; ``"text"`` is that of the theme's text."""
    return text if colour == "text" else QColor(colour)


def legend_label() -> QLabel:
    """Return an empty label for legend entries, which wraps."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.RichText)
    let_wrap(label)
    return label


def legend_entry(title: str, colour: QColor, dash: Qt.PenStyle) -> str:
    """Return a line's glyph in its colour and its title, as rich text."""
    words = title.replace(" ", "&nbsp;")
    return f'<span style="color:{colour.name()}">{_GLYPHS[dash]}</span>&nbsp;{words}'


def join_legend(entries: Iterable[str]) -> str:
    """Return entries side by side."""
    return "&nbsp; ".join(entries)

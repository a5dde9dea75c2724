"""A patch of colour on a button that paints with it."""

from __future__ import annotations

from qtpy.QtGui import QColor, QIcon, QPixmap

__all__ = ["swatch"]

_EDGE = 12


def swatch(color: str) -> QIcon:
    """Return a square of a colour, such as ``"#ffc20a"``."""
    pixels = QPixmap(_EDGE, _EDGE)
    pixels.fill(QColor(color))
    return QIcon(pixels)

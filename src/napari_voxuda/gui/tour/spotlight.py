"""A frame around the widget that is spoken of."""

from __future__ import annotations

from qtpy.QtCore import QRect, Qt, QTimer
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QScrollArea, QWidget

from napari_voxuda.gui.frame import Group

__all__ = ["Spotlight"]

_MARGIN = 4
_FOLLOW_MS = 200
_LIGHT, _DARK = QColor("#ffd54a"), QColor("#202020")


class Spotlight(QWidget):
    """Draws a frame over the window of its target; clicks go through it to what it frames.

    Parameters
    ----------
    owner : QWidget
        Any widget; nothing is framed any more when it is gone.
    """

    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner.window())
        owner.destroyed.connect(self.deleteLater)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._target: QWidget | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_FOLLOW_MS)
        self._timer.timeout.connect(self._follow)
        self.hide()

    def point_at(self, target: QWidget | None) -> None:
        """Unfold and scroll to `target` and frame it; None frames nothing."""
        if self._target is not None:
            self._target.destroyed.disconnect(self._lose)
        self._target = target
        if target is None:
            self._lose()
            return
        target.destroyed.connect(self._lose)
        parent = target.parentWidget()
        while parent is not None:
            if isinstance(parent, Group):
                parent.expand()
            if isinstance(parent, QScrollArea):
                parent.ensureWidgetVisible(target)
            parent = parent.parentWidget()
        self._timer.start()
        self._follow()

    def clear(self) -> None:
        """Frame nothing."""
        self.point_at(None)

    def target(self) -> QWidget | None:
        """Return what is framed."""
        return self._target

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the frame: a light line between dark ones, which is seen in every theme."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inner = self.rect().adjusted(3, 3, -3, -3)
        for colour, width in ((_DARK, 5), (_LIGHT, 3)):
            painter.setPen(QPen(colour, width))
            painter.drawRoundedRect(inner, 4, 4)

    def _lose(self) -> None:
        self._target = None
        self._timer.stop()
        self.hide()

    def _follow(self) -> None:
        """Move with the target; nothing is drawn while it stays where it is."""
        target = self._target
        if target is None:
            return
        window = target.window()
        if not target.isVisible() or window is None:
            self.hide()
            return
        if self.parentWidget() is not window:  # its dock was taken out of the window, or put back
            self.setParent(window)
        shown = target.visibleRegion().boundingRect()
        place = QRect(target.mapTo(window, shown.topLeft()), shown.size())
        place = place.adjusted(-_MARGIN, -_MARGIN, _MARGIN, _MARGIN)
        self.setVisible(not shown.isEmpty())
        if place != self.geometry():
            self.setGeometry(place)
            self.raise_()

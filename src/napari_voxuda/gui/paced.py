"""Show reports of a running job at a bounded pace.

Where a window holds an OpenGL canvas, every change of any widget composes the whole window again; with
a software renderer that takes a good part of a core from the job itself. So whatever a job reports is drawn
together, at most once a second.
"""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer

__all__ = ["EVERY_MS", "Paced"]

EVERY_MS = 1000


class Paced(QObject):
    """Draws the latest of the reports that came under each name, all in one go.

    The first report after a quiet while is drawn at once. None is lost: what came last is drawn with the
    next beat, or by `flush`.
    """

    def __init__(self, parent: QObject, every_ms: int = EVERY_MS) -> None:
        super().__init__(parent)
        self._waiting: dict[str, Callable[[], None]] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(every_ms)
        self._timer.timeout.connect(self._beat)

    def show(self, name: str, draw: Callable[[], None]) -> None:
        """Call `draw` now or with the next beat, unless another one comes under `name` before."""
        self._waiting[name] = draw
        if not self._timer.isActive():
            self._timer.start()
            QTimer.singleShot(0, self.flush)  # with what else comes in this moment

    def flush(self) -> None:
        """Draw what waits now."""
        waiting, self._waiting = self._waiting, {}
        for draw in waiting.values():
            draw()

    def forget(self) -> None:
        """Draw nothing of what waits."""
        self._waiting.clear()

    def _beat(self) -> None:
        if not self._waiting:
            self._timer.stop()
        self.flush()

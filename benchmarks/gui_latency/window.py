"""The window: a viewer with the dock, a heartbeat in its event loop, and somebody who scrolls."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEventLoop, QObject, Qt, QTimer

from benchmarks.gui_latency.plan import Plan
from benchmarks.gui_latency.timing import delays, percentiles

__all__ = ["EVERY_MS", "SCROLL_MS", "Window"]

EVERY_MS = 10
SCROLL_MS = 100
_LOOK_MS = 50


class Heartbeat(QObject):
    """Notes when a timer of `EVERY_MS` is heard."""

    def __init__(self) -> None:
        super().__init__()
        self.ticks: list[float] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin."""
        self._tick()
        self._timer.start()

    def stop(self) -> None:
        """End; the wait that is going on counts."""
        self._timer.stop()
        self._tick()

    def _tick(self) -> None:
        self.ticks.append(time.perf_counter())


class Window:
    """A viewer that shows the target of a plan, and the dock *Vox-UDA adapt*.

    Parameters
    ----------
    viewer : napari.Viewer
        An empty viewer.
    plan : Plan
        What is trained.
    """

    def __init__(self, viewer: Any, plan: Plan) -> None:
        self._viewer, self._plan = viewer, plan
        viewer.window._qt_window.resize(1366, 768)
        viewer.open(plan.tomogram, plugin="napari-voxuda")
        self.dock = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA adapt")[1]
        self._direction = 1

    def idle(self) -> dict[str, dict[str, float]]:
        """Measure the window without a run, at rest and scrolling."""
        self._pass(lambda: False, at_most_s=1.0)
        return {
            name: self._measure(lambda: False, name == "scrolling", self._plan.idle_s)
            for name in ("rest", "scrolling")
        }

    def train(self, place: str, run: Path) -> dict[str, dict[str, float]]:
        """Train in the dock, first at rest and then scrolling, and measure both."""
        self.fill_in(place, run)
        bar, half = self.dock.bar, self._plan.steps // 2
        bar.start_button.click()
        self._need(lambda: self._steps() >= 1, "the first step")
        found = {"rest": self._measure(lambda: self._steps() >= half, False)}
        found["scrolling"] = self._measure(lambda: self._steps() >= self._plan.steps, True)
        if self.dock.controller.busy:
            bar.stop_button.click()
        self._need(lambda: not self.dock.controller.busy, "the end of the run")
        return found

    def fill_in(self, place: str, run: Path) -> None:
        """Set up the dock for the plan's run."""
        dock, plan = self.dock, self._plan
        for box, value in (
            (dock.training.place_box, place),
            (dock.target.contrast_box, "dark"),
            (dock.training.preset_box, "fast"),
        ):
            box.setCurrentIndex(box.findData(value))
        dock.training.form.setValue(plan.settings)
        dock.source.form.setValue(plan.source)
        dock.training.seed_box.setValue(0)
        dock.training.run_row.set_paths([run])

    def renderer(self) -> str:
        """Return what draws the canvas: a GPU's driver, or a software renderer."""
        from vispy.gloo import gl

        self._viewer.window._qt_viewer.canvas._scene_canvas.set_current()
        return str(gl.glGetParameter(gl.GL_RENDERER))

    def _steps(self) -> int:
        return len(self.dock.progress.curves.points("total")[0])

    def _measure(
        self, until: Callable[[], bool], scroll: bool, at_most_s: float = 600.0
    ) -> dict[str, float]:
        heart, scroller = Heartbeat(), QTimer()
        scroller.setInterval(SCROLL_MS)
        scroller.timeout.connect(self._scroll)
        cpu, began = time.process_time(), time.perf_counter()
        heart.start()
        if scroll:
            scroller.start()
        self._pass(until, at_most_s)
        scroller.stop()
        heart.stop()
        seconds = time.perf_counter() - began
        shares = {"seconds": seconds, "cpu": (time.process_time() - cpu) / seconds}
        return {**percentiles(delays(heart.ticks, EVERY_MS / 1e3)), **shares}

    def _scroll(self) -> None:
        dims = self._viewer.dims
        step = dims.current_step[0]
        if not 0 < step + self._direction < dims.nsteps[0] - 1:
            self._direction = -self._direction
        dims.set_current_step(0, step + self._direction)

    def _need(self, condition: Callable[[], bool], words: str) -> None:
        self._pass(condition, at_most_s=300.0)
        if not condition():
            notice = self.dock.notice.text()
            raise TimeoutError(f"the dock did not get to {words}: {notice}")

    def _pass(self, until: Callable[[], bool], at_most_s: float) -> None:
        """Let the event loop run as it does in the program until something holds."""
        loop, looker = QEventLoop(), QTimer()
        end = time.monotonic() + at_most_s

        def look() -> None:
            if until() or time.monotonic() > end:
                loop.quit()

        looker.setInterval(min(_LOOK_MS, max(1, int(at_most_s * 1e3))))
        looker.timeout.connect(look)
        looker.start()
        loop.exec()
        looker.stop()

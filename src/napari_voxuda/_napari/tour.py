"""*Getting started* in a viewer: which docks its steps need, and how it is seen that they are done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_voxuda.app.tour import Tour
from napari_voxuda.gui.export.window import ExportWindow
from napari_voxuda.gui.refine.dock import RefineDock
from napari_voxuda.gui.tour.panel import TourPanel
from napari_voxuda.gui.tour.spotlight import Spotlight

if TYPE_CHECKING:
    import napari

    from napari_voxuda.gui.adapt.dock import AdaptDock

__all__ = ["ViewerTour"]

_PLUGIN = "napari-voxuda"
_LOOK_MS = 700


class ViewerTour(QObject):
    """The tour of one viewer: opens the sample and the docks, and frames what a step speaks of.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer.
    adapt : AdaptDock
        The dock in which the tour was asked for.
    """

    def __init__(self, viewer: napari.Viewer, adapt: AdaptDock) -> None:
        super().__init__(adapt)
        self._viewer, self._adapt = viewer, adapt
        self._docks: dict[str, Any] = {}
        layer = viewer.open_sample(_PLUGIN, "small")[0]
        viewer.layers.selection.active = layer
        adapt.choose_target(layer.unique_id)
        self._threshold: float | None = None
        self.panel = TourPanel(Tour())
        self._holder = viewer.window.add_dock_widget(
            self.panel, name="Getting started", area="bottom"
        )
        self.spotlight = Spotlight(adapt)
        self.panel.moved.connect(self._show)
        self.panel.closed.connect(self.close)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)
        # Straight to these two: a closing window may have deleted either before the panel.
        self.panel.destroyed.connect(self._timer.stop)
        self.panel.destroyed.connect(self.spotlight.clear)
        self._timer.start()
        self.look()
        self._show()

    def look(self) -> None:
        """Tick off what the user has done meanwhile."""
        if self.panel.tour.tick(self._done()):
            self.panel.show_tour()
        if self.panel.tour.step.key in ("refine", "export"):
            self.spotlight.point_at(self._target())

    def close(self) -> None:
        """End the tour."""
        self._timer.stop()
        self.spotlight.clear()
        self._viewer.window.remove_dock_widget(self._holder)

    def _done(self) -> set[str]:
        adapt, denoise = self._adapt, self._docks.get("Denoise (IBF)")
        found = set()
        if adapt.target.layer() is not None:
            found.add("open")
        if denoise is not None and denoise.preview_wanted():
            found.add("denoise")
        if adapt.result.export_button.isEnabled():
            found.add("adapt")
            if self._threshold is None:
                self._threshold = adapt.mask_choice().threshold
        if self._threshold not in (None, adapt.mask_choice().threshold):
            found |= {"adapt", "mask"}
        refine = self._refine()
        if refine is not None and refine.run_group.version_box.count() > 1:
            found |= {"adapt", "refine"}
        window = self._in_window(ExportWindow)
        if window is not None and "Saved" in window.notice.text():
            found.add("export")
        return found

    def _show(self) -> None:
        """Open the dock of the present step and frame what it speaks of."""
        key = self.panel.tour.step.key
        if key == "denoise":
            self._open("Denoise (IBF)")
        elif key in ("open", "adapt", "mask"):
            self._raise(self._adapt)
        if key == "adapt" and not self._adapt.controller.busy:
            box = self._adapt.training.preset_box
            box.setCurrentIndex(box.findData("fast"))
        self.spotlight.point_at(self._target())

    def _target(self) -> QWidget:
        adapt, refine = self._adapt, self._refine()
        if refine is None:
            late: dict[str, QWidget] = {
                "refine": adapt.result.refine_button,
                "export": adapt.result.export_button,
            }
        else:
            corrected = "Nothing" not in refine.corrections.count.text()
            late = {
                "refine": refine.bar.start_button
                if corrected
                else refine.corrections.particle_button,
                "export": refine.mask_group.export_button,
            }
        key = self.panel.tour.step.key
        if key == "denoise":
            return self._docks["Denoise (IBF)"].preview_box  # type: ignore[no-any-return]
        targets: dict[str, QWidget] = {
            "open": adapt.target.layer_box,
            "adapt": adapt.bar.start_button,
            "mask": adapt.result.threshold_slider,
            **late,
        }
        return targets[key]

    def _refine(self) -> Any:
        """Return the dock *Vox-UDA refine* once the user has opened it."""
        return self._in_window(RefineDock)

    def _in_window(self, kind: type[QWidget]) -> Any:
        window: QWidget | None = self._adapt
        while window is not None and not isinstance(window, QMainWindow):
            window = window.parentWidget()
        return None if window is None else window.findChild(kind)

    def _open(self, name: str) -> None:
        _, self._docks[name] = self._viewer.window.add_plugin_dock_widget(
            _PLUGIN, name, tabify=True
        )
        self._raise(self._docks[name])

    def _raise(self, dock: QWidget) -> None:
        holder = dock.parentWidget()
        while holder is not None and not isinstance(holder, QDockWidget):
            holder = holder.parentWidget()
        if holder is not None:
            holder.show()
            holder.raise_()

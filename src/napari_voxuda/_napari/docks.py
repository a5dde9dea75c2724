"""The docks as napari opens them: given a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_voxuda._napari.divider import ViewerDivider
from napari_voxuda._napari.export import open_export_window
from napari_voxuda._napari.preferences import follow_preferences
from napari_voxuda._napari.scene import ViewerScene
from napari_voxuda._napari.space import ViewerSpace
from napari_voxuda._napari.tour import ViewerTour
from napari_voxuda.app.adapt.request import AdaptRequest
from napari_voxuda.errors import VoxUDAError
from napari_voxuda.gui.adapt.dock import AdaptDock
from napari_voxuda.gui.denoise.dock import DenoiseDock
from napari_voxuda.gui.gap.dock import GapDock
from napari_voxuda.gui.refine.dock import RefineDock
from napari_voxuda.gui.space.dock import SpaceDock
from napari_voxuda.method.denoising import DenoiseSettings

if TYPE_CHECKING:
    import napari

__all__ = ["AdaptWidget", "DenoiseWidget", "GapWidget", "RefineWidget", "SpaceWidget"]


def _scene(viewer: napari.Viewer) -> ViewerScene:
    follow_preferences()
    return ViewerScene(viewer)


class AdaptWidget(AdaptDock):
    """The dock *Vox-UDA adapt*."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(_scene(napari_viewer))
        self._viewer = napari_viewer
        self.result.refined.connect(self._refine)
        self.result.exported.connect(self._export)
        self.source.gap_asked.connect(self._show_gap)
        self.tour_button.clicked.connect(self._start_tour)
        self.tour: ViewerTour | None = None

    def _start_tour(self) -> None:
        if self.tour is not None:
            self.tour.close()
        self.tour = ViewerTour(self._viewer, self)

    def _refine(self) -> None:
        try:
            start = self.controller.hand_over()
        except VoxUDAError as error:
            self.say(str(error), "error")
            return
        _, dock = self._viewer.window.add_plugin_dock_widget(
            "napari-voxuda", "Vox-UDA refine", tabify=True
        )
        dock.controller.take_over(start)

    def _export(self) -> None:
        try:
            offer = self.controller.mask.offer()
        except VoxUDAError as error:
            self.say(str(error), "error")
            return
        open_export_window(self._viewer, offer)

    def _show_gap(self) -> None:
        dock, gap = self._viewer.window.add_plugin_dock_widget(
            "napari-voxuda", "Vox-UDA domain gap", tabify=True
        )
        dock.show()
        dock.raise_()
        gap.controller.measure()


class GapWidget(GapDock):
    """The dock *Vox-UDA domain gap*; it measures what the dock *Vox-UDA adapt* would run."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(_scene(napari_viewer), self._from_adapt)
        self._viewer = napari_viewer

    def _from_adapt(self) -> AdaptRequest:
        """Return the inputs in *Vox-UDA adapt*, which is opened beside this dock where it is not there."""
        open_dock = self._viewer.window.add_plugin_dock_widget
        _, adapt = open_dock("napari-voxuda", "Vox-UDA adapt", tabify=True)
        own, _ = open_dock("napari-voxuda", "Vox-UDA domain gap")
        own.raise_()
        request: AdaptRequest = adapt.request()
        return request


class DenoiseWidget(DenoiseDock):
    """The dock *Denoise (IBF)*."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(_scene(napari_viewer), ViewerDivider(napari_viewer))
        self._viewer = napari_viewer
        self.handed.connect(self._use_in_adaptation)

    def _use_in_adaptation(self, settings: DenoiseSettings) -> None:
        _, dock = self._viewer.window.add_plugin_dock_widget(
            "napari-voxuda", "Vox-UDA adapt", tabify=True
        )
        dock.take_denoiser(settings)


class RefineWidget(RefineDock):
    """The dock *Vox-UDA refine*."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(_scene(napari_viewer))
        self._viewer = napari_viewer
        self.mask_group.exported.connect(self._export)

    def _export(self) -> None:
        try:
            offer = self.controller.offer()
        except VoxUDAError as error:
            self.say(str(error), "error")
            return
        open_export_window(self._viewer, offer)


class SpaceWidget(SpaceDock):
    """The dock *Vox-UDA 3-D*."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(_scene(napari_viewer), ViewerSpace(napari_viewer))

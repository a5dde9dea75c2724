"""The docks as napari opens them: given a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_voxuda._napari.scene import ViewerScene
from napari_voxuda.gui.adapt_dock import AdaptDock
from napari_voxuda.gui.denoise_dock import DenoiseDock

if TYPE_CHECKING:
    import napari

__all__ = ["AdaptWidget", "DenoiseWidget"]


class AdaptWidget(AdaptDock):
    """The dock *Vox-UDA adapt*."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(ViewerScene(napari_viewer))


class DenoiseWidget(DenoiseDock):
    """The dock *Denoise (IBF)*."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(ViewerScene(napari_viewer))

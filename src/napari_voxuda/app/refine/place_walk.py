"""Takes the user from one uncertain place to the next."""

from __future__ import annotations

from typing import Any

from napari_voxuda._types import TripleInt
from napari_voxuda.app.mask.session import MaskSession
from napari_voxuda.app.refine.view import RefineView
from napari_voxuda.app.scene import LayerKey, Scene
from napari_voxuda.data.volume import Volume
from napari_voxuda.segmentation.uncertainty import BRUSH_VOXELS, UncertainPlaces

__all__ = ["PlaceWalk"]

_NOTHING = "Where to correct first"
_STALE = "The model has changed"
_SHOWN = (0.6, 1.0)  # less would lie like fog over the tomogram
_RING_VOXELS = 4.0 * BRUSH_VOXELS


class PlaceWalk:
    """The uncertainty layer, and a ring around the place that is shown.

    Parameters
    ----------
    scene : Scene
        The layers.
    view : RefineView
        The dock.
    mask : MaskSession
        Whose corrections are left out.
    """

    def __init__(self, scene: Scene, view: RefineView, mask: MaskSession) -> None:
        self._scene = scene
        self._view = view
        self._mask = mask
        self._places: UncertainPlaces | None = None
        self._key: LayerKey | None = None
        self._ring: LayerKey | None = None

    def begin(self, uncertainty: Volume, placement: Any) -> None:
        """Show the uncertainty as a layer and go to the most uncertain place."""
        self._clear()
        self._placement = placement
        self._name = f"{uncertainty.name} place"
        self._key = self._scene.add_image(
            uncertainty.data,
            placement,
            name=f"{uncertainty.name} uncertainty",
            limits=_SHOWN,
            colormap="magma",
            opacity=0.5,
            overlay=True,
        )
        self._places = UncertainPlaces(uncertainty.data)
        self.next()

    def next(self) -> None:
        """Go to the next place."""
        if self._places is not None:
            # What was corrected meanwhile needs no second look.
            self._places.suppress(self._mask.corrections().positions)
            self._show(self._places.next(), "No place is left")

    def previous(self) -> None:
        """Go back to the place before."""
        if self._places is not None:
            self._show(self._places.previous(), "This is the first place")

    def forget(self) -> None:
        """Let go of places that are no longer true; their layer goes as well."""
        stale = self._places is not None
        self._clear()
        self._places = None
        self._view.show_place(_STALE if stale else _NOTHING, can_walk=False)

    def _show(self, place: TripleInt | None, otherwise: str) -> None:
        if place is None or self._places is None:
            self._view.show_place(otherwise, can_walk=True)
            return
        z, y, x = place
        position = (float(z), float(y), float(x))
        self._mask.go_to(position)
        if self._ring is not None:
            self._scene.remove(self._ring)
        self._ring = self._scene.add_ring(
            position, self._placement, name=self._name, diameter=_RING_VOXELS
        )
        self._view.show_place(
            f"Place {self._places.number}: slice {z}, y {y}, x {x}", can_walk=True
        )

    def _clear(self) -> None:
        for key in (self._key, self._ring):
            if key is not None:
                self._scene.remove(key)
        self._key, self._ring = None, None

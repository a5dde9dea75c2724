"""Takes the user from one uncertain place to the next."""

from __future__ import annotations

from typing import Any

from napari_voxuda._types import TripleInt
from napari_voxuda.app.mask_session import MaskSession
from napari_voxuda.app.refine_view import RefineView
from napari_voxuda.app.scene import LayerKey, Scene
from napari_voxuda.data.volume import Volume
from napari_voxuda.segmentation.uncertainty import UncertainPlaces

__all__ = ["PlaceWalk"]

_NOTHING = "Where is the network unsure? Find out, then correct there."
_STALE = "The model has changed; find the uncertain places again."


class PlaceWalk:
    """The uncertainty layer and the place that is shown.

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

    def begin(self, uncertainty: Volume, placement: Any) -> None:
        """Show the uncertainty as a layer and go to the most uncertain place."""
        if self._key is not None:
            self._scene.remove(self._key)
        self._key = self._scene.add_image(
            uncertainty.data,
            placement,
            name=f"{uncertainty.name} uncertainty",
            limits=(0.0, 1.0),
            colormap="magma",
            opacity=0.5,
            visible=False,
        )
        self._places = UncertainPlaces(uncertainty.data)
        self.next()

    def next(self) -> None:
        """Go to the next place."""
        if self._places is not None:
            # What was corrected meanwhile needs no second look.
            self._places.suppress(self._mask.corrections().positions)
            self._show(self._places.next(), "No uncertain place is left.")

    def previous(self) -> None:
        """Go back to the place before."""
        if self._places is not None:
            self._show(self._places.previous(), "This is the first place.")

    def forget(self) -> None:
        """Let go of places that are no longer true; their layer goes as well."""
        stale = self._places is not None
        if self._key is not None:
            self._scene.remove(self._key)
        self._places, self._key = None, None
        self._view.show_place(_STALE if stale else _NOTHING, can_walk=False)

    def _show(self, place: TripleInt | None, otherwise: str) -> None:
        if place is None or self._places is None:
            self._view.show_place(otherwise, can_walk=True)
            return
        z, y, x = place
        self._mask.go_to((float(z), float(y), float(x)))
        self._view.show_place(
            f"Place {self._places.number}: slice {z}, y {y}, x {x}. Correct it or go on.",
            can_walk=True,
        )

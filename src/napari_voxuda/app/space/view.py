"""What the controller of the dock *Vox-UDA 3-D* asks of its dock and of a viewer's 3-D view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import TripleInt
from napari_voxuda.app.dock_work import WorkView
from napari_voxuda.app.scene import LayerChoice, LayerKey
from napari_voxuda.app.space.hand import Orientation
from napari_voxuda.app.space.surfaces import Surfaces, SurfaceSettings

__all__ = ["Cut", "Side", "Space", "SpaceRequest", "SpaceView", "Tomogram"]

Tomogram = Literal["plane", "volume", "hidden"]
"""How the tomogram is shown: a plane through it, all of it, or not at all."""

Side = Literal["whole", "above", "below"]
"""What of the surfaces is shown: everything, or what lies above or below the plane, that is, at larger
or smaller indices."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A plane through a volume.

    Parameters
    ----------
    axis : int
        The axis across it: 0 for z, 1 for y, 2 for x.
    position : int
        Index of its slice along `axis`.
    thickness : int
        In voxels, at least 1.
    """

    axis: int = 0
    position: int = 0
    thickness: int = 1


@dataclass(frozen=True, kw_only=True)
class SpaceRequest:
    """What the user has chosen in the dock.

    Parameters
    ----------
    tomogram, mask, probability : LayerKey or None
        The layers; None for none.
    tomogram_as : Tomogram
        How the tomogram is shown.
    cut : Cut
        The plane through it.
    side : Side
        What of the surfaces is shown.
    surface_of : {"mask", "probability"}
        What surfaces are made of.
    settings : SurfaceSettings
        How they are made; the threshold is also that of the rendered probability.
    one_color : bool
        Whether all particles have one colour.
    surfaces, centres, rendering : bool
        What is shown: the surfaces, balls at the particles' centres, and the probability as napari's
        iso-surface.
    orientation : str
        One of `napari_voxuda.app.space.hand.ORIENTATIONS`.
    keep_orientation : bool
        Whether it stays when 3-D is left.
    """

    tomogram: LayerKey | None = None
    mask: LayerKey | None = None
    probability: LayerKey | None = None
    tomogram_as: Tomogram = "plane"
    cut: Cut = field(default_factory=Cut)
    side: Side = "whole"
    surface_of: Literal["mask", "probability"] = "mask"
    settings: SurfaceSettings = field(default_factory=SurfaceSettings)
    one_color: bool = False
    surfaces: bool = True
    centres: bool = False
    rendering: bool = False
    orientation: str = "imod"
    keep_orientation: bool = False


class SpaceView(WorkView, Protocol):
    """What the controller asks of the dock."""

    def request(self) -> SpaceRequest:
        """Return what the user has chosen."""
        ...

    def show_layers(self, images: list[LayerChoice], labels: list[LayerChoice]) -> None:
        """Show the layers to choose from; keep the chosen ones where possible."""
        ...

    def choose(
        self, tomogram: LayerKey | None, mask: LayerKey | None, probability: LayerKey | None
    ) -> None:
        """Choose layers."""
        ...

    def show_shape(self, shape: TripleInt) -> None:
        """Show the room that the plane has, in voxels; the plane stays within it."""
        ...

    def show_position(self, position: int) -> None:
        """Show where the plane lies that was dragged in the viewer."""
        ...

    def show_inside(self, inside: bool) -> None:
        """Show whether the 3-D view is the dock's."""
        ...

    def show_hand(self, words: str, *, mirrored: bool, preset: str | None) -> None:
        """Say which hand is shown, by which of the orientations to choose from."""
        ...

    def show_made(self, words: str, *, stale: bool) -> None:
        """Say what surfaces there are, and whether they are out of date."""
        ...


class Space(Protocol):
    """The three-dimensional view of a viewer."""

    def is_shown(self) -> bool:
        """Whether the viewer shows three dimensions."""
        ...

    def enter(self) -> None:
        """Remember the view and the look of every layer, and show 3-D without any volume."""
        ...

    def leave(self, *, keep_orientation: bool) -> None:
        """Show slices again, and give back the view and every layer's look."""
        ...

    def orientation(self) -> Orientation | None:
        """Return where the displayed axes point; None where the viewer cannot change it."""
        ...

    def orient(self, orientation: Orientation) -> None:
        """Let the displayed axes point elsewhere; the layers stay as they are."""
        ...

    def order(self) -> tuple[int, ...]:
        """Return which of the axes z, y, x is displayed first, second and third."""
        ...

    def determinant(self, key: LayerKey) -> float:
        """Return the determinant of the matrix that places a layer."""
        ...

    def look_along(self, axis: int | None) -> None:
        """Turn the view to look along an axis of z, y, x; None for a view from a corner."""
        ...

    def set_visible(self, key: LayerKey, visible: bool) -> None:
        """Show or hide a layer, if it is still there."""
        ...

    def show_plane(self, key: LayerKey, cut: Cut) -> None:
        """Show a plane of an image."""
        ...

    def plane_position(self, key: LayerKey, axis: int) -> int:
        """Return at which slice along `axis` the plane of an image lies."""
        ...

    def show_volume(self, key: LayerKey) -> None:
        """Show all of an image, the brightest value along each line of sight."""
        ...

    def show_iso(self, key: LayerKey, threshold: float) -> None:
        """Show an image as napari's iso-surface at a value."""
        ...

    def clip(self, key: LayerKey, like: LayerKey, cut: Cut, side: Side) -> None:
        """Show only what of a layer lies on one side of a plane, in voxels of the layer `like`."""
        ...

    def colors(self, key: LayerKey, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the colours (n, 4) that a labels layer gives its labels."""
        ...

    def put_surface(
        self,
        key: LayerKey | None,
        surfaces: Surfaces,
        colors: npt.NDArray[np.float32],
        placement: Any,
        *,
        name: str,
    ) -> LayerKey:
        """Add surfaces with a colour (n, 4) for each particle, in place of the layer `key`."""
        ...

    def put_centres(
        self,
        key: LayerKey | None,
        surfaces: Surfaces,
        colors: npt.NDArray[np.float32],
        placement: Any,
        *,
        name: str,
    ) -> LayerKey:
        """Add balls of the particles' volumes at their centres, in place of the layer `key`."""
        ...

    def watch(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the view enters or leaves 3-D, or is oriented otherwise."""
        ...

    def watch_plane(self, key: LayerKey, callback: Callable[[], None]) -> None:
        """Call `callback` when the plane of an image is dragged; of the last `key` only."""
        ...

    def watch_values(self, key: LayerKey, callback: Callable[[], None]) -> None:
        """Call `callback` when the values of a layer change; of the last `key` only."""
        ...

    def close(self) -> None:
        """Stop watching."""
        ...

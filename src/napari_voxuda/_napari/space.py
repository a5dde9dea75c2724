"""The 3-D view of a napari viewer, as the dock *Vox-UDA 3-D* works with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._napari.layers import Placement
from napari_voxuda._napari.light import LitColors, light_of, lit
from napari_voxuda._napari.look import CameraLook, LayerLook, camera_of
from napari_voxuda._napari.particle_layers import centres_layer, surface_layer, unlit
from napari_voxuda.app.scene import LayerKey
from napari_voxuda.app.space.hand import Orientation
from napari_voxuda.app.space.surfaces import Surfaces
from napari_voxuda.app.space.view import Cut, Side
from napari_voxuda.errors import InputError

if TYPE_CHECKING:
    import napari
    from napari.layers import Layer

__all__ = ["ViewerSpace"]

# Directions of sight and upwards (z, y, x): from a corner above the front, from the right, from the front.
_CORNER = ((-0.55, 0.8, -0.4), (1.0, 0.0, 0.0))
_CORNER_ROOM = 0.82  # a box is wider across its corner than along its edges
_ALONG = {1: ((0.0, 1.0, 0.0), (1.0, 0.0, 0.0)), 2: ((0.0, 0.0, -1.0), (1.0, 0.0, 0.0))}


class ViewerSpace:
    """The 3-D view of a napari viewer; see `napari_voxuda.app.space.view.Space`.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._looks: dict[LayerKey, LayerLook] = {}
        self._camera: CameraLook | None = None
        self._lit: dict[LayerKey, LitColors] = {}
        self._watched: dict[str, list[tuple[Any, Callable[..., None]]]] = {}

    def is_shown(self) -> bool:
        """Whether the viewer shows three dimensions."""
        return bool(self._viewer.dims.ndisplay == 3)

    def enter(self) -> None:
        """Remember the view and the look of every layer, and show 3-D without any volume.

        Volumes are hidden first: drawing one costs much, and the slices' layers are all visible.
        """
        self._camera = CameraLook.of(self._viewer)
        self._looks = {layer.unique_id: LayerLook.of(layer) for layer in self._viewer.layers}
        for layer in self._viewer.layers:
            if layer._type_string in ("image", "labels"):
                layer.visible = False
        self._viewer.dims.ndisplay = 3
        for layer in self._viewer.layers:
            if layer._type_string == "labels":
                # A hidden layer keeps the slice that it had, and an edit by program fails on it.
                layer.set_view_slice()

    def leave(self, *, keep_orientation: bool) -> None:
        """Show slices again, and give back the view and every layer's look."""
        self._viewer.dims.ndisplay = 2
        for layer in self._viewer.layers:
            if layer.unique_id in self._looks:
                self._looks[layer.unique_id].give_back(layer)
        if self._camera is not None:
            self._camera.give_back(self._viewer, keep_orientation=keep_orientation)
        self._looks, self._camera = {}, None

    def orientation(self) -> Orientation | None:
        """Return where the displayed axes point; None in a napari before 0.6."""
        found = getattr(camera_of(self._viewer), "orientation", None)
        if found is None:
            return None
        depth, vertical, horizontal = (str(word) for word in found)
        return depth, vertical, horizontal

    def orient(self, orientation: Orientation) -> None:
        """Let the displayed axes point elsewhere; the layers stay as they are."""
        camera = camera_of(self._viewer)
        if hasattr(camera, "orientation"):
            camera.orientation = orientation
        self._light()

    def order(self) -> tuple[int, ...]:
        """Return which of the axes z, y, x is displayed first, second and third."""
        dims = self._viewer.dims
        if dims.ndim < 3:
            return (0, 1, 2)
        return tuple(axis - (dims.ndim - 3) for axis in dims.order[-3:])

    def determinant(self, key: LayerKey) -> float:
        """Return the determinant of the matrix that places a layer."""
        layer = self._layer(key)
        corners = [layer.data_to_world(corner) for corner in np.vstack([np.zeros(3), np.eye(3)])]
        first, *others = np.asarray(corners, float)
        return float(np.linalg.det(np.asarray(others) - first))

    def look_along(self, axis: int | None) -> None:
        """Turn the view to look along an axis of z, y, x; None for a view from a corner."""
        camera = camera_of(self._viewer)
        if axis == 0:
            camera.angles = (0, 0, 0)
        else:
            sight, up = _CORNER if axis is None else _ALONG[axis]
            camera.set_view_direction(sight, up)
        if hasattr(self._viewer, "fit_to_view"):  # since napari 0.6
            self._viewer.fit_to_view()
            if axis is None:
                camera.zoom *= _CORNER_ROOM
        self._light()

    def set_visible(self, key: LayerKey, visible: bool) -> None:
        """Show or hide a layer, if it is still there."""
        for layer in self._viewer.layers:
            if layer.unique_id == key:
                layer.visible = visible

    def show_plane(self, key: LayerKey, cut: Cut) -> None:
        """Show a plane of an image."""
        layer = self._layer(key)
        normal = tuple(float(i == cut.axis) for i in range(3))
        position = [(size - 1) / 2 for size in layer.data.shape[-3:]]
        position[cut.axis] = float(cut.position)
        factors = _downsampling(layer)
        shown = tuple((p + 0.5) / f - 0.5 for p, f in zip(position, factors, strict=True))
        if layer.plane.normal != normal:
            layer.plane.normal = normal
        if not np.allclose(layer.plane.position, shown):
            layer.plane.position = shown
        if layer.plane.thickness != cut.thickness:
            layer.plane.thickness = cut.thickness
        if layer.depiction != "plane":
            layer.depiction = "plane"
        if layer.rendering != "average":  # the brightest of a thick plane would hide dark protein
            layer.rendering = "average"
        if layer.blending != "translucent":  # or what lies behind the plane shines through
            layer.blending = "translucent"

    def plane_position(self, key: LayerKey, axis: int) -> int:
        """Return at which slice along `axis` the plane of an image lies."""
        layer = self._layer(key)
        position = (layer.plane.position[axis] + 0.5) * _downsampling(layer)[axis] - 0.5
        return int(np.clip(round(position), 0, layer.data.shape[-3:][axis] - 1))

    def show_volume(self, key: LayerKey) -> None:
        """Show all of an image, in the rendering that it had."""
        layer = self._layer(key)
        if key in self._looks:
            layer.rendering = self._looks[key].attributes["rendering"]
        if layer.depiction != "volume":
            layer.depiction = "volume"

    def show_iso(self, key: LayerKey, threshold: float) -> None:
        """Show an image as napari's iso-surface at a value."""
        layer = self._layer(key)
        if layer.depiction != "volume":
            layer.depiction = "volume"
        if layer.rendering != "iso":
            layer.rendering = "iso"
        if layer.iso_threshold != threshold:
            layer.iso_threshold = threshold

    def clip(self, key: LayerKey, like: LayerKey, cut: Cut, side: Side) -> None:
        """Show only what of a layer lies on one side of a plane, in voxels of the layer `like`."""
        layer, measure = self._layer(key), self._layer(like)
        if side == "whole":
            if len(layer.experimental_clipping_planes):
                layer.experimental_clipping_planes = []
            return
        step = np.array([float(i == cut.axis) for i in range(3)])
        # napari's description says voxels, but the planes are taken in the world's coordinates.
        here, there = (
            np.asarray(measure.data_to_world(p), float)
            for p in (step * cut.position, step * (cut.position + 1))
        )
        normal = (there - here) * (1 if side == "above" else -1)
        layer.experimental_clipping_planes = [
            {"position": tuple(here), "normal": tuple(normal), "enabled": True}
        ]

    def colors(self, key: LayerKey, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the colours (n, 4) that a labels layer gives its labels."""
        found = self._layer(key).colormap.map(numbers)
        colors = np.array(found, np.float32).reshape(-1, 4)
        colors[:, 3] = 1.0
        return colors

    def put_surface(
        self,
        key: LayerKey | None,
        surfaces: Surfaces,
        colors: npt.NDArray[np.float32],
        placement: Placement,
        *,
        name: str,
    ) -> LayerKey:
        """Add surfaces with a colour (n, 4) for each particle, in place of the layer `key`."""
        surface = unlit(surfaces, colors)
        light = light_of(self._viewer, self.order())
        layer = surface_layer(surfaces, lit(surface, light), placement, name=name)
        added = self._put(key, layer, ("opacity", "blending", "visible"))
        self._lit = {added: surface}
        return added

    def put_centres(
        self,
        key: LayerKey | None,
        surfaces: Surfaces,
        colors: npt.NDArray[np.float32],
        placement: Placement,
        *,
        name: str,
    ) -> LayerKey:
        """Add balls of the particles' volumes at their centres, in place of the layer `key`."""
        layer = centres_layer(surfaces, colors, placement, name=name)
        return self._put(key, layer, ("opacity", "blending", "shading", "visible"))

    def watch(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the view enters or leaves 3-D, or is oriented otherwise."""
        dims = self._viewer.dims.events
        emitters = [dims.ndisplay, dims.order]
        if hasattr(camera_of(self._viewer), "orientation"):
            emitters.append(camera_of(self._viewer).events.orientation)
        self._watch("view", emitters, callback)

    def watch_plane(self, key: LayerKey, callback: Callable[[], None]) -> None:
        """Call `callback` when the plane of an image is dragged; of the last `key` only."""
        self._watch("plane", [self._layer(key).plane.events.position], callback)

    def watch_values(self, key: LayerKey, callback: Callable[[], None]) -> None:
        """Call `callback` when the values of a layer change; of the last `key` only."""
        events = self._layer(key).events
        emitters = [events.data]
        # Strokes, undo and edits by programs are drawn without the event of new data.
        emitters += [getattr(events, n) for n in ("paint", "labels_update") if hasattr(events, n)]
        self._watch("values", emitters, callback)

    def close(self) -> None:
        """Stop watching."""
        for group in list(self._watched):
            self._watch(group, [], lambda: None)

    def _watch(self, group: str, emitters: list[Any], callback: Callable[[], None]) -> None:
        for emitter, function in self._watched.pop(group, []):
            emitter.disconnect(function)

        def called(event: Any = None) -> None:
            callback()

        for emitter in emitters:
            emitter.connect(called)
        self._watched[group] = [(emitter, called) for emitter in emitters]

    def _light(self) -> None:
        """Light the surfaces from where the camera is now."""
        light = light_of(self._viewer, self.order())
        for layer in self._viewer.layers:
            if layer.unique_id in self._lit:
                layer.vertex_colors = lit(self._lit[layer.unique_id], light)

    def _put(self, key: LayerKey | None, layer: Layer, kept: tuple[str, ...]) -> LayerKey:
        """Add a layer in place of an earlier one, of which it keeps what the user may have set."""
        layers = self._viewer.layers
        active = layers.selection.active
        before = next((old for old in layers if old.unique_id == key), None)
        if before is None:
            layer.visible = False
            layers.append(layer)
        else:
            for name in kept:
                setattr(layer, name, getattr(before, name))
            index = layers.index(before)
            layers.remove(before)
            layers.insert(index, layer)
        layers.selection.active = active if active is not before else layer
        added: LayerKey = layer.unique_id
        return added

    def _layer(self, key: LayerKey) -> Layer:
        for layer in self._viewer.layers:
            if layer.unique_id == key:
                return layer
        raise InputError("layer: it is no longer in the viewer; choose another one.")


def _downsampling(layer: Layer) -> npt.NDArray[np.float64]:
    """Return how many voxels of the layer are one of what 3-D shows: of pyramids the coarsest level."""
    factors: Any = layer.downsample_factors[-1] if layer.multiscale else (1, 1, 1)
    return np.asarray(factors, np.float64)[-3:]

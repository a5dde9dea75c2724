"""The line between the two sides of a comparison, in a napari viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_voxuda.app.denoise.compare import DividerPlace

if TYPE_CHECKING:
    import napari
    from napari.layers import Shapes

__all__ = ["ViewerDivider"]

_NAME = "Denoise divider"
_COLOR = "#ffb000"
_PLATE = "#000000b0"  # below the names, which noise would make unreadable
_REACH_PX = 8.0
_WIDTH_PX = 2.0
_TEXT_POINTS = 13.0
_PLATE_GAP_PX = 4.0
_PLATE_MARGIN_PX = 8.0
_PLATE_PX = 28.0  # its height
_PLATE_BELOW_PX = 4.0
_LETTER_PX, _CAPITAL_PX = 13.0, 16.0


class ViewerDivider:
    """A line that can be dragged with the mouse; see `napari_voxuda.app.denoise.compare.Divider`.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._layer: Shapes | None = None
        self._place: DividerPlace | None = None
        self._callback: Callable[[float], None] = lambda place: None
        viewer.mouse_drag_callbacks.append(self._drag)

    def show(self, place: DividerPlace) -> None:
        """Draw the line, or move it."""
        before, self._place = self._place, place
        lines = self._lines(place)
        if self._layer is None or self.is_lost():
            active = self._viewer.layers.selection.active
            self._layer = self._viewer.add_shapes(
                lines,
                shape_type=["line", "rectangle", "rectangle"],
                name=_NAME,
                opacity=1.0,
                edge_color=[_COLOR, "transparent", "transparent"],
                face_color=["transparent", _PLATE, _PLATE],
                edge_width=self._pixels(_WIDTH_PX, place),
                features={"side": ["", *place.names]},
                text={
                    "string": "{side}",
                    "color": _COLOR,
                    "size": _TEXT_POINTS,
                    "anchor": "center",
                },
                **place.placement.layer_keywords((0, 0, 0)),
            )
            self._viewer.layers.selection.active = active
            return
        self._layer.data = lines
        width = self._pixels(_WIDTH_PX, place)
        if not np.allclose(self._layer.edge_width, width):
            self._layer.edge_width = width
        if before is None or before.names != place.names:
            self._layer.features = {"side": ["", *place.names]}

    def hide(self) -> None:
        """Take the line away."""
        layer, self._layer, self._place = self._layer, None, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def is_lost(self) -> bool:
        """Whether the user has removed the line that was drawn."""
        return self._layer is not None and self._layer not in self._viewer.layers

    def watch(self, callback: Callable[[float], None]) -> None:
        """Call `callback` with a place from 0 to 1 while the user drags the line."""
        self._callback = callback

    def close(self) -> None:
        """Stop watching the mouse."""
        self._callback = lambda place: None
        if self._drag in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._drag)

    def _drag(self, viewer: Any, event: Any) -> Iterator[None]:
        if not self._is_hit(event):
            return
        camera = self._camera()
        could_pan = camera.mouse_pan
        camera.mouse_pan = False
        try:
            yield
            while event.type == "mouse_move":
                self._move_to(event)
                yield
        finally:
            camera.mouse_pan = could_pan

    def _is_hit(self, event: Any) -> bool:
        place, layer = self._place, self._layer
        if place is None or layer is None or self.is_lost() or not layer.visible:
            return False
        active = self._viewer.layers.selection.active
        if self._viewer.dims.ndisplay != 2 or getattr(active, "mode", "pan_zoom") != "pan_zoom":
            return False
        line = place.view.start[place.view.across_screen] + place.voxel - 0.5
        return abs(_voxel(layer, place, event) - line) <= self._pixels(_REACH_PX, place)

    def _move_to(self, event: Any) -> None:
        if self._layer is None or self._place is None or self.is_lost():
            return
        view = self._place.view
        first, last = view.start[view.across_screen], view.stop[view.across_screen]
        place = (_voxel(self._layer, self._place, event) + 0.5 - first) / (last - first)
        self._callback(min(max(place, 0.0), 1.0))

    def _camera(self) -> Any:
        return getattr(self._viewer, "scene", self._viewer).camera

    def _pixels(self, count: float, place: DividerPlace) -> float:
        """Return a length on the screen in voxels."""
        scale = abs(float(place.placement.keywords["scale"][place.view.across_screen]))
        return count / (float(self._camera().zoom) * (scale or 1.0))

    def _lines(self, place: DividerPlace) -> list[np.ndarray]:
        """Return the divider and, at its upper end, a plate for each name."""
        view = place.view
        axis = view.across_screen
        vertical = 3 - view.axis - axis
        at = view.start[axis] + place.voxel - 0.5
        line = np.zeros((2, 3))
        line[:, view.axis] = view.index
        line[:, axis] = at
        line[:, vertical] = view.start[vertical] - 0.5, view.stop[vertical] - 0.5
        lines = [line]
        top = line[0, vertical] + self._pixels(_PLATE_BELOW_PX, place)
        bottom = top + self._pixels(_PLATE_PX, place)
        for name, sign in zip(place.names, (-1, 1), strict=True):
            near = at + sign * self._pixels(_PLATE_GAP_PX, place)
            far = near + sign * self._pixels(_text_px(name) + 2 * _PLATE_MARGIN_PX, place)
            plate = np.repeat(line[:1], 4, axis=0)
            plate[:, axis] = near, far, far, near
            plate[:, vertical] = top, top, bottom, bottom
            lines.append(plate)
        return lines


def _text_px(text: str) -> float:
    """Return about how wide a name is on the screen; never less than it is."""
    return sum(_CAPITAL_PX if letter.isupper() else _LETTER_PX for letter in text)


def _voxel(layer: Shapes, place: DividerPlace, event: Any) -> float:
    """Return where the mouse is along the horizontal axis, in voxels of the volume."""
    world = np.asarray(event.position)[-3:]
    return float(layer.world_to_data(world)[place.view.across_screen])

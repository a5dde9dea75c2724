"""A napari viewer as the scene that the docks' controllers work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._napari.box_squares import box_squares
from napari_voxuda._napari.contrast_link import ContrastLinks
from napari_voxuda._napari.label_watch import LabelWatch
from napari_voxuda._napari.layers import (
    METADATA_KEY,
    Placement,
    contrast_limits,
    is_aid,
    layer_volume,
    mark_as_aid,
)
from napari_voxuda._napari.removal import remove_layer
from napari_voxuda._napari.sight import is_in_sight, visible_bounds
from napari_voxuda._types import Triple, TripleInt
from napari_voxuda.app.scene import LabelEdit, LayerChoice, LayerKey, LayerKind, SliceView
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError

if TYPE_CHECKING:
    import napari
    from napari.layers import Layer

__all__ = ["ViewerScene"]

_MOST_UNDOABLE = 4_000_000


class ViewerScene:
    """The layers of a napari viewer; see `napari_voxuda.app.scene.Scene`.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._watched: list[tuple[Any, Callable[..., None]]] = []
        self._edits = LabelWatch()
        self._links = ContrastLinks()

    def choices(self, kind: LayerKind) -> list[LayerChoice]:
        """Return the volumes (image, labels) or point layers in it, the newest first; no aids."""
        return [
            LayerChoice(key=layer.unique_id, name=layer.name)
            for layer in reversed(self._viewer.layers)
            if layer._type_string == kind
            and layer.ndim == 3
            and not getattr(layer, "rgb", False)
            and not is_aid(layer)
        ]

    def active(self) -> LayerKey | None:
        """Return the selected layer."""
        layer = self._viewer.layers.selection.active
        return None if layer is None else layer.unique_id

    def has(self, key: LayerKey) -> bool:
        """Whether the layer is still there."""
        return any(layer.unique_id == key for layer in self._viewer.layers)

    def shown(self, keys: Sequence[LayerKey]) -> LayerKey | None:
        """Return the uppermost visible one of some layers, else the first that is there."""
        for layer in reversed(self._viewer.layers):
            if layer.visible and layer.unique_id in keys:
                return _key(layer)
        return next((key for key in keys if self.has(key)), None)

    def volume(self, key: LayerKey) -> Volume:
        """Return a layer as a volume."""
        return layer_volume(self._layer(key))

    def set_voxel_size(self, key: LayerKey, voxel_size_angstrom: float) -> None:
        """Give a layer its voxel size in Å."""
        layer = self._layer(key)
        layer.scale = (voxel_size_angstrom,) * layer.ndim
        layer.units = ("angstrom",) * layer.ndim

    def picks(self, key: LayerKey, like: LayerKey) -> Picks:
        """Return a points layer as positions in voxels of the layer `like`."""
        points, image = self._layer(key), self._layer(like)
        world = [points.data_to_world(p) for p in np.asarray(points.data, dtype=float)]
        voxels = [image.world_to_data(w) for w in world]
        return Picks(positions=np.asarray(voxels, dtype=np.float64).reshape(-1, 3))

    def slice_view(self, key: LayerKey) -> SliceView | None:
        """Return what is visible of a layer; None where no slice is shown."""
        layer, dims = self._layer(key), self._viewer.dims
        if dims.ndisplay != 2 or dims.ndim < 3:
            return None
        axes = [axis - (dims.ndim - 3) for axis in dims.order]
        axis = axes[-3]
        shape = layer.data.shape[-3:]
        index = round(float(layer.world_to_data(dims.point)[axis]))
        if axis < 0 or not 0 <= index < shape[axis]:
            return None
        start, stop = visible_bounds(layer, shape)
        start[axis], stop[axis] = index, index + 1
        bounds = {"start": _triple(start), "stop": _triple(stop)}
        return SliceView(axis=axis, index=index, horizontal=axes[-1], **bounds)

    def placement(self, key: LayerKey) -> Placement:
        """Return where a layer lies."""
        return Placement.of(self._layer(key))

    def add_image(
        self,
        data: npt.NDArray[Any],
        placement: Placement,
        *,
        name: str,
        offset: TripleInt | None = None,
        like: LayerKey | None = None,
        limits: tuple[float, float] | None = None,
        colormap: str | None = None,
        opacity: float = 1.0,
        visible: bool = True,
        overlay: bool = False,
    ) -> LayerKey:
        """Add an image of the whole placement, or a piece from voxel `offset`; return its key."""
        keywords = placement.layer_keywords(offset)
        source = self._layer(like) if like is not None and self.has(like) else None
        active = self._viewer.layers.selection.active
        if limits is None and source is not None and offset is not None:
            limits = tuple(source.contrast_limits)
        layer = self._viewer.add_image(
            data,
            name=name,
            rgb=False,
            multiscale=False,
            contrast_limits=limits or contrast_limits(data),
            colormap=colormap or (source.colormap.name if source is not None else "gray"),
            opacity=opacity,
            blending="additive" if overlay else None,
            visible=visible,
            **keywords,
        )
        if active is not None and (offset is not None or overlay or not visible):
            self._viewer.layers.selection.active = active
        return _key(layer)

    def add_labels(
        self,
        data: npt.NDArray[Any],
        placement: Placement,
        *,
        name: str,
        colors: Mapping[int, str] | None = None,
        aid: bool = False,
        visible: bool = True,
    ) -> LayerKey:
        """Add a labels layer, with the colours given for its labels, and return its key."""
        keywords = placement.layer_keywords()
        if colors is not None:
            from napari.utils.colormaps import DirectLabelColormap

            table: dict[int | None, str] = {None: "transparent", 0: "transparent"}
            for label, color in colors.items():
                table[label] = color
            keywords["colormap"] = DirectLabelColormap(color_dict=table)
        active = self._viewer.layers.selection.active
        layer = self._viewer.add_labels(data, name=name, visible=visible, **keywords)
        if aid:
            mark_as_aid(layer)
        if active is not None and (aid or not visible):
            self._viewer.layers.selection.active = active
        return _key(layer)

    def update_image(
        self, key: LayerKey, data: npt.NDArray[Any], placement: Placement, offset: TripleInt
    ) -> None:
        """Replace the values and place of an image of the same number of axes."""
        layer = self._layer(key)
        layer.data = data
        translate = placement.layer_keywords(offset)["translate"]
        if not np.array_equal(layer.translate, translate):  # it would be drawn again
            layer.translate = translate

    def link_contrast(self, key: LayerKey, like: LayerKey, *, shift: float = 0.0) -> None:
        """Keep the contrast limits of image `key` those of `like` plus `shift`, whichever is changed."""
        self._links.link(self._layer(key), self._layer(like), shift)

    def update_labels(self, key: LayerKey, data: npt.NDArray[Any]) -> None:
        """Replace the values of labels of equal shape, as one step that undo takes back.

        Above four million changed voxels the step cannot be undone: the viewer would keep 28 bytes
        for each of them, a hundred steps long.
        """
        layer = self._layer(key)
        differs = np.asarray(layer.data) != data
        count = int(np.count_nonzero(differs))
        with self._edits.silenced(key):
            if count > _MOST_UNDOABLE:
                layer.data[...] = data
                layer.refresh()
            elif count:
                changed = np.nonzero(differs)
                layer.data_setitem(changed, data[changed])

    def replace_labels(self, key: LayerKey, data: npt.NDArray[Any]) -> None:
        """Replace the values of labels, which nobody edits; there is nothing to undo."""
        self._layer(key).data = data

    def edit_labels(
        self,
        key: LayerKey,
        voxels: npt.NDArray[np.int64],
        values: npt.NDArray[Any],
        *,
        told: bool = True,
    ) -> None:
        """Change labels at flat indices as one step that undo takes back."""
        layer = self._layer(key)
        where = np.unravel_index(voxels, layer.data.shape)
        with nullcontext() if told else self._edits.silenced(key):
            layer.data_setitem(where, values.astype(layer.data.dtype))

    def watch_labels(self, key: LayerKey, callback: Callable[[LabelEdit | None], None]) -> None:
        """Call `callback` with each step in which the user changes labels; None for undo and redo."""
        self._edits.watch(self._layer(key), callback)

    def select(self, key: LayerKey) -> None:
        """Make a layer the active one, on which Ctrl-Z works."""
        self._viewer.layers.selection.active = self._layer(key)

    def paint(self, key: LayerKey, label: int) -> None:
        """Select a labels layer and let the user paint `label` in three dimensions."""
        layer = self._layer(key)
        self._viewer.layers.selection.active = layer
        layer.visible = True
        layer.n_edit_dimensions = 3
        layer.selected_label = label
        layer.mode = "paint" if label else "erase"

    def go_to(self, key: LayerKey, position: Triple) -> None:
        """Show the slice through a position (z, y, x) in voxels of a layer."""
        layer = self._layer(key)
        world = layer.data_to_world(position)
        dims = self._viewer.dims
        first = dims.ndim - 3
        for axis, value in enumerate(world):
            dims.set_point(first + axis, value)
        if dims.ndisplay == 2 and is_in_sight(layer, position):
            return
        camera = getattr(self._viewer, "scene", self._viewer).camera
        camera.center = tuple(world[axis - first] for axis in dims.order[-3:])

    def add_ring(
        self, position: Triple, placement: Placement, *, name: str, diameter: float
    ) -> LayerKey:
        """Add rings like the slices of a ball around a position, and return the layer's key."""
        active = self._viewer.layers.selection.active
        z, y, x = position
        # One for each slice: napari's display of points out of their slice is going away.
        away = np.arange(-int(diameter / 2), int(diameter / 2) + 1)
        layer = self._viewer.add_points(
            [(z + d, y, x) for d in away],
            name=name,
            size=np.maximum(np.sqrt(diameter**2 - (2.0 * away) ** 2), 1.0),
            face_color="transparent",
            border_color="#ff5da2",
            border_width=0.04,
            **placement.layer_keywords(),
        )
        self._viewer.layers.selection.active = active
        return _key(layer)

    def add_boxes(
        self, starts: Sequence[TripleInt], box: int, placement: Placement, *, name: str
    ) -> LayerKey:
        """Add the outlines of cubes of `box` voxels, a square in each slice; return the layer's key."""
        active = self._viewer.layers.selection.active
        # Points and not shapes: software renderers have crashed on a thousand shapes.
        layer = self._viewer.add_points(
            box_squares(starts, box),
            name=name,
            symbol="square",
            size=box,
            face_color="transparent",
            border_color="#ffb000",
            border_width=0.015,
            opacity=0.8,
            # Said at once: it must not be offered as picks when it arrives.
            **{**placement.layer_keywords(), "metadata": {METADATA_KEY: {"aid": True}}},
        )
        layer.editable = False
        if active is not None:
            self._viewer.layers.selection.active = active
        return _key(layer)

    def remove(self, key: LayerKey) -> None:
        """Remove a layer if it is still there."""
        if self.has(key):
            layer = self._layer(key)
            self._links.unlink(layer)
            remove_layer(self._viewer, layer)

    def open(self, path: Path) -> LayerKey | None:
        """Open a volume with this plugin's reader; return the key of its layer."""
        from napari_voxuda._napari.reader import open_layer

        data, keywords, kind = open_layer(path)
        add = self._viewer.add_labels if kind == "labels" else self._viewer.add_image
        return _key(add(data, **keywords))

    def watch_layers(self, callback: Callable[[], None]) -> None:
        """Call `callback` when layers come, go or are renamed."""
        events = self._viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered, events.renamed):
            self._watch(emitter, callback)

    def watch_view(self, callback: Callable[[], None]) -> None:
        """Call `callback` when another slice, region or layer is shown."""
        # The camera is the scene's since napari 0.9.
        camera = getattr(self._viewer, "scene", self._viewer).camera.events
        dims = self._viewer.dims.events
        for emitter in (dims.point, dims.order, dims.ndisplay, camera.zoom, camera.center):
            self._watch(emitter, callback)

        def visibility(event: Any = None) -> None:
            if getattr(event, "type", "") == "visible":
                callback()

        events = self._viewer.layers.events  # what a layer tells comes from their list again
        events.connect(visibility)
        self._watched.append((events, visibility))

    def close(self) -> None:
        """Stop watching."""
        for emitter, function in self._watched:
            emitter.disconnect(function)
        self._watched.clear()
        self._edits.close()
        self._links.close()

    def _watch(self, emitter: Any, callback: Callable[[], None]) -> None:
        def called(event: Any = None) -> None:
            callback()

        emitter.connect(called)
        self._watched.append((emitter, called))

    def _layer(self, key: LayerKey) -> Layer:
        for layer in self._viewer.layers:
            if layer.unique_id == key:
                return layer
        raise InputError("layer: it is no longer in the viewer; choose another one.")


def _key(layer: Layer) -> LayerKey:
    key: LayerKey = layer.unique_id
    return key


def _triple(values: list[int]) -> TripleInt:
    z, y, x = values
    return z, y, x

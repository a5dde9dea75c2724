"""Take a layer out of the viewer without harm to what is drawn next."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import napari
    from napari.layers import Layer

__all__ = ["remove_layer"]


def remove_layer(viewer: napari.Viewer, layer: Layer) -> None:
    """Remove a layer; an image whose slice is not the one shown is drawn past first.

    Seen with napari 0.9.2, vispy and llvmpipe: where an image of one slice is removed while another slice is
    shown, the next image that is added ends the process in glDrawArrays, unless the canvas was
    drawn between.
    """
    if layer._type_string == "image" and viewer.dims.ndisplay == 2 and not _is_shown(viewer, layer):
        with suppress(RuntimeError):  # the window is closing
            viewer.screenshot(canvas_only=True, flash=False)
    viewer.layers.remove(layer)


def _is_shown(viewer: napari.Viewer, layer: Layer) -> bool:
    first = viewer.dims.ndim - layer.ndim
    point = layer.world_to_data(viewer.dims.point[first:])
    hidden = [axis - first for axis in viewer.dims.not_displayed if axis >= first]
    return all(-0.5 <= point[axis] < layer.data.shape[axis] - 0.5 for axis in hidden)

"""Take a layer out of the viewer without harm to what is drawn next."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import napari
    from napari.layers import Layer

__all__ = ["remove_layer"]


def remove_layer(viewer: napari.Viewer, layer: Layer) -> None:
    """Remove a layer; the canvas is drawn before an image goes.

    Seen with napari 0.9.2, vispy and llvmpipe: where an image is removed that was changed, or whose slice is no longer
    the one shown, since the canvas was drawn last, one of the next drawings ends the process in glDrawArrays.
    """
    if layer._type_string == "image" and viewer.dims.ndisplay == 2:
        with suppress(RuntimeError):  # the window is closing
            viewer.screenshot(canvas_only=True, flash=False)
    viewer.layers.remove(layer)

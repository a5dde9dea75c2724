"""The export window over a viewer, and the command *Export masks to MRC…* that opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_voxuda.app.export.choice import ExportOffer

if TYPE_CHECKING:
    import napari

    from napari_voxuda.gui.export.window import ExportWindow

__all__ = ["export_masks", "open_export_window"]


def export_masks(viewer: napari.viewer.Viewer) -> None:
    """Open the window for the selected labels layers, or for all of them where none is selected."""
    from napari.utils.notifications import show_warning

    from napari_voxuda._napari.scene import ViewerScene

    keys = [choice.key for choice in ViewerScene(viewer).choices("labels")]
    if not keys:
        show_warning("Export masks: there is no labels layer. Segment a tomogram first.")
        return
    selected = {layer.unique_id for layer in viewer.layers.selection}
    chosen = tuple(key for key in keys if key in selected)
    open_export_window(viewer, ExportOffer(layers=chosen or tuple(keys)))


def open_export_window(viewer: napari.viewer.Viewer, offer: ExportOffer) -> ExportWindow:
    """Open the window, in place of one that is open and idle; one that is at work is shown instead."""
    from napari_voxuda._napari.scene import ViewerScene
    from napari_voxuda.gui.export.window import ExportWindow

    # Plugins are given a proxy of the viewer, whose widgets are proxies too; Qt wants the real one.
    viewer = getattr(viewer, "__wrapped__", viewer)
    parent = viewer.window._qt_window
    open_windows: list[ExportWindow] = parent.findChildren(ExportWindow)
    for window in open_windows:
        if window.controller.busy:
            window.say("The present export goes on; wait for it, or press Stop.", "warning")
            window.raise_()
            return window
        window.close()
    window = ExportWindow(ViewerScene(viewer), offer, parent=parent)
    window.show()
    return window

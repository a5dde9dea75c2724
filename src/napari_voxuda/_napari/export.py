"""The command *Export masks to MRC…*."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_voxuda.errors import OutputError, VoxUDAError

if TYPE_CHECKING:
    import napari
    from napari.layers import Labels

__all__ = ["export_masks"]


def export_masks(viewer: napari.viewer.Viewer) -> None:
    """Save the selected labels layers, or all of them where none is selected, as MRC masks."""
    from napari.layers import Labels
    from napari.utils.notifications import show_info, show_warning

    selected = [layer for layer in viewer.layers.selection if isinstance(layer, Labels)]
    layers = selected or [layer for layer in viewer.layers if isinstance(layer, Labels)]
    if not layers:
        show_warning("Export masks: there is no labels layer. Segment a tomogram first.")
        return
    try:
        saved = _save(layers)
    except VoxUDAError as error:
        show_warning(str(error))
        return
    if saved:
        show_info(f"Saved {', '.join(str(path) for path in saved)}.")


def _save(layers: list[Labels]) -> list[Path]:
    """Ask for a file (one layer) or a folder (several) and write the masks."""
    from napari_voxuda._napari.layers import layer_volume
    from napari_voxuda.app.provenance import Provenance, sign
    from napari_voxuda.gui.path_row import ask_folder, ask_save_path
    from napari_voxuda.io.mrc import write_mask
    from napari_voxuda.io.names import file_name

    if len(layers) == 1:
        path = ask_save_path(None, "Export mask", f"{file_name(layers[0].name)}.mrc")
        targets = [path.with_suffix(path.suffix or ".mrc")] if path is not None else []
    else:
        folders = ask_folder(None, "Export masks into a folder")
        targets = (
            [folders[0] / f"{file_name(layer.name)}.mrc" for layer in layers] if folders else []
        )
        if taken := [path.name for path in targets if path.exists()]:
            raise OutputError(
                f"{folders[0]}: it already holds {taken[0]}; nothing was saved. "
                "Choose another folder or rename the layer."
            )
    for target, layer in zip(targets, layers, strict=False):
        write_mask(target, layer_volume(layer))
        sign(target, "mask", Provenance(task="export", settings={"layer": layer.name}))
    return targets

"""Save image and labels layers as MRC files with the header of the tomogram they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_voxuda._napari.layers import _volume_of

__all__ = ["write_image", "write_labels"]


def write_image(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write an image layer to the MRC file `path` and return the paths written.

    Raises
    ------
    InputError
        When the layer is not a grey-scale volume.
    OutputError
        When the file cannot be written.
    """
    from napari_voxuda.io.mrc import write_mrc

    target = _mrc_path(path)
    write_mrc(target, _volume_of(data, attributes))
    _sign(target, "volume", attributes)
    return [str(target)]


def write_labels(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer to the MRC file `path` as a mask and return the paths written.

    Raises
    ------
    InputError
        When the layer is not a volume or has more labels than an MRC file can hold.
    OutputError
        When the file cannot be written.
    """
    from napari_voxuda.io.mrc import write_mask

    target = _mrc_path(path)
    write_mask(target, _volume_of(data, attributes))
    _sign(target, "mask", attributes)
    return [str(target)]


def _sign(target: Path, kind: str, attributes: dict[str, Any]) -> None:
    from napari_voxuda.app.provenance import Provenance, sign

    layer = str(attributes.get("name", "layer"))
    sign(target, kind, Provenance(task="save layer", settings={"layer": layer}))


def _mrc_path(path: str) -> Path:
    target = Path(path)
    return target if target.suffix else target.with_suffix(".mrc")

"""Write labels into the ``labels`` group of an OME-Zarr image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import FileFormatError, InputError, OutputError
from napari_voxuda.io._ome_metadata import OmeVersion
from napari_voxuda.io.atomic import atomic_path
from napari_voxuda.io.names import child
from napari_voxuda.io.ome_zarr import open_ome_zarr
from napari_voxuda.io.zarr_folder import is_zarr_folder, zarr_folder
from napari_voxuda.io.zarr_image import write_label_zarr

__all__ = ["add_label_to_image"]


def add_label_to_image(
    image: str | Path,
    volume: Volume,
    *,
    name: str,
    names: Mapping[int, str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write labels into the ``labels`` of an OME-Zarr image, in the version of the image.

    Parameters
    ----------
    image : str or pathlib.Path
        Folder of the image.
    volume : Volume
        (d, h, w) labels of the image's shape, on its grid.
    name : str
        Name of the label image, a plain one.
    names : mapping of int to str or None
        What the labels mean.
    overwrite : bool
        Replace labels of this name.

    Returns
    -------
    pathlib.Path
        The folder of the labels.

    Raises
    ------
    InputError
        When values are no labels, or the shape is not the image's.
    FileFormatError
        When there is no such image.
    OutputError
        When such labels exist, or the image's folder cannot be written to.
    DependencyError
        When the package zarr is not installed.

    Notes
    -----
    The labels appear whole under their name first and are listed in the group after that.
    """
    image = Path(image).expanduser()
    opened = open_ome_zarr(image)
    shape = opened.levels[0].data.shape
    if shape != volume.shape:
        raise InputError(
            f"{image}: labels of the image's shape {shape} were wanted, got {volume.shape}."
        )
    version: OmeVersion = "0.5" if (image / "zarr.json").is_file() else "0.4"
    target = child(image, "labels", name)
    _make_labels_group(image / "labels", version)
    write_label_zarr(
        target, volume, version=version, names=names, in_image=True, overwrite=overwrite
    )
    _list_label(image / "labels", name, version)
    return target


def _make_labels_group(folder: Path, version: OmeVersion) -> None:
    """Make the group that lists an image's labels where there is none."""
    if is_zarr_folder(folder):
        return
    if folder.exists():
        raise OutputError(f"{folder}: a zarr group was wanted, but it is something else.")
    with zarr_folder(folder) as part:
        for name, content in _group_files(version, []).items():
            (part / name).write_text(json.dumps(content, indent=2), encoding="utf-8")


def _group_files(version: OmeVersion, labels: list[str]) -> dict[str, dict[str, Any]]:
    if version == "0.4":
        return {".zgroup": {"zarr_format": 2}, ".zattrs": {"labels": labels}}
    attributes = {"ome": {"version": "0.5", "labels": labels}}
    return {"zarr.json": {"zarr_format": 3, "node_type": "group", "attributes": attributes}}


def _list_label(folder: Path, name: str, version: OmeVersion) -> None:
    """Add a name to the list of an image's labels."""
    file = folder / (".zattrs" if version == "0.4" else "zarr.json")
    try:
        content = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        if version == "0.4":
            holder = content
        else:
            holder = content.setdefault("attributes", {}).setdefault("ome", {"version": "0.5"})
        labels = holder.setdefault("labels", [])
        if name not in labels:
            labels.append(name)
    except (OSError, ValueError, AttributeError) as error:
        raise FileFormatError(f"{file}: the list of labels cannot be read ({error}).") from error
    with atomic_path(file) as temporary:
        temporary.write_text(json.dumps(content, indent=2), encoding="utf-8")

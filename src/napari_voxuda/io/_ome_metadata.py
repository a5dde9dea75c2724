"""The metadata of OME-Zarr images, versions 0.4 and 0.5: taking them apart and making them.

In 0.4 they stand in the attributes of a zarr group of format 2, in 0.5 under ``ome`` in those of
format 3. A level's voxel `i` lies at ``scale * i + translation`` in the units of its axes, as
the centre of a voxel; transformations of the whole image come after that.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from napari_voxuda import __version__
from napari_voxuda._types import Triple
from napari_voxuda.data.lengths import angstrom_per_unit
from napari_voxuda.data.volume import Grid
from napari_voxuda.errors import FileFormatError, InputError

__all__ = [
    "OmeMetadata",
    "OmeVersion",
    "label_metadata",
    "multiscales_metadata",
    "parse_attributes",
]

OmeVersion = Literal["0.4", "0.5"]

_OLD_AXES = "tczyx"  # before version 0.3 axes had no names
_MOST_COLOURS = 256
_GOLDEN = 0.61803398875


@dataclass(frozen=True, kw_only=True)
class OmeMetadata:
    """What the attributes of an OME-Zarr image say.

    Parameters
    ----------
    version : str
        As written, ``""`` where it is missing.
    name : str
        Name of the image, ``""`` without.
    axes : tuple of str
        Names of the axes.
    paths : tuple of str
        Where the levels are, the finest first.
    grids : tuple of Grid
        Where the voxels of each level lie.
    is_label : bool
        Whether it is a label image.
    warnings : tuple of str
        Sentences about doubtful values.
    """

    version: str
    name: str
    axes: tuple[str, ...]
    paths: tuple[str, ...]
    grids: tuple[Grid, ...]
    is_label: bool
    warnings: tuple[str, ...]


def parse_attributes(attributes: Mapping[str, Any], path: Path) -> OmeMetadata | None:
    """Take the attributes of a zarr group apart; None when they describe no image.

    Parameters
    ----------
    attributes : mapping
        The group's attributes.
    path : pathlib.Path
        Named in the messages.

    Raises
    ------
    FileFormatError
        When they describe an image that cannot be used.
    """
    nested = attributes.get("ome")
    found = nested if isinstance(nested, Mapping) else attributes
    multiscales = found.get("multiscales")
    if multiscales is None:
        return None
    try:
        first = multiscales[0]
        axes, units = _axes(first)
        warnings: list[str] = []
        factors = _factors(axes, units, warnings)
        whole = first.get("coordinateTransformations") or []
        datasets = first["datasets"]
        grids = tuple(
            _grid(d.get("coordinateTransformations") or [], whole, axes, factors) for d in datasets
        )
        return OmeMetadata(
            version=str(found.get("version", first.get("version", ""))),
            name=str(first.get("name") or ""),
            axes=axes,
            paths=tuple(_plain_path(d["path"], path) for d in datasets),
            grids=_known(grids, units, axes, warnings),
            is_label="image-label" in found,
            warnings=tuple(warnings),
        )
    except FileFormatError:
        raise
    except (InputError, KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FileFormatError(
            f"{path}: its OME metadata cannot be understood ({reason})."
        ) from error


def _axes(multiscale: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
    """Return names and units of the axes."""
    axes = multiscale.get("axes")
    if axes is None:
        return tuple(_OLD_AXES), (None,) * len(_OLD_AXES)
    named = [{"name": a} if isinstance(a, str) else a for a in axes]
    names = tuple(str(a["name"]).lower() for a in named)
    return names, tuple(None if a.get("unit") is None else str(a["unit"]) for a in named)


def _factors(
    axes: Sequence[str], units: Sequence[str | None], warnings: list[str]
) -> Triple | None:
    """Return Å per unit along z, y, x; None where a unit is no length. Without units it is Å."""
    missing = [a for a in "zyx" if a not in axes]
    if missing:
        raise ValueError(f"the axes z, y and x were wanted, got {', '.join(axes)}")
    found = []
    for axis in "zyx":
        unit = units[axes.index(axis)]
        factor = 1.0 if unit is None else angstrom_per_unit(unit)
        if factor is None:
            warnings.append(
                f"The unit {unit!r} is no length; the voxel size is unknown, set it in Å."
            )
            return None
        found.append(factor)
    return found[0], found[1], found[2]


def _grid(
    own: Sequence[Any], whole: Sequence[Any], axes: Sequence[str], factors: Triple | None
) -> Grid:
    """Return the grid of a level from its transformations and those of the whole image."""
    if factors is None:
        return Grid()
    size, origin = [1.0] * 3, [0.0] * 3
    for step in (*own, *whole):
        values = step.get(step["type"])
        if step["type"] not in ("scale", "translation") or not isinstance(values, list):
            if step["type"] == "identity":
                continue
            raise ValueError(f"the transformation {step['type']!r} is not supported")
        if len(values) != len(axes):
            raise ValueError(
                f"{len(axes)} values were wanted in a {step['type']}, got {len(values)}"
            )
        picked = [float(values[axes.index(a)]) for a in "zyx"]
        if step["type"] == "scale":
            size = [s * v for s, v in zip(size, picked, strict=True)]
            origin = [o * v for o, v in zip(origin, picked, strict=True)]
        else:
            origin = [o + v for o, v in zip(origin, picked, strict=True)]
    size = [s * f for s, f in zip(size, factors, strict=True)]
    origin = [o * f for o, f in zip(origin, factors, strict=True)]
    return Grid(
        voxel_size_angstrom=(size[0], size[1], size[2]),
        origin_angstrom=(origin[0], origin[1], origin[2]),
    )


def _known(
    grids: tuple[Grid, ...],
    units: Sequence[str | None],
    axes: Sequence[str],
    warnings: list[str],
) -> tuple[Grid, ...]:
    """Return the grids, or unknown ones where there is neither a unit nor a scale."""
    if not grids or grids[0].voxel_size_angstrom is None:
        return grids
    size = grids[0].voxel_size_angstrom
    if all(units[axes.index(a)] is None for a in "zyx"):
        if size == (1.0, 1.0, 1.0):
            warnings.append("The file does not tell the voxel size; set it in Å.")
            return (Grid(),) * len(grids)
        warnings.append("The file gives no unit for its scale; it is taken as Å.")
    if max(size) / min(size) > 1.001:
        warnings.append("The voxels are no cubes; they are kept as they are.")
    return grids


def _plain_path(value: Any, path: Path) -> str:
    """Return where a level is, as long as that is within the image."""
    text = str(value)
    parts = text.split("/")
    if not text or "\\" in text or "\0" in text or any(p in ("", ".", "..") for p in parts):
        raise FileFormatError(f"{path}: a level within the image was wanted, got {text[:60]!r}.")
    return text


def multiscales_metadata(
    version: OmeVersion,
    name: str,
    levels: Sequence[tuple[str, Grid]],
    *,
    method: str,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the attributes of an image.

    Parameters
    ----------
    version : {"0.4", "0.5"}
        Version of OME-Zarr.
    name : str
        Name of the image.
    levels : sequence of (str, Grid)
        Path and grid of each level, the finest first. Without a voxel size the scale is in voxels
        of the finest level, and the axes have no unit.
    method : str
        How the coarser levels were made.
    extra : mapping or None
        More attributes beside ``multiscales``.
    """
    known = levels[0][1].voxel_size_angstrom is not None
    axes = [{"name": a, "type": "space", **({"unit": "angstrom"} if known else {})} for a in "zyx"]
    multiscale: dict[str, Any] = {
        "name": name,
        "axes": axes,
        "datasets": [
            {"path": path, "coordinateTransformations": _transformations(grid, 1 << n)}
            for n, (path, grid) in enumerate(levels)
        ],
        "type": method,
        "metadata": {"program": f"napari-voxuda {__version__}"},
    }
    if version == "0.4":
        return {"multiscales": [{"version": "0.4", **multiscale}], **(extra or {})}
    return {"ome": {"version": "0.5", "multiscales": [multiscale], **(extra or {})}}


def _transformations(grid: Grid, step: int) -> list[dict[str, Any]]:
    size = grid.voxel_size_angstrom or (float(step),) * 3
    scale = {"type": "scale", "scale": [float(v) for v in size]}
    if not any(grid.origin_angstrom):
        return [scale]
    return [scale, {"type": "translation", "translation": [float(v) for v in grid.origin_angstrom]}]


def label_metadata(
    version: OmeVersion, labels: Sequence[int], names: Mapping[int, str], *, in_image: bool
) -> dict[str, Any]:
    """Return the ``image-label`` attribute of a label image.

    Parameters
    ----------
    version : {"0.4", "0.5"}
        Version of OME-Zarr.
    labels : sequence of int
        The labels that occur, without the background.
    names : mapping of int to str
        What the labels mean.
    in_image : bool
        Whether it lies in the ``labels`` of an image, which is then named as its source.
    """
    entry: dict[str, Any] = {} if version == "0.5" else {"version": "0.4"}
    entry["colors"] = [
        {"label-value": int(v), "rgba": _colour(n)} for n, v in enumerate(labels[:_MOST_COLOURS])
    ]
    entry["properties"] = [
        {"label-value": int(v), "name": names[v]} for v in labels[:_MOST_COLOURS] if v in names
    ]
    if in_image:
        entry["source"] = {"image": "../../"}
    return {"image-label": {k: v for k, v in entry.items() if v}}


def _colour(number: int) -> list[int]:
    """Return a colour that differs from those of the neighbouring numbers."""
    rgb = colorsys.hsv_to_rgb(math.fmod(0.08 + number * _GOLDEN, 1.0), 0.75, 0.95)
    return [round(255 * v) for v in rgb] + [255]

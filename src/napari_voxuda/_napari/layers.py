"""Translate between napari layers and volumes, without losing where a voxel lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Triple, TripleInt
from napari_voxuda.data.lazy import LazyArray
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError

if TYPE_CHECKING:
    from napari.layers import Layer

__all__ = [
    "AXIS_LABELS",
    "METADATA_KEY",
    "Placement",
    "contrast_limits",
    "is_aid",
    "layer_grid",
    "layer_volume",
    "mark_as_aid",
    "volume_keywords",
]

METADATA_KEY = "napari_voxuda"
AXIS_LABELS = ("z", "y", "x")
_SAMPLED_SLICES = 15
_SAMPLED_EDGE = 200


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where a layer lies in the world, detached from the layer so that it outlives it.

    Parameters
    ----------
    keywords : mapping
        ``scale``, ``translate``, ``rotate``, ``shear``, ``affine``, ``units`` and ``axis_labels``
        as napari's ``add_image`` takes them.
    grid : Grid
        The voxel grid that an export of a layer placed here repeats.
    """

    keywords: Mapping[str, Any]
    grid: Grid

    @classmethod
    def of(cls, layer: Layer) -> Placement:
        """Return the placement of `layer`."""
        keywords = {
            "scale": np.array(layer.scale),
            "translate": np.array(layer.translate),
            "rotate": np.array(layer.rotate),
            "shear": np.array(layer.shear),
            "affine": np.array(layer.affine.affine_matrix),
            "units": layer.units,
            "axis_labels": layer.axis_labels,
        }
        return cls(keywords=keywords, grid=_grid_of(layer.metadata, layer.scale, layer.units))

    def layer_keywords(self, offset: TripleInt | None = None) -> dict[str, Any]:
        """Return keywords for a layer placed here.

        Parameters
        ----------
        offset : tuple of int or None
            For a piece of the volume, its first voxel (z, y, x). A layer of the whole volume also
            gets the grid, which its export repeats.

        Raises
        ------
        InputError
            When a piece of a rotated or sheared layer is to be placed.
        """
        keywords = dict(self.keywords)
        if offset is None:
            keywords["metadata"] = {METADATA_KEY: {"grid": self.grid}}
            return keywords
        scale, rotate, shear = (
            np.asarray(keywords[k], float) for k in ("scale", "rotate", "shear")
        )
        if not np.allclose(rotate, np.eye(3)) or np.any(shear):
            raise InputError(
                "preview: a layer without rotation and shear was wanted, got a rotated one."
            )
        keywords["translate"] = np.asarray(keywords["translate"], float) + scale * offset
        return keywords


def volume_keywords(volume: Volume) -> dict[str, Any]:
    """Return napari keywords that show `volume` at its place; in pixels if its size is unknown."""
    size = volume.grid.voxel_size_angstrom
    metadata: dict[str, Any] = {"grid": volume.grid, "warnings": volume.warnings}
    if volume.path is not None:
        metadata["path"] = str(volume.path)
    keywords: dict[str, Any] = {
        "name": volume.name,
        "axis_labels": AXIS_LABELS,
        "metadata": {METADATA_KEY: metadata},
    }
    if size is not None:
        keywords |= {
            "scale": size,
            "translate": volume.grid.origin_angstrom,
            "units": ("angstrom",) * 3,
        }
    return keywords


def mark_as_aid(layer: Layer) -> None:
    """Remember that a layer is only looked at or painted on: no input, and nothing to export."""
    kept = dict(layer.metadata.get(METADATA_KEY, {}))
    layer.metadata = {**layer.metadata, METADATA_KEY: {**kept, "aid": True}}


def is_aid(layer: Layer) -> bool:
    """Whether a layer is an aid; see `mark_as_aid`."""
    kept = layer.metadata.get(METADATA_KEY, {})
    return bool(isinstance(kept, Mapping) and kept.get("aid"))


def layer_grid(layer: Layer) -> Grid:
    """Return the voxel grid of `layer`: the file's where the layer still has its voxel size."""
    return _grid_of(layer.metadata, layer.scale, layer.units)


def layer_volume(layer: Layer) -> Volume:
    """Return `layer` as a volume; its array is shared, not copied.

    Raises
    ------
    InputError
        When the layer is not a three-dimensional grey-scale or label volume.
    """
    return _volume_of(layer.data, layer.as_layer_data_tuple()[1])


def _volume_of(data: Any, attributes: Mapping[str, Any]) -> Volume:
    name = str(attributes.get("name", "layer"))
    if attributes.get("rgb"):
        raise InputError(f"{name}: a grey-scale volume was wanted, got a colour image.")
    if attributes.get("multiscale"):
        data = data[0]
    array: Any = data if isinstance(data, np.ndarray | LazyArray) else np.asarray(data)
    units = attributes.get("units")
    grid = _grid_of(
        attributes.get("metadata", {}), attributes.get("scale", (1,) * array.ndim), units
    )
    translate = tuple(float(v) for v in attributes.get("translate", ()))
    if METADATA_KEY not in attributes.get("metadata", {}) and len(translate) == 3:
        grid = _with_origin(grid, translate, units)
    return Volume(data=array, grid=grid, name=name, path=_file_of(array, attributes))


def _file_of(array: Any, attributes: Mapping[str, Any]) -> Path | None:
    """Return the file that a layer shows, as long as its values cannot have been changed."""
    kept = attributes.get("metadata", {}).get(METADATA_KEY, {})
    path = kept.get("path") if isinstance(kept, Mapping) else None
    is_unchanged = isinstance(array, LazyArray) or not array.flags.writeable
    return Path(path) if isinstance(path, str) and is_unchanged else None


def _with_origin(grid: Grid, translate: tuple[float, ...], units: Any) -> Grid:
    if grid.voxel_size_angstrom is None:
        return grid
    factors = _angstrom_per_unit(units) or (1.0, 1.0, 1.0)
    z, y, x = (t * f for t, f in zip(translate, factors, strict=True))
    return replace(grid, origin_angstrom=(z, y, x))


def _grid_of(metadata: Mapping[str, Any], scale: Any, units: Any) -> Grid:
    kept = metadata.get(METADATA_KEY, {})
    grid = kept.get("grid") if isinstance(kept, Mapping) else None
    grid = grid if isinstance(grid, Grid) else Grid()
    size = _voxel_size(scale, units)
    if size is None:
        return (
            grid if grid.voxel_size_angstrom is None else Grid(origin_angstrom=grid.origin_angstrom)
        )
    known = grid.voxel_size_angstrom
    if known is not None and np.allclose(known, size, rtol=1e-5):
        return grid
    return grid.with_voxel_size(size)


def _voxel_size(scale: Any, units: Any) -> Triple | None:
    """Return the voxel size in Å, or None for a layer measured in pixels with scale 1."""
    values = tuple(float(abs(v)) for v in scale)[-3:]
    if len(values) != 3:
        return None
    factors = _angstrom_per_unit(units)
    if factors is None:
        return None
    z, y, x = (v * f for v, f in zip(values, factors, strict=True))
    return z, y, x


def _angstrom_per_unit(units: Any) -> Triple | None:
    """Return how many Å each axis' unit is, or None where it is not a length."""
    if units is None:
        return None
    import pint

    registry: Any = pint.get_application_registry()  # type: ignore[no-untyped-call]
    names = ([units] * 3 if isinstance(units, str) else list(units))[-3:]
    try:
        factors = [float(registry.Quantity(1, str(u)).to("angstrom").magnitude) for u in names]
    except pint.errors.PintError:
        return None
    return (factors[0], factors[1], factors[2]) if len(factors) == 3 else None


def contrast_limits(data: npt.NDArray[Any]) -> tuple[float, float]:
    """Return display limits (the 0.5 and 99.5 percentiles of a sparse sample of `data`).

    At most 15 slices of about 200 by 200 voxels are read, so that a memory map stays lazy.
    """
    d, h, w = data.shape
    planes = np.unique(np.linspace(0, d - 1, min(d, _SAMPLED_SLICES)).astype(int))
    steps = (max(1, h // _SAMPLED_EDGE), max(1, w // _SAMPLED_EDGE))
    sample = np.stack([data[z, :: steps[0], :: steps[1]] for z in planes]).astype(np.float64)
    finite = sample[np.isfinite(sample)]
    if finite.size == 0:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(finite, (0.5, 99.5)))
    if low == high:
        low, high = float(finite.min()), float(finite.max())
    return (low, high) if low < high else (low, low + 1.0)

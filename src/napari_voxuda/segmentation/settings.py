"""Settings of whole-tomogram segmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_voxuda._params import param, validate

__all__ = ["SegmentSettings"]


@dataclass(frozen=True, kw_only=True)
class SegmentSettings:
    """Settings of `segment`.

    Raises
    ------
    InputError
        When a value is outside its bounds.
    """

    threshold: float = param(
        0.5,
        "Voxels with at least this probability are foreground.",
        minimum=0.0,
        maximum=1.0,
        step=0.01,
    )
    min_size_angstrom3: float = param(
        0.0,
        "Connected components with a smaller volume are removed.",
        unit="Å³",
        minimum=0.0,
        step=1000.0,
    )
    max_hole_angstrom3: float = param(
        0.0,
        "Enclosed holes of at most this volume are filled.",
        unit="Å³",
        minimum=0.0,
        step=1000.0,
    )
    roundness: float = param(
        0.0,
        "Draws each piece of the mask towards a ball of its size, where the probability leaves it open: for globular "
        "molecules whose masks are ragged with noise. Long and branched pieces stay as they are; 0 changes nothing.",
        minimum=0.0,
        maximum=1.0,
        step=0.05,
    )
    core: int = param(
        48,
        "Largest edge of what an inner tile decides; rounded up to a multiple of 8.",
        unit="voxels",
        minimum=8,
        maximum=512,
        step=8,
        advanced=True,
    )
    halo: int = param(
        8,
        "Context that a tile reads towards each neighbour; rounded up to a multiple of 8.",
        unit="voxels",
        minimum=0,
        maximum=64,
        step=8,
        advanced=True,
    )
    batch: int = param(
        2,
        "Tiles predicted at once; below 2 the CPU is several times slower.",
        minimum=2,
        maximum=64,
        step=1,
        advanced=True,
    )
    merge: Literal["cores", "blend"] = param(
        "cores",
        "Keep each tile's core, or blend the tiles where they overlap (by twice the halo).",
        advanced=True,
    )
    window: Literal["gaussian", "linear"] = param(
        "gaussian", "Weight of a tile when tiles are blended.", advanced=True
    )

    def __post_init__(self) -> None:
        validate(self)

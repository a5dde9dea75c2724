"""What a simulated source is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_voxuda._params import param, validate

__all__ = ["SourceSettings"]


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """Settings of a source of labelled subtomograms.

    Raises
    ------
    InputError
        When a value is outside its bounds.
    """

    kind: Literal["phantom", "structures", "maps", "folder"] = param(
        "phantom",
        "Built-in phantoms, structure files (PDB/mmCIF), density maps (MRC), or a folder of pairs.",
    )
    files: tuple[str, ...] = param((), "Structure files, maps, or one folder; empty for phantoms.")
    count: int = param(500, "Subtomograms simulated in all.", minimum=1, maximum=1_000_000, step=1)
    box: int = param(32, "Edge of a subtomogram.", unit="voxels", minimum=16, maximum=256, step=8)
    voxel_size_angstrom: float = param(
        10.0,
        "Voxel size; that of the target when adapting.",
        unit="Å",
        minimum=1.0,
        maximum=100.0,
        step=0.01,
    )
    snr: tuple[float, ...] = param(
        (0.03, 0.05),
        "Signal-to-noise ratios (variance ratios over the box), drawn uniformly.",
        minimum=0.0001,
        maximum=1000.0,
    )
    defocus_um: tuple[float, float] = param(
        (4.0, 6.0),
        "Range of the defocus (underfocus positive).",
        unit="µm",
        minimum=0.0,
        maximum=20.0,
        step=0.1,
    )
    tilt_range_deg: float = param(
        60.0,
        "Largest tilt; 60 leaves a missing wedge of 30° at each side.",
        unit="°",
        minimum=10.0,
        maximum=90.0,
        step=1.0,
    )
    neighbours: int = param(
        4, "Largest number of other molecules in the box.", minimum=0, maximum=32, step=1
    )
    offset_voxels: float = param(
        8.0,
        "Largest random offset of the molecule from the box centre along each axis.",
        unit="voxels",
        minimum=0.0,
        maximum=128.0,
        step=0.5,
    )
    empty_fraction: float = param(
        0.1, "Fraction of boxes that hold no molecule.", minimum=0.0, maximum=0.9, step=0.01
    )

    def __post_init__(self) -> None:
        validate(self)

"""What a synthetic tomogram is made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from napari_voxuda._params import param, validate
from napari_voxuda.errors import InputError
from napari_voxuda.simulation.phantoms import PHANTOMS

__all__ = ["SceneSettings"]


@dataclass(frozen=True, kw_only=True)
class SceneSettings:
    """Settings of a synthetic tomogram.

    Raises
    ------
    InputError
        When a value is outside its bounds or names an unknown phantom.
    """

    shape: tuple[int, int, int] = param(
        (64, 128, 128), "Size (z, y, x).", unit="voxels", minimum=16, maximum=2048
    )
    voxel_size_angstrom: float = param(
        12.0, "Voxel size.", unit="Å", minimum=4.0, maximum=40.0, step=0.1
    )
    kinds: tuple[str, ...] = param(
        ("ribosome", "proteasome", "chaperonin"),
        "Phantoms that are placed and labelled, in equal numbers.",
    )
    files: tuple[str, ...] = param(
        (), "Structure files or density maps that are placed and labelled as the phantoms are."
    )
    molecules: int = param(
        30, "Labelled molecules that are tried.", minimum=0, maximum=10_000, step=1
    )
    small_proteins: int = param(
        300, "Unlabelled proteins of 20 to 60 kDa.", minimum=0, maximum=100_000, step=10
    )
    gold_beads: int = param(3, "Gold beads, unlabelled.", minimum=0, maximum=1000, step=1)
    vesicles: int = param(
        0,
        "Unlabelled vesicles of 30 to 120 nm that are tried; molecules stand beside and inside.",
        minimum=0,
        maximum=1000,
        step=1,
    )
    signal: float = param(
        0.7,
        "Mean z-score of the protein-bright tomogram inside the mask; sets the noise.",
        minimum=0.01,
        maximum=100.0,
        step=0.05,
    )
    contrast: Literal["bright", "dark"] = param(
        "dark", "Whether molecules are dark, as in raw data, or bright."
    )
    defocus_um: float = param(
        4.5, "Defocus (underfocus positive).", unit="µm", minimum=0.0, maximum=20.0, step=0.1
    )
    tilt_range_deg: float = param(
        60.0, "Largest tilt.", unit="°", minimum=10.0, maximum=90.0, step=1.0
    )

    def __post_init__(self) -> None:
        validate(self)
        for kind in self.kinds:
            if kind not in PHANTOMS:
                raise InputError(
                    f"SceneSettings.kinds: some of {', '.join(PHANTOMS)} were wanted, got {kind!r}."
                )
        if self.molecules and not self.names:
            raise InputError(
                "SceneSettings.kinds: at least one phantom or file was wanted, got none."
            )
        if len(set(self.names)) < len(self.names):
            raise InputError(
                "SceneSettings.kinds and files: molecules of different names were wanted, got "
                f"{', '.join(self.names)}; leave one out or rename a file."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the labelled classes, numbered from 1: phantoms, then files without suffix."""
        return self.kinds + tuple(Path(file).name.split(".")[0] for file in self.files)

"""Settings of a refinement by corrections."""

from __future__ import annotations

from dataclasses import dataclass

from napari_voxuda._params import param, validate

__all__ = ["RefineSettings"]


@dataclass(frozen=True, kw_only=True)
class RefineSettings:
    """Settings of a short adaptation to voxels that the user corrected.

    Raises
    ------
    InputError
        When a value is outside its bounds.
    """

    steps: int = param(40, "Optimisation steps.", minimum=1, maximum=100_000, step=10)
    learning_rate: float = param(
        2e-3, "Adam's initial learning rate.", minimum=1e-7, maximum=1.0, step=1e-4
    )
    correction_weight: float = param(
        1.0, "Weight of the corrected voxels.", minimum=0.0, maximum=1000.0, step=0.1
    )
    keep_weight: float = param(
        3.0,
        "Weight of staying close to the present prediction where nothing was corrected.",
        minimum=0.0,
        maximum=1000.0,
        step=0.1,
    )
    source_weight: float = param(
        0.1, "Weight of the simulated source.", minimum=0.0, maximum=1000.0, step=0.1
    )
    batch: int = param(
        4,
        "Boxes a step around corrections; as many at random places, half as many of the source.",
        minimum=2,
        maximum=256,
        step=1,
        advanced=True,
    )
    margin: int = param(
        4,
        "Distance from a corrected voxel within which the prediction may change freely.",
        unit="voxels",
        minimum=0,
        maximum=64,
        step=1,
        advanced=True,
    )
    source_count: int = param(
        48, "Source boxes that are simulated.", minimum=1, maximum=100_000, step=8, advanced=True
    )
    ema_decay: float = param(
        0.9,
        "Decay of the moving average of the weights that is kept.",
        minimum=0.0,
        maximum=0.99999,
        step=0.01,
        advanced=True,
    )

    def __post_init__(self) -> None:
        validate(self)

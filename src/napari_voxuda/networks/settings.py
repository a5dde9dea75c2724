"""Size of the segmentation network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_voxuda._params import param, validate

__all__ = ["MAX_SMOOTH_VOXELS", "NetworkSettings"]

MAX_SMOOTH_VOXELS = 2.5
"""Largest smoothing of a prediction: its kernel still fits into the halo of a tile."""


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """Size of the network.

    Raises
    ------
    InputError
        When a value is outside its bounds.
    """

    stem: int = param(
        8, "Channels at full resolution (published: 32).", minimum=1, maximum=256, step=8
    )
    body: int = param(
        16, "Channels at reduced resolution (published: 64).", minimum=1, maximum=512, step=8
    )
    head: int = param(4, "Channels of each of the four heads.", minimum=1, maximum=64, step=1)
    norm: Literal["batch", "group"] = param(
        "batch", "Normalisation of the activations (published: batch)."
    )

    def __post_init__(self) -> None:
        validate(self)

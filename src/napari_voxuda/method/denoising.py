"""Choice among the paper's three denoisers (section III-B) as one settings value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_voxuda._params import param, validate

__all__ = ["DenoiseSettings"]


@dataclass(frozen=True, kw_only=True)
class DenoiseSettings:
    """Settings of the denoiser; the defaults are the paper's.

    Raises
    ------
    InputError
        When a value is outside its bounds.
    """

    method: Literal["ibf", "bilateral", "ngm"] = param(
        "ibf",
        "Improved bilateral filter (Eq. 13-14), bilateral filter (Eq. 8) or NGM (x - highpass(x)).",
    )
    sigma_domain: float = param(
        120.0,
        "Width of the spatial kernel (Eq. 9); in a 3x3x3 window values above 10 act alike.",
        unit="voxels",
        minimum=0.1,
        maximum=1000.0,
        step=1.0,
    )
    sigma_range: float = param(
        1.2,
        "Width of the range kernel: of gradients of the [0, 1] volume (IBF) or its values (bilateral).",
        minimum=0.01,
        maximum=100.0,
        step=0.01,
    )
    operator: Literal["sobel", "laplacian"] = param(
        "sobel", "Gradient of the IBF: Sobel (our reading) or the literal Laplacian (Eq. 10-12)."
    )
    pass_fraction: float = param(
        0.244,
        "Fraction rho of the spectrum that the NGM high-pass filter keeps (Eq. 3).",
        minimum=0.001,
        maximum=1.0,
        step=0.001,
    )
    shape: Literal["cube", "radial"] = param(
        "cube", "Shape of the kept high-pass region: the paper's cube or a sphere's outside."
    )

    def __post_init__(self) -> None:
        validate(self)

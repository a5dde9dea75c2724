"""Choice among the paper's three denoisers (section III-B) as one settings value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from napari_voxuda._params import param, validate

if TYPE_CHECKING:
    import torch

__all__ = ["DenoiseSettings", "denoise", "denoise_halo"]


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
        "Width of the range kernel: of gradients of the volume scaled to [0, 1] (IBF), or of values "
        "in standard deviations of the volume (bilateral).",
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


def denoise_halo(settings: DenoiseSettings) -> int | None:
    """Return the voxels around a block that its exact values need, or None for the whole volume.

    Parameters
    ----------
    settings : DenoiseSettings
        The denoiser.

    Returns
    -------
    int or None
        1 for the bilateral filter, 2 or 3 for the IBF by its operator, None for NGM.
    """
    from napari_voxuda.method.bilateral import BILATERAL_HALO
    from napari_voxuda.method.improved_bilateral import IMPROVED_BILATERAL_HALO

    if settings.method == "ngm":
        return None
    if settings.method == "bilateral":
        return BILATERAL_HALO
    return IMPROVED_BILATERAL_HALO[settings.operator]


def denoise(
    volume: torch.Tensor,
    settings: DenoiseSettings,
    *,
    value_range: tuple[float, float] | None = None,
    standard_deviation: float | None = None,
    padded: bool = False,
) -> torch.Tensor:
    """Denoise a volume with the chosen denoiser.

    Parameters
    ----------
    volume : Tensor
        (..., d, h, w) real values.
    settings : DenoiseSettings
        The denoiser and its parameters.
    value_range : tuple of float or None
        (lowest, highest) value of the whole volume when `volume` is a block of it; used by the
        IBF. Measured on each volume when None.
    standard_deviation : float or None
        Standard deviation of the whole volume when `volume` is a block of it; used by the
        bilateral filter. Measured on each volume when None.
    padded : bool
        Whether `volume` comes with `denoise_halo` voxels of its surroundings on each side, which
        are used and not returned; of no account with NGM, which has no halo.

    Returns
    -------
    Tensor
        Shape (less the padding) and dtype of `volume`, in its units.

    Raises
    ------
    InputError
        When `volume` is no real volume, holds nothing but padding, or `value_range` does not rise.

    Notes
    -----
    `sigma_range` of the bilateral filter counts standard deviations, which leaves z-scored
    volumes as they are and gives one setting a meaning on every tomogram.
    """
    from napari_voxuda.method.improved_bilateral import improved_bilateral_filter
    from napari_voxuda.method.pseudo_labels import ngm_denoise

    if settings.method == "ngm":
        return ngm_denoise(volume, settings.pass_fraction, shape=settings.shape)
    if settings.method == "bilateral":
        return _bilateral_in_deviations(volume, settings, standard_deviation, padded)
    return improved_bilateral_filter(
        volume,
        settings.sigma_domain,
        settings.sigma_range,
        operator=settings.operator,
        value_range=value_range,
        padded=padded,
    )


def _bilateral_in_deviations(
    volume: torch.Tensor,
    settings: DenoiseSettings,
    standard_deviation: float | None,
    padded: bool,
) -> torch.Tensor:
    import torch

    from napari_voxuda.method._tensors import SPATIAL, check_volume, working
    from napari_voxuda.method.bilateral import bilateral_filter

    check_volume("denoise: volume", volume)
    wide = working(volume)
    if standard_deviation is None:
        unit = wide.std(dim=SPATIAL, keepdim=True, correction=0)
    else:
        unit = torch.tensor(standard_deviation, dtype=wide.dtype, device=wide.device)
    unit = torch.where(unit > 0, unit, torch.ones_like(unit))
    filtered = bilateral_filter(
        wide / unit, settings.sigma_domain, settings.sigma_range, padded=padded
    )
    return (filtered * unit).to(volume.dtype)

"""The bilateral filter, Eq. (8) and (9): a mean over neighbours that are near and alike."""

from __future__ import annotations

import torch

from napari_voxuda.method._tensors import (
    check_padding,
    check_volume,
    pad_replicate,
    working,
)
from napari_voxuda.method._window import check_sigma, gaussian_of_square, window_mean

__all__ = ["BILATERAL_HALO", "bilateral_filter", "gaussian_kernel"]

BILATERAL_HALO = 1
"""Voxels around a block that the bilateral filter needs to give the block's exact values."""


def gaussian_kernel(distance: torch.Tensor, sigma: float) -> torch.Tensor:
    """Return the Gaussian weight of a distance, Eq. (9).

    Parameters
    ----------
    distance : Tensor
        Any shape, real: distances, in the unit of `sigma`.
    sigma : float
        Width of the kernel, above 0; infinity weighs every distance alike.

    Returns
    -------
    Tensor
        Shape and dtype of `distance`; weights in [0, 1], 1 at distance 0.

    Raises
    ------
    InputError
        When `sigma` is not positive.

    Notes
    -----
    exp(-x² / (2 sigma²)). The constant in front that the paper writes is left out: it cancels in
    both filters, which divide by the sum of the weights.
    """
    check_sigma("gaussian_kernel: sigma", sigma)
    wide = working(distance)
    return gaussian_of_square(wide * wide, sigma).to(distance.dtype)


@torch.no_grad()
def bilateral_filter(
    volume: torch.Tensor,
    sigma_domain: float = 120.0,
    sigma_range: float = 1.2,
    *,
    padded: bool = False,
) -> torch.Tensor:
    """Smooth a volume with the bilateral filter in a 3x3x3 window, Eq. (8).

    Parameters
    ----------
    volume : Tensor
        (..., d, h, w) real values; any number of leading dimensions.
    sigma_domain : float
        Width of the spatial kernel in voxels, above 0.
    sigma_range : float
        Width of the range kernel in the units of the volume as given, above 0.
    padded : bool
        Whether `volume` comes with one voxel of its surroundings on each side, which is used and
        not returned.

    Returns
    -------
    Tensor
        Shape (less the padding), dtype and device of `volume`; no gradient flows through it.

    Raises
    ------
    InputError
        When `volume` is no real volume, holds nothing but padding, or a width is not positive.

    Notes
    -----
    ``v'(p) = sum_q G_sd(|p - q|) G_sr(v(q) - v(p)) v(q) / sum_q G_sd G_sr`` over the 27 voxels q of
    the window around p. The paper writes the updated voxel as v'(q); it is the centre p. Border
    voxels are replicated outwards. float16 and bfloat16 are computed in float32. In a window of
    three voxels every `sigma_domain` above 10 gives practically the same result.
    """
    check_volume("bilateral_filter: volume", volume)
    check_sigma("bilateral_filter: sigma_domain", sigma_domain)
    check_sigma("bilateral_filter: sigma_range", sigma_range)
    if padded:
        check_padding("bilateral_filter", volume, BILATERAL_HALO)
    values = working(volume) if padded else pad_replicate(working(volume), BILATERAL_HALO)
    return window_mean(values, (values,), sigma_domain, sigma_range).to(volume.dtype).contiguous()

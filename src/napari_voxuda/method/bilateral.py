"""The bilateral filter, Eq. (8) and (9): a mean over neighbours that are near and alike."""

from __future__ import annotations

import math

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import (
    SPATIAL,
    check_padding,
    check_volume,
    pad_replicate,
    working,
)
from napari_voxuda.method._window import check_sigma, gaussian_of_square, half_window, window_mean

__all__ = [
    "BILATERAL_HALO",
    "bilateral_filter",
    "gaussian_kernel",
    "suggest_bilateral_sigma_range",
]

BILATERAL_HALO = 1
"""Voxels around a block that the bilateral filter needs to give the block's exact values."""

_SIGMA_PER_NOISE = 1.2
_MEDIAN_TO_DEVIATION = 1.4826


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


@torch.no_grad()
def suggest_bilateral_sigma_range(volume: torch.Tensor) -> float:
    """Suggest a range width from the data: 1.2 times the noise's standard deviation.

    Parameters
    ----------
    volume : Tensor
        (..., d, h, w) real values; a representative part of a large volume is enough.

    Returns
    -------
    float
        A value for `sigma_range` of `bilateral_filter`, above 0, in the units of the volume.

    Raises
    ------
    InputError
        When `volume` is no real volume, has one voxel, or most neighbours are equal.

    Notes
    -----
    Not in the paper: its 1.2 is meant for volumes of deviation 1 that are nearly all noise, and
    gives the difference of two noisy neighbours a weight of exp(-1/1.44) = 0.5. The same
    weight on other data needs 1.2 deviations of the noise alone. That is estimated by the median
    absolute difference between neighbours, times 1.4826 / sqrt(2): structures that are smooth over a
    voxel do not enter, and edges do not move a median.
    """
    check_volume("suggest_bilateral_sigma_range: volume", volume)
    wide = working(volume)
    every = torch.cat([_neighbour_difference(wide, offset) for offset in half_window()])
    median = float(every.median()) if every.numel() else 0.0
    if not median > 0:
        raise InputError(
            "suggest_bilateral_sigma_range: a volume whose values vary was wanted, but neighbours "
            "are equal; choose sigma_range by hand."
        )
    return _SIGMA_PER_NOISE * _MEDIAN_TO_DEVIATION * median / math.sqrt(2.0)


def _neighbour_difference(volume: torch.Tensor, offset: tuple[int, int, int]) -> torch.Tensor:
    near = far = volume
    for axis, step in zip(SPATIAL, offset, strict=True):
        size = volume.shape[axis] - abs(step)
        near = near.narrow(axis, max(0, -step), max(0, size))
        far = far.narrow(axis, max(0, step), max(0, size))
    return (far - near).abs_().flatten()

"""Both bilateral filters on one slice, for a preview that follows a slider.

The filters of whole volumes visit each pair of neighbours once, for both of its voxels. Of a slice between
two others most pairs concern one voxel only; here nothing else is computed, a few rows at a time that
fit a processor's cache.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import working
from napari_voxuda.method._window import check_sigma
from napari_voxuda.method.improved_bilateral import (
    IMPROVED_BILATERAL_HALO,
    GradientOperator,
    laplacian_gradient,
)

__all__ = ["bilateral_slice", "improved_bilateral_slice"]

_LEAST_EXPONENT = -60.0  # a processor takes ten times as long over numbers below 1e-38


def bilateral_slice(
    slab: torch.Tensor, sigma_domain: float = 120.0, sigma_range: float = 1.2
) -> torch.Tensor:
    """Smooth one slice with the bilateral filter.

    Parameters
    ----------
    slab : Tensor
        (3, h + 2, w + 2) real values: the slice in the middle, with one voxel of its
        surroundings on each side.
    sigma_domain, sigma_range : float
        As for `bilateral_filter`.

    Returns
    -------
    Tensor
        (h, w): what `bilateral_filter` makes of the slice, up to rounding.

    Raises
    ------
    InputError
        When the slab has another depth or no voxel within, or a width is not positive.
    """
    _check(slab, 1, sigma_domain, sigma_range)
    values = working(slab)
    return _slice_mean(values, [values], sigma_domain, sigma_range).to(slab.dtype)


def improved_bilateral_slice(
    slab: torch.Tensor,
    sigma_domain: float = 120.0,
    sigma_range: float = 1.2,
    *,
    value_range: tuple[float, float],
    operator: GradientOperator = "sobel",
) -> torch.Tensor:
    """Smooth one slice with the improved bilateral filter.

    Parameters
    ----------
    slab : Tensor
        (2 r + 1, h + 2 r, w + 2 r) real values: the slice in the middle, with
        r = `IMPROVED_BILATERAL_HALO` voxels of its surroundings on each side.
    sigma_domain, sigma_range, operator : float, float, str
        As for `improved_bilateral_filter`.
    value_range : tuple of float
        (lowest, highest) value of the whole volume, which are scaled to 0 and 1.

    Returns
    -------
    Tensor
        (h, w): what `improved_bilateral_filter` makes of the slice, up to rounding.

    Raises
    ------
    InputError
        When the slab has another depth or no voxel within, or a width is not positive.
    """
    halo = IMPROVED_BILATERAL_HALO[operator]
    _check(slab, halo, sigma_domain, sigma_range)
    values = working(slab)
    span = max(value_range[1] - value_range[0], torch.finfo(values.dtype).tiny)
    if operator == "sobel":
        gradient = _sobel(values)
    else:
        inner = slice(halo - 1, 1 - halo)
        whole = laplacian_gradient(values, operator=operator)
        gradient = [c.contiguous() for c in whole[:, inner, inner, inner]]
    inside = slice(halo - 1, slab.shape[0] - halo + 1)
    inner_values = values[inside, halo - 1 : 1 - halo, halo - 1 : 1 - halo].contiguous()
    # Gradients are linear: a wider kernel does for them what scaling does for the volume.
    return _slice_mean(inner_values, gradient, sigma_domain, sigma_range * span).to(slab.dtype)


def _check(slab: torch.Tensor, halo: int, sigma_domain: float, sigma_range: float) -> None:
    check_sigma("slice filter: sigma_domain", sigma_domain)
    check_sigma("slice filter: sigma_range", sigma_range)
    depth = 2 * halo + 1
    if slab.ndim != 3 or slab.shape[0] != depth or min(slab.shape[1:]) <= 2 * halo:
        raise InputError(
            f"slice filter: a slab ({depth}, h + {2 * halo}, w + {2 * halo}) was wanted, got shape "
            f"{tuple(slab.shape)}."
        )


def _slice_mean(
    values: torch.Tensor,
    features: Sequence[torch.Tensor],
    sigma_domain: float,
    sigma_range: float,
) -> torch.Tensor:
    """Return the weighted mean over the window around each voxel of the middle plane.

    `values` and each of `features` are (3, h + 2, w + 2); see `window_mean`, whose flat arrays and
    differences this shares.
    """
    _, height, width = values.shape
    planes = [plane.reshape(-1) for plane in values]
    factor = min(0.5**0.5 / sigma_range, 1e18)
    vectors = [[(factor * plane).reshape(-1) for plane in feature] for feature in features]
    first = width + 1
    count = height * width - 2 * first
    centre = slice(first, first + count)
    own = planes[1][centre]
    change, weights = torch.zeros_like(own), torch.ones_like(own)
    work, square = torch.empty_like(own), torch.empty_like(own)
    bias = torch.empty_like(own)
    for ring in (1, 2, 3):
        bias.fill_(-0.5 * ring / sigma_domain**2)
        for z, y, x in itertools.product((-1, 0, 1), repeat=3):
            if z * z + y * y + x * x != ring:
                continue
            there = slice(first + y * width + x, first + y * width + x + count)
            total = bias
            for vector in vectors:
                torch.sub(vector[1 + z][there], vector[1][centre], out=work)
                total = torch.addcmul(total, work, work, value=-1, out=square)
            square.clamp_(min=_LEAST_EXPONENT).exp_()
            weights.add_(square)
            torch.sub(planes[1 + z][there], own, out=work)
            change.addcmul_(square, work)
    change.div_(weights).add_(own)
    padded = torch.nn.functional.pad(change, (first, first))
    return padded.reshape(height, width)[1:-1, 1:-1]


def _sobel(values: torch.Tensor) -> list[torch.Tensor]:
    """Return the three components of the Sobel response where it fits into (5, h, w) values.

    The planes are smoothed and differentiated one after the other: each stays in the cache.
    """
    both, along_y, along_x = [], [], []
    for plane in values:
        smooth = plane[:-2] + plane[2:]
        smooth.add_(plane[1:-1], alpha=2)
        steep = plane[2:] - plane[:-2]
        both.append((smooth[:, :-2] + smooth[:, 2:]).add_(smooth[:, 1:-1], alpha=2))
        along_y.append((steep[:, :-2] + steep[:, 2:]).add_(steep[:, 1:-1], alpha=2))
        along_x.append(smooth[:, 2:] - smooth[:, :-2])
    middle = range(1, len(values) - 1)
    return [
        torch.stack([both[z + 1] - both[z - 1] for z in middle]),
        torch.stack([(along_y[z - 1] + along_y[z + 1]).add_(along_y[z], alpha=2) for z in middle]),
        torch.stack([(along_x[z - 1] + along_x[z + 1]).add_(along_x[z], alpha=2) for z in middle]),
    ]

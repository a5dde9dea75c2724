"""The weighted mean over a 3x3x3 window that both bilateral filters share."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from napari_voxuda.errors import InputError

__all__ = ["check_sigma", "gaussian_of_square", "half_window", "squared_distance", "window_mean"]

Offset = tuple[int, int, int]

_LEAST_EXPONENT = -60.0
_LEAST_WEIGHT = math.exp(_LEAST_EXPONENT + 1e-3)


def check_sigma(name: str, sigma: float) -> None:
    """Refuse a kernel width that is not positive; infinity is allowed and weighs all alike."""
    if not sigma > 0:
        raise InputError(f"{name}: a width above 0 was wanted, got {sigma}.")


def half_window() -> list[Offset]:
    """Return the 13 offsets (z, y, x) of one half of the 26 neighbours."""
    steps = (-1, 0, 1)
    return [o for o in itertools.product(steps, steps, steps) if o > (0, 0, 0)]


def gaussian_of_square(square: torch.Tensor, sigma: float) -> torch.Tensor:
    """Turn squared distances into Gaussian weights of width `sigma`, in place."""
    return _exponent(square, sigma).exp_()


def _exponent(square: torch.Tensor, sigma: float) -> torch.Tensor:
    inverse = 1.0 / sigma
    factor = min(0.5 * inverse * inverse, torch.finfo(square.dtype).max)
    return square.mul_(-factor)


def _flushed(exponent: torch.Tensor) -> torch.Tensor:
    """Return the exponential, in place; 0 where it is so small that it changes no mean.

    A processor takes ten times as long over numbers below 1e-38.
    """
    weight = exponent.clamp_(min=_LEAST_EXPONENT).exp_()
    return F.threshold(weight, _LEAST_WEIGHT, 0.0, inplace=True)


def squared_distance(first: Sequence[torch.Tensor], second: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the squared Euclidean distance between two vectors given component by component."""
    difference = first[0] - second[0]
    square = difference * difference
    for a, b in zip(first[1:], second[1:], strict=True):
        difference = a - b
        square.addcmul_(difference, difference)
    return square


def window_mean(
    values: torch.Tensor,
    features: Sequence[torch.Tensor],
    sigma_domain: float,
    sigma_range: float,
) -> torch.Tensor:
    """Average each voxel with its 26 neighbours, weighted by distance and by likeness of features.

    Parameters
    ----------
    values : Tensor
        (..., d + 2, h + 2, w + 2) values with one voxel of padding on each side.
    features : sequence of Tensor
        Components of the vectors that the range kernel compares, each shaped like `values`.
    sigma_domain, sigma_range : float
        Kernel widths, above 0.

    Returns
    -------
    Tensor
        (..., d, h, w) means.

    Notes
    -----
    Every pair of neighbours is visited once and used in both directions. The volume is walked as
    one flat array, in which a neighbour is a constant number of places away; pairs that wrap
    around an edge spoil padding voxels only. The mean is formed as the voxel's own value plus the
    weighted mean difference, so equal values are kept to the bit, and the order of the sums does
    not depend on the shape, so a block with one voxel of halo gives the same bits as the whole.
    """
    flat = values.reshape(-1)
    vectors = [f.reshape(-1) for f in features]
    change = torch.zeros_like(flat)
    weight_sum = torch.ones_like(flat)
    depth, height, width = values.shape[-3:]
    plane = height * width
    single = flat.numel() == depth * plane
    for z, y, x in half_window():
        shift = z * plane + y * width + x
        # Pairs within the first or the last plane concern padding only.
        skipped = plane if single and z == 0 else 0
        near = slice(skipped, flat.numel() - skipped - shift)
        far = slice(skipped + shift, flat.numel() - skipped)
        square = squared_distance([v[far] for v in vectors], [v[near] for v in vectors])
        weight = _flushed(_exponent(square, sigma_range))
        domain = math.exp(-0.5 * (z * z + y * y + x * x) / sigma_domain**2)
        weight_sum[near].add_(weight, alpha=domain)
        weight_sum[far].add_(weight, alpha=domain)
        weight.mul_(flat[far] - flat[near])
        change[near].add_(weight, alpha=domain)
        change[far].sub_(weight, alpha=domain)
    change.div_(weight_sum).add_(flat)
    return change.reshape(values.shape)[..., 1:-1, 1:-1, 1:-1]

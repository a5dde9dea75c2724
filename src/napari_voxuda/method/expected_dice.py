"""Thresholds that a segmentation should have, judged without labels. Ours, not the paper's.

A network that was trained on a simulated source and applied to a noisier or unlike target ranks
voxels well but is under-confident: at 0.5 it misses most of what it has found. If its
probabilities are taken at their word, the Dice score that a mask can be expected to reach follows
from them, and with it the threshold that is best. (For calibrated probabilities that is half the best
Dice: Lipton, Elkan and Naryanaswamy, "Optimal thresholding of classifiers to maximize F1 measure",
ECML PKDD 2014.)
"""

from __future__ import annotations

import math

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import reached_by

__all__ = [
    "expected_dice_score",
    "expected_dice_threshold",
    "mean_size_share",
    "mean_size_threshold",
    "share_threshold",
]

_BINS = 1000


def expected_dice_threshold(
    probability: torch.Tensor, *, bounds: tuple[float, float] = (0.05, 0.9)
) -> float:
    """Return the threshold with the largest expected Dice score.

    Parameters
    ----------
    probability : Tensor
        Any shape, real: foreground probabilities in [0, 1], judged together.
    bounds : tuple of float
        (lowest, highest) threshold returned, in (0, 1). Where nothing looks like foreground the
        expected score would be best with everything as foreground; the lower bound prevents that.

    Returns
    -------
    float
        Threshold t for ``probability >= t``, to within 0.001.

    Raises
    ------
    InputError
        When there is no value or the bounds are not in order.

    Notes
    -----
    With the mask of the n most probable voxels, whose probabilities sum to s, and the sum S over all
    voxels, the expected Dice score is 2 s / (n + S) to first order.
    """
    low, high = bounds
    if not 0 < low <= high < 1:
        raise InputError(f"expected_dice_threshold: 0 < low <= high < 1 was wanted, got {bounds}.")
    if probability.numel() == 0:
        raise InputError("expected_dice_threshold: at least one probability was wanted, got none.")
    counts = torch.histc(probability.detach().float(), _BINS, min=0.0, max=1.0).double().flip(0)
    edges = torch.arange(_BINS - 1, -1, -1, device=counts.device, dtype=torch.float64) / _BINS
    expected = torch.cumsum(counts * (edges + 0.5 / _BINS), 0)
    score = 2 * expected / (torch.cumsum(counts, 0) + expected[-1]).clamp(min=1e-12)
    return min(max(float(edges[score.argmax()]), low), high)


def expected_dice_score(probability: torch.Tensor, threshold: float) -> float:
    """Return the Dice score that a mask can be expected to reach.

    Parameters
    ----------
    probability : Tensor
        Any shape, real: foreground probabilities in [0, 1], judged together.
    threshold : float
        The mask is ``probability >= threshold``.

    Returns
    -------
    float
        In [0, 1]; 0 for an empty mask. It is as right as the probabilities are calibrated.

    Raises
    ------
    InputError
        When there is no value.

    Notes
    -----
    ``2 s / (n + S)``; see `expected_dice_threshold`.
    """
    if probability.numel() == 0:
        raise InputError("expected_dice_score: at least one probability was wanted, got none.")
    values = probability.detach().double()
    inside = values >= threshold
    total = (inside.sum() + values.sum()).clamp(min=1e-12)
    return float(2 * values[inside].sum() / total)


def mean_size_share(probability: torch.Tensor) -> float:
    """Return the share of foreground that is the geometric mean of two estimates.

    Parameters
    ----------
    probability : Tensor
        Any shape, real: foreground probabilities in [0, 1], judged together.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    InputError
        When there is no value.

    Notes
    -----
    The first estimate is the mean of the probabilities: right where they are calibrated, too small where molecules
    fade into the noise. The second is the share of the mask with the largest expected Dice score: too
    large where the network is unsure, and larger still after it has learnt from such a mask.
    """
    likely = (probability >= expected_dice_threshold(probability)).double().mean().item()
    mass = probability.detach().double().mean().item()
    return math.sqrt(mass * likely)


def share_threshold(probability: torch.Tensor, share: float) -> float:
    """Return the threshold whose mask holds a share of all voxels.

    Parameters
    ----------
    probability : Tensor
        Any shape, real: foreground probabilities in [0, 1], judged together.
    share : float
        Of the voxels, in [0, 1].

    Returns
    -------
    float
        Threshold t in [0.01, 0.99] for ``probability >= t``.

    Raises
    ------
    InputError
        When there is no value.
    """
    if probability.numel() == 0:
        raise InputError("share_threshold: at least one probability was wanted, got none.")
    return min(max(reached_by(probability, share), 0.01), 0.99)


def mean_size_threshold(probability: torch.Tensor) -> float:
    """Return the threshold whose mask holds the `mean_size_share` of the same probabilities.

    Parameters
    ----------
    probability : Tensor
        Any shape, real: foreground probabilities in [0, 1], judged together.

    Returns
    -------
    float
        Threshold t in [0.01, 0.99] for ``probability >= t``.

    Raises
    ------
    InputError
        When there is no value.
    """
    return share_threshold(probability, mean_size_share(probability))

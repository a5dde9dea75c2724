"""From a network to probabilities: mirror images and smoothing, which steady an unsure network."""

from __future__ import annotations

import math
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F

from napari_voxuda.networks.voxresnet import VoxResNet, predict_probability

__all__ = [
    "move_threshold",
    "predict_steadily",
    "smooth_probability",
    "told_threshold",
    "untold_threshold",
]

_REACH = 3.0  # half width of the kernel in standard deviations


def predict_steadily(
    network: VoxResNet,
    volume: Tensor,
    *,
    mirrors: bool,
    smooth_voxels: float,
    threshold: float = 0.5,
) -> Tensor:
    """Return foreground probabilities, averaged over mirror images and smoothed.

    Parameters
    ----------
    network : VoxResNet
        Left in the mode in which it came.
    volume : Tensor
        (n, d, h, w) normalised, protein bright; each edge a multiple of 8.
    mirrors : bool
        Predict all eight mirror images and average: eight times the work. Mirroring along an axis
        keeps the missing wedge in place.
    smooth_voxels : float
        Standard deviation of the Gaussian in voxels, 0 for none.
    threshold : float
        Probability in (0, 1) that is told as 0.5, after averaging and smoothing.

    Returns
    -------
    Tensor
        (n, d, h, w) float32 in [0, 1].

    Notes
    -----
    A molecule is several voxels thick, while an adapted network's answers at low signal-to-noise
    ratio vary from voxel to voxel with the noise. Averaging over neighbours and over mirror images, of which
    each shows the network the noise in another way, removes part of that.
    """
    flips = list(product((False, True), repeat=3)) if mirrors else [(False, False, False)]
    total = torch.zeros_like(volume, dtype=torch.float32)
    for flip in flips:
        axes = [axis - 3 for axis in range(3) if flip[axis]]
        total += predict_probability(network, volume.flip(axes)).flip(axes)
    return move_threshold(smooth_probability(total / len(flips), smooth_voxels), threshold)


def move_threshold(probability: Tensor, threshold: float) -> Tensor:
    """Shift the log-odds of probabilities so that `threshold`, in (0, 1), becomes 0.5."""
    if threshold == 0.5:
        return probability
    foreground = probability * (1 - threshold)
    return foreground / (foreground + (1 - probability) * threshold)


def untold_threshold(told: float, threshold: float) -> float:
    """Return the network's probability that is told as `told`; the inverse of `move_threshold`."""
    return told * threshold / (told * threshold + (1 - told) * (1 - threshold))


def told_threshold(probability: float, told: float) -> float:
    """Return the threshold with which `move_threshold` tells a network's `probability` as `told`.

    All three lie in (0, 1).
    """
    return untold_threshold(probability, 1 - told)


def smooth_probability(probability: Tensor, smooth_voxels: float) -> Tensor:
    """Convolve volumes with a Gaussian; borders are continued by their own voxels.

    Parameters
    ----------
    probability : Tensor
        (n, d, h, w) float32.
    smooth_voxels : float
        Standard deviation in voxels, 0 for none.

    Returns
    -------
    Tensor
        (n, d, h, w) float32, with the smallest and largest value within those of `probability`.
    """
    if smooth_voxels == 0:
        return probability
    half = max(1, math.ceil(_REACH * smooth_voxels))
    offsets = torch.arange(-half, half + 1, device=probability.device, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / smooth_voxels) ** 2)
    kernel = kernel / kernel.sum()
    smooth = probability.unsqueeze(1)  # (n, 1, d, h, w)
    for axis in range(3):
        pad = [0] * 6
        pad[2 * axis] = pad[2 * axis + 1] = half  # F.pad counts axes from the last
        shape = [1, 1, 1, 1, 1]
        shape[4 - axis] = len(kernel)
        smooth = F.conv3d(F.pad(smooth, pad, mode="replicate"), kernel.reshape(shape))
    return smooth.squeeze(1)

"""Pseudo-labels by rank: how much is foreground is settled first, which voxels follow. Ours, not the paper's.

A fixed confidence asks an under-confident network for a certainty that it never has, and labels
background alone. Labels on either side of the threshold with the largest expected Dice score hold too much
foreground where the network is unsure, a student of them learns to call still more foreground, and so on. Ranks do
not run away: the network's own mean probability says how much foreground there is, and the labels
are given to the voxels that rank highest.
"""

from __future__ import annotations

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import working
from napari_voxuda.method.expected_dice import expected_dice_threshold
from napari_voxuda.method.pseudo_labels import PseudoLabels

__all__ = ["ranked_pseudo_label"]


def ranked_pseudo_label(probability: torch.Tensor, *, margin: float = 1.5) -> PseudoLabels:
    """Label the highest-ranking voxels foreground, in number between two estimates of it.

    Parameters
    ----------
    probability : Tensor
        Any shape, real: foreground probabilities in [0, 1], ranked all together.
    margin : float
        At least 1: voxels beyond `margin` times the larger estimate are background; those between
        foreground and background get no label.

    Returns
    -------
    PseudoLabels
        `labels` and `confident` in the shape of `probability`.

    Raises
    ------
    InputError
        When there is no value or the margin is below 1.

    Notes
    -----
    The first estimate of the foreground's fraction is the mean probability: right where the
    probabilities are calibrated, too small where molecules fade into the noise. The second is what lies
    above the threshold with the largest expected Dice score: too large where the network is unsure. Foreground is
    their geometric mean. Voxels of equal probability share their label.
    """
    if margin < 1:
        raise InputError(f"ranked_pseudo_label: margin of at least 1 was wanted, got {margin}.")
    wide = working(probability)
    threshold = expected_dice_threshold(wide)
    mass = wide.mean().item()
    likely = (wide >= threshold).float().mean().item()
    foreground = wide >= _reached_by(wide, (mass * likely) ** 0.5)
    background = wide < _reached_by(wide, margin * max(mass, likely))
    return PseudoLabels(labels=foreground, confident=foreground | background)


def _reached_by(values: torch.Tensor, fraction: float) -> float:
    """Return the value that the highest `fraction` of all reach; infinity when that is none."""
    count = round(fraction * values.numel())
    if count == 0:
        return float("inf")
    smallest_of_them = values.numel() - min(count, values.numel()) + 1
    return values.flatten().kthvalue(smallest_of_them).values.item()

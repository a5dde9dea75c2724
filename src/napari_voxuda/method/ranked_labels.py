"""Pseudo-labels by rank. Ours, not the paper's.

A fixed confidence asks an under-confident network for a certainty that it never has, and labels background
alone. Here it is settled first how many voxels are foreground, by the network's own probabilities; the
highest-ranking ones are, and those that rank far behind are background.
"""

from __future__ import annotations

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import reached_by, working
from napari_voxuda.method.expected_dice import expected_dice_threshold
from napari_voxuda.method.pseudo_labels import PseudoLabels

__all__ = ["ranked_pseudo_label"]


def ranked_pseudo_label(probability: torch.Tensor, *, margin: float = 1.5) -> PseudoLabels:
    """Label the highest-ranking voxels foreground, and those that rank far behind background.

    Parameters
    ----------
    probability : Tensor
        Any shape, real: foreground probabilities in [0, 1], ranked all together.
    margin : float
        At least 1: voxels that rank behind `margin` times the number of foreground voxels are
        background; those between foreground and background get no label.

    Returns
    -------
    PseudoLabels
        `labels` and `confident` in the shape of `probability`. Voxels of equal probability share
        their label.

    Raises
    ------
    InputError
        When there is no value or the margin is below 1.

    Notes
    -----
    Foreground is the mask with the largest expected Dice score (`expected_dice_threshold`). Where the
    probabilities sum to more, the margin refers to that sum.

    The labels are to be given once, by a network that has settled. Given anew in every step they run
    away: they hold too much foreground where the network is unsure, and a network that learns them is
    unsure of more.
    """
    if margin < 1:
        raise InputError(f"ranked_pseudo_label: margin of at least 1 was wanted, got {margin}.")
    wide = working(probability)
    labels = wide >= expected_dice_threshold(wide)
    largest = max(labels.double().mean().item(), wide.double().mean().item())
    background = wide < reached_by(wide, margin * largest)
    return PseudoLabels(labels=labels, confident=labels | background)

"""Pseudo-labels by rank. Ours, not the paper's.

A fixed confidence asks an under-confident network for a certainty that it never has, and labels background
alone. Here the voxels of the mask with the largest expected Dice score are foreground, and those that rank
far behind it background.
"""

from __future__ import annotations

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import reached_by, working
from napari_voxuda.method.expected_dice import expected_dice_threshold
from napari_voxuda.method.pseudo_labels import PseudoLabels

__all__ = ["ranked_pseudo_label"]


def ranked_pseudo_label(probability: torch.Tensor, *, margin: float = 2.0) -> PseudoLabels:
    """Label the voxels of the best expected mask foreground, and those that rank far behind background.

    Parameters
    ----------
    probability : Tensor
        Any shape, real: foreground probabilities in [0, 1], ranked all together.
    margin : float
        At least 1: with n foreground voxels, those behind rank ``margin * n`` are background; those
        between get no label.

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
    To be given once, by a network that has settled. Given anew in every step, such labels run away: they
    hold too much foreground where the network is unsure, and a network that learns them is unsure of more.
    """
    if margin < 1:
        raise InputError(f"ranked_pseudo_label: margin of at least 1 was wanted, got {margin}.")
    wide = working(probability)
    labels = wide >= expected_dice_threshold(wide)
    fraction = labels.double().mean().item()
    return PseudoLabels(
        labels=labels, confident=labels | (wide < reached_by(wide, margin * fraction))
    )

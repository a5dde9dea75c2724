"""The overall loss, Eq. (1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from napari_voxuda.errors import InputError

__all__ = ["total_loss"]


def total_loss(
    segmentation: torch.Tensor,
    consistency: torch.Tensor | float,
    discriminator: torch.Tensor | float,
    *,
    weights: Sequence[float] = (1.0, 1.0, 1.0),
) -> torch.Tensor:
    """Sum the segmentation, consistency and discriminator losses, Eq. (1).

    Parameters
    ----------
    segmentation : Tensor
        Scalar L_seg: the supervised loss on the source plus the pseudo-label loss on the target.
    consistency, discriminator : Tensor or float
        Scalars L_con and L_dis; 0 where a part is switched off.
    weights : sequence of float
        Three factors, at least 0; equal in the paper.

    Returns
    -------
    Tensor
        Scalar L = L_seg + L_con + L_dis. A part of weight 0 does not enter, whatever its value.

    Raises
    ------
    InputError
        When there are not three weights or one is negative.
    """
    if len(weights) != 3 or any(not w >= 0 for w in weights):
        raise InputError(f"total_loss: three weights of at least 0 were wanted, got {weights}.")
    loss = torch.zeros_like(segmentation)
    for part, weight in zip((segmentation, consistency, discriminator), weights, strict=True):
        if weight:
            loss = loss + weight * part
    return loss

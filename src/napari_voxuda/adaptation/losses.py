"""Losses on voxel labels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["pseudo_label_loss", "segmentation_loss"]


def segmentation_loss(logits: Tensor, mask: Tensor, dice_weight: float = 1.0) -> Tensor:
    """Return cross-entropy plus weighted soft Dice loss.

    The paper says cross-entropy; the Dice term is ours, since foreground is 1 to 5 % of voxels.

    Parameters
    ----------
    logits : Tensor
        (n, d, h, w) foreground logits.
    mask : Tensor
        (n, d, h, w) bool or {0, 1}.
    dice_weight : float
        Weight of the Dice term, at least 0.
    """
    return pseudo_label_loss(logits, mask, torch.ones_like(mask, dtype=torch.bool), dice_weight)


def pseudo_label_loss(
    logits: Tensor, labels: Tensor, confident: Tensor, dice_weight: float = 1.0
) -> Tensor:
    """Return cross-entropy plus weighted soft Dice loss over the confident voxels alone.

    Parameters
    ----------
    logits : Tensor
        (n, d, h, w) foreground logits of the student.
    labels : Tensor
        (n, d, h, w) bool or {0, 1} labels.
    confident : Tensor
        (n, d, h, w) bool; voxels where it is false do not count. 0 when no voxel counts.
    dice_weight : float
        Weight of the Dice term, at least 0.
    """
    weight = confident.to(logits.dtype)
    labels = labels.to(logits.dtype)
    entropy = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    entropy = (entropy * weight).sum() / weight.sum().clamp(min=1)
    # One Dice over the whole batch: boxes without foreground have none of their own.
    probability = torch.sigmoid(logits) * weight
    foreground = labels * weight
    overlap = (probability * foreground).sum()
    dice = (2 * overlap + 1) / (probability.sum() + foreground.sum() + 1)
    return entropy + dice_weight * (1 - dice)

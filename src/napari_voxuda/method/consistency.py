"""The consistency loss, Eq. (7): noise on the source should not change the network's features."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import working

__all__ = ["CONSISTENCY_WEIGHTS", "consistency_loss"]

CONSISTENCY_WEIGHTS = (0.2, 0.2, 0.3, 0.3)
"""The paper's weights of the taps c, v2, v4 and v6: deep layers, which hold edges, weigh more."""

_TINY = 1e-12


def consistency_loss(
    clean: Sequence[torch.Tensor],
    noisy: Sequence[torch.Tensor],
    weights: Sequence[float] = CONSISTENCY_WEIGHTS,
) -> torch.Tensor:
    """Return the weighted cosine distance between features of clean and noised source, Eq. (7).

    Parameters
    ----------
    clean, noisy : sequence of Tensor
        Feature maps of x_s and of x_s', one per tap: (..., channels, d, h, w) each, the same
        shape in both sequences; the taps may differ in size.
    weights : sequence of float
        lambda_n of each tap, at least 0.

    Returns
    -------
    Tensor
        Scalar: the sum over taps of lambda_n (1 - cos), at least 0; 0 for equal features. The
        cosine is taken along the channels at each voxel and averaged.

    Raises
    ------
    InputError
        When the numbers of taps and weights differ, or a pair differs in shape.
    """
    if not len(clean) == len(noisy) == len(weights) > 0:
        raise InputError(
            "consistency_loss: as many clean as noisy feature maps and weights were wanted, got "
            f"{len(clean)}, {len(noisy)} and {len(weights)}."
        )
    loss = torch.zeros((), device=clean[0].device)
    for tap, (a, b, weight) in enumerate(zip(clean, noisy, weights, strict=True)):
        if a.shape != b.shape or a.ndim < 4:
            raise InputError(
                f"consistency_loss: tap {tap}: two tensors of one shape (..., channels, d, h, w) were "
                f"wanted, got {tuple(a.shape)} and {tuple(b.shape)}."
            )
        loss = loss + weight * (1 - _cosine(working(a), working(b))).mean()
    return loss


def _cosine(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the cosine along the channels; two vanishing vectors count as equal."""
    dot = (a * b).sum(dim=-4) + _TINY
    norms = (a.square().sum(dim=-4) + _TINY) * (b.square().sum(dim=-4) + _TINY)
    return dot / norms.sqrt()

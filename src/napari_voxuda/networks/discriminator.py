"""Domain discriminator with gradient reversal (DANN; Ganin et al., JMLR 2016)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Discriminator", "discriminator_loss", "reverse_gradient"]


class _ReverseGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return -ctx.strength * gradients[0], None


def reverse_gradient(x: Tensor, strength: float) -> Tensor:
    """Return `x` unchanged; its gradient is multiplied by ``-strength`` on the way back."""
    out: Tensor = _ReverseGradient.apply(x, strength)  # type: ignore[no-untyped-call]
    return out


class Discriminator(nn.Module):
    """Tell source from target features, voxel by voxel.

    Parameters
    ----------
    channels : int
        Channels of the feature map.
    width : int
        Hidden channels.
    """

    def __init__(self, channels: int, width: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv3d(channels, width, kernel_size=1),
            nn.LeakyReLU(0.2),
            nn.Conv3d(width, width, kernel_size=1),
            nn.LeakyReLU(0.2),
            nn.Conv3d(width, 1, kernel_size=1),
        )

    def forward(self, features: Tensor, reversal: float) -> Tensor:
        """Return logits, positive for the target domain.

        Parameters
        ----------
        features : Tensor
            (n, channels, d, h, w); each voxel's vector is scaled to length sqrt(channels), since
            the adversarial game diverges on features of free length.
        reversal : float
            Strength of the gradient reversal, at least 0.

        Returns
        -------
        Tensor
            (n, 1, d, h, w).
        """
        normal = F.normalize(features, dim=1) * features.shape[1] ** 0.5
        out: Tensor = self.layers(reverse_gradient(normal, reversal))
        return out


def discriminator_loss(
    discriminator: Discriminator, source: Tensor, target: Tensor, reversal: float
) -> Tensor:
    """Return the binary cross-entropy of telling the two domains apart.

    Minimising it trains the discriminator; through the reversal the same step makes the features
    of the two domains alike.

    Parameters
    ----------
    discriminator : Discriminator
        The discriminator.
    source, target : Tensor
        (n, channels, d, h, w) features of the two domains.
    reversal : float
        Strength of the gradient reversal.
    """
    on_source = discriminator(source, reversal)
    on_target = discriminator(target, reversal)
    return 0.5 * (
        F.binary_cross_entropy_with_logits(on_source, torch.zeros_like(on_source))
        + F.binary_cross_entropy_with_logits(on_target, torch.ones_like(on_target))
    )

"""VoxResNet, read from top to bottom.

Chen et al., "VoxResNet: Deep voxelwise residual networks for brain segmentation from 3D MR
images", NeuroImage 2018; the taps c, v2, v4 and v6 are those of the Vox-UDA paper.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_voxuda.networks.settings import NetworkSettings

__all__ = ["STRIDE", "Features", "VoxResNet", "predict_probability"]

STRIDE = 8
"""The edges of an input must be multiples of this."""


class Features(NamedTuple):
    """The four feature maps that the consistency loss (Eq. 7) compares.

    Shapes for an input (n, 1, d, h, w): c (n, stem, d, h, w), v2 (n, body, d/2, h/2, w/2),
    v4 (n, body, d/4, h/4, w/4), v6 (n, body, d/8, h/8, w/8).
    """

    c: Tensor
    v2: Tensor
    v4: Tensor
    v6: Tensor


class VoxResNet(nn.Module):
    """Map a volume to foreground logits and four feature maps.

    Parameters
    ----------
    settings : NetworkSettings
        Widths and normalisation.
    """

    def __init__(self, settings: NetworkSettings | None = None) -> None:
        super().__init__()
        s = settings or NetworkSettings()
        self.settings = s
        self.stem = nn.Sequential(
            _conv(1, s.stem), _norm(s.stem, s.norm), nn.ReLU(), _conv(s.stem, s.stem)
        )
        self.down1 = _Stage(s.stem, s.body, s.norm)
        self.down2 = _Stage(s.body, s.body, s.norm)
        self.down3 = _Stage(s.body, s.body, s.norm)
        self.head_c = _Head(s.stem, s.head, 1, s.norm)
        self.head_v2 = _Head(s.body, s.head, 2, s.norm)
        self.head_v4 = _Head(s.body, s.head, 4, s.norm)
        self.head_v6 = _Head(s.body, s.head, 8, s.norm)

    def forward(self, volume: Tensor) -> tuple[Tensor, Features]:
        """Return logits and features.

        Parameters
        ----------
        volume : Tensor
            (n, d, h, w) normalised, protein bright; each edge a multiple of `STRIDE`.

        Returns
        -------
        logits : Tensor
            (n, d, h, w) foreground logits.
        features : Features
            The taps c, v2, v4, v6.
        """
        x = volume.unsqueeze(1)  # (n, 1, d, h, w)
        c = self.stem(x)
        v2 = self.down1(c)
        v4 = self.down2(v2)
        v6 = self.down3(v4)
        logits = self.head_c(c) + self.head_v2(v2) + self.head_v4(v4) + self.head_v6(v6)
        return logits.squeeze(1), Features(c, v2, v4, v6)


class _Stage(nn.Module):
    """Halve the resolution, then two VoxRes modules."""

    def __init__(self, channels_in: int, channels: int, norm: str) -> None:
        super().__init__()
        self.norm = _norm(channels_in, norm)
        self.conv = _conv(channels_in, channels, stride=2)
        self.first = _VoxRes(channels, norm)
        self.second = _VoxRes(channels, norm)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.second(self.first(self.conv(F.relu(self.norm(x)))))
        return out


class _VoxRes(nn.Module):
    """Pre-activation residual module: norm, ReLU, conv, norm, ReLU, conv, plus identity."""

    def __init__(self, channels: int, norm: str) -> None:
        super().__init__()
        self.norm1 = _norm(channels, norm)
        self.conv1 = _conv(channels, channels)
        self.norm2 = _norm(channels, norm)
        self.conv2 = _conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.conv1(F.relu(self.norm1(x)))
        out: Tensor = x + self.conv2(F.relu(self.norm2(inner)))
        return out


class _Head(nn.Module):
    """Bring one feature map to full resolution and classify it."""

    def __init__(self, channels: int, head: int, stride: int, norm: str) -> None:
        super().__init__()
        self.norm = _norm(channels, norm)
        self.up = nn.ConvTranspose3d(channels, head, kernel_size=stride, stride=stride)
        self.classifier = nn.Conv3d(head, 1, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.classifier(F.relu(self.up(F.relu(self.norm(x)))))
        return out


def _conv(channels_in: int, channels: int, stride: int = 1) -> nn.Conv3d:
    return nn.Conv3d(channels_in, channels, kernel_size=3, stride=stride, padding=1)


def _norm(channels: int, kind: str) -> nn.Module:
    if kind == "group":
        return nn.GroupNorm(max(g for g in (8, 4, 2, 1) if channels % g == 0), channels)
    return nn.BatchNorm3d(channels)


def predict_probability(network: VoxResNet, volume: Tensor) -> Tensor:
    """Return foreground probabilities in evaluation mode, without gradients.

    Parameters
    ----------
    network : VoxResNet
        Left in the mode in which it came.
    volume : Tensor
        (n, d, h, w) normalised, protein bright; each edge a multiple of `STRIDE`.

    Returns
    -------
    Tensor
        (n, d, h, w) float32 in [0, 1].
    """
    training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            # oneDNN leaves single volumes to a path several times slower: feed two.
            batch = volume if len(volume) > 1 else volume.expand(2, *volume.shape[1:])
            logits, _ = network(batch)
            probability: Tensor = torch.sigmoid(logits[: len(volume)].float())
            return probability
    finally:
        network.train(training)

"""Checks and conversions that the functions of the method share."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from napari_voxuda.errors import InputError

__all__ = [
    "SPATIAL",
    "check_padding",
    "check_volume",
    "cropped",
    "pad_replicate",
    "reached_by",
    "standard_normal",
    "working",
]

SPATIAL = (-3, -2, -1)
"""The dimensions (d, h, w) of a volume tensor."""


def check_volume(name: str, volume: torch.Tensor, leading: int = 0) -> None:
    """Refuse what is no real floating-point tensor of at least `leading` + 3 dimensions."""
    if not volume.is_floating_point():
        raise InputError(f"{name}: a floating-point tensor was wanted, got {volume.dtype}.")
    if volume.ndim < 3 + leading or 0 in volume.shape:
        wanted = "(..., n, d, h, w)" if leading else "(..., d, h, w)"
        raise InputError(
            f"{name}: a non-empty tensor {wanted} was wanted, got shape {tuple(volume.shape)}."
        )


def check_padding(where: str, volume: torch.Tensor, width: int) -> None:
    """Refuse a padded volume that is no larger than its padding."""
    if min(volume.shape[-3:]) <= 2 * width:
        raise InputError(
            f"{where}: a volume with {width} voxels of surroundings on each side was wanted, got "
            f"shape {tuple(volume.shape)}."
        )


def cropped(volume: torch.Tensor, width: int) -> torch.Tensor:
    """Return `volume` (..., d, h, w) less `width` voxels on each side."""
    for axis in SPATIAL:
        volume = volume.narrow(axis, width, volume.shape[axis] - 2 * width)
    return volume.contiguous()


def working(volume: torch.Tensor) -> torch.Tensor:
    """Return `volume` in the precision to compute in: float32, or float64 if it has that."""
    return volume if volume.dtype == torch.float64 else volume.float()


def pad_replicate(volume: torch.Tensor, width: int) -> torch.Tensor:
    """Return `volume` (..., d, h, w) with its border voxels repeated `width` times on each side."""
    flat = volume.reshape(1, -1, *volume.shape[-3:])
    padded = F.pad(flat, (width,) * 6, mode="replicate")
    return padded.reshape(*volume.shape[:-3], *padded.shape[-3:])


def standard_normal(
    shape: Sequence[int], generator: torch.Generator, device: torch.device
) -> torch.Tensor:
    """Draw float32 N(0, 1) on the generator's device and return it on `device`."""
    drawn = torch.randn(tuple(shape), generator=generator, device=generator.device)
    return drawn.to(device)


def reached_by(values: torch.Tensor, fraction: float) -> float:
    """Return the value that the highest `fraction` of all reach; infinity when that is none."""
    flat = values.detach().float().flatten()
    count = min(round(fraction * len(flat)), len(flat))
    return flat.kthvalue(len(flat) - count + 1).values.item() if count else float("inf")

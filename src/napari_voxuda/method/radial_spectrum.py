"""The power of a volume by spatial frequency, averaged over directions."""

from __future__ import annotations

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import check_volume, working
from napari_voxuda.method.fourier import dft

__all__ = ["radial_frequencies", "radial_power"]


def radial_frequencies(box: int) -> torch.Tensor:
    """Return the frequencies of `radial_power`'s shells.

    Parameters
    ----------
    box : int
        Edge of the boxes in voxels, at least 2.

    Returns
    -------
    Tensor
        (box // 2,) float64, in cycles per voxel: 1 / box, 2 / box, … up to about 0.5 (Nyquist).
    """
    return torch.arange(1, box // 2 + 1, dtype=torch.float64) / box


def radial_power(boxes: torch.Tensor) -> torch.Tensor:
    """Return the mean power of cubic boxes on shells of equal frequency.

    Parameters
    ----------
    boxes : Tensor
        (..., n, n, n) real values; each box's mean is of no account.

    Returns
    -------
    Tensor
        (..., n // 2) float32: ``|F|² / n³`` averaged over the coefficients within half a step of
        each of `radial_frequencies`. White noise of variance v has the power v on every shell.

    Raises
    ------
    InputError
        When `boxes` holds no cubes of at least 2 voxels.
    """
    check_volume("radial_power: boxes", boxes)
    edge = boxes.shape[-1]
    if edge < 2 or boxes.shape[-3:] != (edge, edge, edge):
        raise InputError(
            f"radial_power: cubes of at least 2 voxels were wanted, got shape {tuple(boxes.shape)}."
        )
    power = dft(working(boxes)).abs().square() / edge**3
    full = torch.fft.fftfreq(edge, device=boxes.device)
    half = torch.fft.rfftfreq(edge, device=boxes.device)
    square = full.square()[:, None, None] + full.square()[:, None] + half.square()
    shell = (square.sqrt() * edge).round().long().flatten()
    twice = torch.full_like(half, 2.0)  # the half spectrum stands for both halves
    twice[0] = 1.0
    if edge % 2 == 0:
        twice[-1] = 1.0
    weight = twice.expand(square.shape).flatten()
    count = edge // 2 + 1
    kept = shell < count
    sums = torch.zeros((*boxes.shape[:-3], count), device=boxes.device)
    sums.index_add_(-1, shell[kept], (power.flatten(-3) * weight)[..., kept].float())
    total = torch.zeros(count, device=boxes.device).index_add_(0, shell[kept], weight[kept])
    return (sums / total)[..., 1:]

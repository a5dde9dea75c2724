"""Denoised pseudo-labelling (section III-B): labels from a teacher that sees a denoised target."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import check_volume, working
from napari_voxuda.method.fourier import HighPassShape, high_pass

__all__ = ["PseudoLabels", "balanced_pseudo_label", "ema_update", "ngm_denoise", "pseudo_label"]


class PseudoLabels(NamedTuple):
    """Hard labels and where to trust them.

    Parameters
    ----------
    labels : Tensor
        Bool in the shape of the probability: True is foreground.
    confident : Tensor
        Bool in the same shape: only these voxels supervise the student.
    """

    labels: torch.Tensor
    confident: torch.Tensor


def pseudo_label(probability: torch.Tensor, threshold: float = 0.85) -> PseudoLabels:
    """Turn the teacher's probabilities into hard labels where it is confident.

    Parameters
    ----------
    probability : Tensor
        Any shape, real: foreground probabilities in [0, 1].
    threshold : float
        eta in [0.5, 1): a voxel is confident when the probability of its class exceeds it.

    Returns
    -------
    PseudoLabels
        `labels` is True where the foreground is the likelier class, `confident` where the
        likelier class has more than `threshold`.

    Raises
    ------
    InputError
        When `threshold` is outside its bounds.
    """
    if not 0.5 <= threshold < 1:
        raise InputError(f"pseudo_label: threshold in [0.5, 1) was wanted, got {threshold}.")
    wide = working(probability)
    likelier = torch.maximum(wide, 1 - wide)
    return PseudoLabels(labels=wide > 0.5, confident=likelier > threshold)


def balanced_pseudo_label(
    probability: torch.Tensor,
    *,
    top_fraction: float = 0.01,
    foreground_bounds: tuple[float, float] = (0.4, 0.85),
    background_threshold: float = 0.15,
) -> PseudoLabels:
    """Label foreground by each volume's own threshold, so that rare foreground is not lost.

    Parameters
    ----------
    probability : Tensor
        (..., d, h, w) foreground probabilities in [0, 1].
    top_fraction : float
        Above 0 and at most 1: a volume's foreground threshold is the probability that this fraction
        of its voxels reaches.
    foreground_bounds : tuple of float
        (lowest, highest) foreground threshold, in (background_threshold, 1].
    background_threshold : float
        Voxels with a lower probability are background, in [0, 1).

    Returns
    -------
    PseudoLabels
        `labels` is True from the foreground threshold on; voxels between both thresholds
        are not confident.

    Raises
    ------
    InputError
        When `probability` is no volume or a setting is outside its bounds.

    Notes
    -----
    Not in the paper. One threshold for both classes labels mostly background, because a
    network under domain shift is rarely sure of foreground, and training on that ends with no foreground.
    """
    low, high = foreground_bounds
    if not (0 < top_fraction <= 1 and 0 <= background_threshold < low <= high <= 1):
        raise InputError(
            "balanced_pseudo_label: 0 < top_fraction <= 1 and 0 <= background_threshold < "
            f"foreground bounds <= 1 were wanted, got {top_fraction}, {background_threshold} and "
            f"{foreground_bounds}."
        )
    if probability.ndim < 3 or 0 in probability.shape:
        raise InputError(
            "balanced_pseudo_label: a non-empty tensor (..., d, h, w) was wanted, got shape "
            f"{tuple(probability.shape)}."
        )
    wide = working(probability)
    voxels = wide.flatten(-3)
    rank = max(1, round(top_fraction * voxels.shape[-1]))
    reached = voxels.topk(rank, dim=-1, sorted=True).values[..., -1]
    foreground = wide >= reached.clamp(low, high)[..., None, None, None]
    return PseudoLabels(labels=foreground, confident=foreground | (wide < background_threshold))


@torch.no_grad()
def ema_update(teacher: nn.Module, student: nn.Module, decay: float) -> None:
    """Move the teacher towards the student: an exponential moving average, in place.

    Parameters
    ----------
    teacher, student : torch.nn.Module
        Modules with the same parameters and buffers; start the teacher as a copy of the student.
    decay : float
        In [0, 1]: the teacher becomes decay · teacher + (1 - decay) · student. Floating-point
        buffers (BatchNorm statistics) are averaged alike, whole-number buffers copied.

    Raises
    ------
    InputError
        When `decay` is outside its bounds or the modules differ in the names or shapes of
        their parameters or buffers; the teacher is then left as it was.
    """
    if not 0 <= decay <= 1:
        raise InputError(f"ema_update: decay in [0, 1] was wanted, got {decay}.")
    followed, following = _tensors_of(student), _tensors_of(teacher)
    if {k: v.shape for k, v in followed.items()} != {k: v.shape for k, v in following.items()}:
        raise InputError(
            "ema_update: a teacher with the student's parameters and buffers was wanted, got modules "
            "that differ; make the teacher with copy.deepcopy(student)."
        )
    for name, target in following.items():
        source = followed[name].to(device=target.device, dtype=target.dtype)
        if target.is_floating_point():
            target.lerp_(source, 1 - decay)
        else:
            target.copy_(source)


def ngm_denoise(
    volume: torch.Tensor, pass_fraction: float = 0.244, *, shape: HighPassShape = "cube"
) -> torch.Tensor:
    """Denoise a volume by subtracting its high-frequency part.

    Parameters
    ----------
    volume : Tensor
        (..., d, h, w) real values.
    pass_fraction : float
        Fraction rho of the coefficients that the high-pass filter keeps, above 0 and at most 1.
    shape : {"cube", "radial"}
        Shape of the kept region; see `high_pass_mask`.

    Returns
    -------
    Tensor
        Shape and dtype of `volume`: x - highpass(x).

    Raises
    ------
    InputError
        When `volume` is no real volume, or for the reasons of `high_pass_mask`.
    """
    check_volume("ngm_denoise: volume", volume)
    wide = working(volume)
    return (wide - high_pass(wide, pass_fraction, shape=shape)).to(volume.dtype)


def _tensors_of(module: nn.Module) -> dict[str, torch.Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}

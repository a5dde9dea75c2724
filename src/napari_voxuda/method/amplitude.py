"""Exchange of low-frequency amplitude between two domains: the appearance of one on the other."""

from __future__ import annotations

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import check_volume
from napari_voxuda.method.fourier import dft, inverse_dft

__all__ = ["exchange_amplitude"]


def exchange_amplitude(volume: torch.Tensor, other: torch.Tensor, window: float) -> torch.Tensor:
    """Give a volume the low-frequency Fourier amplitude of another and leave its phase.

    Parameters
    ----------
    volume : Tensor
        (..., d, h, w) real values, whose phase is kept.
    other : Tensor
        (..., d, h, w) real values of the same shape, on the same scale: z-scored alike, for example.
    window : float
        Fraction in [0, 1] of the frequencies up to Nyquist whose amplitude is exchanged, along each
        axis; 0 exchanges nothing, 1 everything.

    Returns
    -------
    Tensor
        Shape and dtype of `volume`.

    Raises
    ------
    InputError
        When one of the two is no real volume, their shapes differ, or `window` is outside its
        bounds.

    Notes
    -----
    Not in the paper, but in a rival that it compares with: ASC (Xu et al., MICCAI 2023), after Fourier
    domain adaptation (Yang and Soatto, CVPR 2020). ``F = |G| exp(i arg F)`` inside the cube of
    frequencies ``|k| <= window · n / 2``. Amplitudes are even in k and phases odd, so the result
    stays real.
    """
    check_volume("exchange_amplitude: volume", volume)
    check_volume("exchange_amplitude: other", other)
    if volume.shape != other.shape:
        raise InputError(
            f"exchange_amplitude: another volume of shape {tuple(volume.shape)} was wanted, got "
            f"{tuple(other.shape)}."
        )
    if not 0 <= window <= 1:
        raise InputError(f"exchange_amplitude: window in [0, 1] was wanted, got {window}.")
    if window == 0:
        return volume.clone()
    spectrum = dft(volume)
    given = torch.polar(dft(other.to(volume.dtype)).abs(), spectrum.angle())
    inside = _low(tuple(volume.shape[-3:]), window, volume.device)
    mixed = torch.where(inside, given, spectrum)
    return inverse_dft(mixed, volume.shape[-3:]).to(volume.dtype)


def _low(shape: tuple[int, ...], window: float, device: torch.device) -> torch.Tensor:
    """Return the (d, h, w // 2 + 1) bool mask of the exchanged frequencies of the half spectrum."""
    mask = torch.ones((*shape[:-1], shape[-1] // 2 + 1), dtype=torch.bool, device=device)
    for axis, n in enumerate(shape):
        index = torch.arange(mask.shape[axis], device=device)
        frequency = torch.minimum(index, n - index)
        line = frequency <= window * n / 2
        mask &= line.reshape([-1 if a == axis else 1 for a in range(3)])
    return mask

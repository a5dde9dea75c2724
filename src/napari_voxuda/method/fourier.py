"""The high-pass filter of the noise generation module, Eq. (2) to (4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import SPATIAL, check_volume, working

__all__ = [
    "HighPassShape",
    "cube_line",
    "dft",
    "high_pass",
    "high_pass_mask",
    "high_pass_spectrum",
    "inverse_dft",
    "kept_energy",
]

HighPassShape = Literal["cube", "radial"]


def dft(volume: torch.Tensor) -> torch.Tensor:
    """Return the 3-D discrete Fourier transform of a volume, Eq. (2).

    Parameters
    ----------
    volume : Tensor
        (..., d, h, w) real values.

    Returns
    -------
    Tensor
        (..., d, h, w // 2 + 1) complex coefficients, frequency 0 first. The other half of the
        last dimension is not stored: a real volume repeats the first half there, conjugated.

    Raises
    ------
    InputError
        When `volume` is no real volume.
    """
    check_volume("dft: volume", volume)
    spectrum: torch.Tensor = torch.fft.rfftn(working(volume), dim=SPATIAL)
    return spectrum


def inverse_dft(spectrum: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """Return the real volume of a half spectrum; the inverse of `dft`.

    Parameters
    ----------
    spectrum : Tensor
        (..., d, h, w // 2 + 1) complex, as `dft` returns it.
    shape : sequence of int
        (d, h, w) of the volume.

    Returns
    -------
    Tensor
        (..., d, h, w) real values.

    Raises
    ------
    InputError
        When the shape does not fit the spectrum.

    Notes
    -----
    One dimension after the other: `torch.fft.irfftn` and `ifftn` over two dimensions before the
    last write beyond their memory on a CPU when there are more than about ten million voxels, which
    ends the process (pytorch issue 125664).
    """
    size = tuple(shape)
    if len(size) != 3 or tuple(spectrum.shape[-3:]) != (*size[:-1], size[-1] // 2 + 1):
        raise InputError(
            "inverse_dft: a shape (d, h, w) with the spectrum (..., d, h, w // 2 + 1) was wanted, got "
            f"{size} for a spectrum of shape {tuple(spectrum.shape)}."
        )
    partly = torch.fft.ifft(torch.fft.ifft(spectrum, dim=SPATIAL[0]), dim=SPATIAL[1])
    volume: torch.Tensor = torch.fft.irfft(partly, n=size[2], dim=SPATIAL[2])
    return volume


def high_pass_mask(
    shape: Sequence[int],
    pass_fraction: float,
    *,
    form: HighPassShape = "cube",
    device: torch.device | str | None = None,
) -> torch.Tensor:
    """Return which Fourier coefficients the high-pass filter keeps.

    Parameters
    ----------
    shape : sequence of int
        (d, h, w) of the volume.
    pass_fraction : float
        Fraction rho of the coefficients that is kept, above 0 and at most 1; 0.244 in the paper.
    form : {"cube", "radial"}
        ``"cube"``: the centre block of the unshifted spectrum, round(n rho^(1/3)) coefficients along
        an axis of n. ``"radial"``: everything beyond a radius, in fractions of the sampling rate.
    device : torch.device or str, optional
        Where the mask is made.

    Returns
    -------
    Tensor
        (d, h, w) bool over the full spectrum with frequency 0 at index 0; True is kept.

    Raises
    ------
    InputError
        When the shape is not three positive numbers, the fraction is outside its bounds, or the
        form is unknown.

    Notes
    -----
    All rates that the paper tries are cubes of a whole number in a 32³ spectrum, and 24.4 %
    is 20³ of 32³: indices 6 to 25 along each axis. That block keeps +6 but not -6, so the filtered
    volume is complex and `high_pass` takes its real part.
    """
    if len(shape) != 3 or any(n < 1 for n in shape):
        raise InputError(f"high_pass_mask: shape (d, h, w) was wanted, got {tuple(shape)}.")
    if not 0 < pass_fraction <= 1:
        raise InputError(
            f"high_pass_mask: pass_fraction above 0 and at most 1 was wanted, got {pass_fraction}."
        )
    if form == "cube":
        return _cube(shape, pass_fraction, device)
    if form == "radial":
        return _beyond_radius(shape, pass_fraction, device)
    raise InputError(f"high_pass_mask: form 'cube' or 'radial' was wanted, got {form!r}.")


def high_pass_spectrum(
    spectrum: torch.Tensor, width: int, pass_fraction: float, *, shape: HighPassShape = "cube"
) -> torch.Tensor:
    """Keep the high-frequency coefficients of a spectrum, Eq. (3).

    Parameters
    ----------
    spectrum : Tensor
        (..., d, h, w // 2 + 1) complex, as `dft` returns it.
    width : int
        The volume's size w along the last axis, which the half spectrum does not tell.
    pass_fraction : float
        Fraction rho of the coefficients that is kept, above 0 and at most 1.
    shape : {"cube", "radial"}
        Shape of the kept region; see `high_pass_mask`.

    Returns
    -------
    Tensor
        Like `spectrum`. Coefficients kept on one side of the origin only are halved: that makes the
        inverse transform the real part of the literally masked one.

    Raises
    ------
    InputError
        When the width does not fit, or for the reasons of `high_pass_mask`.
    """
    if width // 2 + 1 != spectrum.shape[-1]:
        raise InputError(
            f"high_pass_spectrum: a width of {2 * spectrum.shape[-1] - 2} or "
            f"{2 * spectrum.shape[-1] - 1} was wanted for this spectrum, got {width}."
        )
    size = (*spectrum.shape[-3:-1], width)
    mask = high_pass_mask(size, pass_fraction, form=shape, device=spectrum.device)
    return spectrum * _symmetrised(mask, spectrum.shape[-1])


def high_pass(
    volume: torch.Tensor, pass_fraction: float = 0.244, *, shape: HighPassShape = "cube"
) -> torch.Tensor:
    """Return the high-frequency part of a volume, which is mostly noise, Eq. (4).

    Parameters
    ----------
    volume : Tensor
        (..., d, h, w) real values.
    pass_fraction : float
        Fraction rho of the coefficients that is kept, above 0 and at most 1.
    shape : {"cube", "radial"}
        Shape of the kept region; see `high_pass_mask`.

    Returns
    -------
    Tensor
        Shape and dtype of `volume`: the real part of the inverse transform.

    Raises
    ------
    InputError
        When `volume` is no real volume, or for the reasons of `high_pass_mask`.
    """
    kept = high_pass_spectrum(dft(volume), volume.shape[-1], pass_fraction, shape=shape)
    return inverse_dft(kept, volume.shape[-3:]).to(volume.dtype)


def kept_energy(
    shape: Sequence[int], pass_fraction: float, *, form: HighPassShape = "cube"
) -> float:
    """Return the fraction of white noise's variance that the high-pass filter keeps.

    Parameters
    ----------
    shape : sequence of int
        (d, h, w) of the volume.
    pass_fraction : float
        Fraction rho of the coefficients that is kept, above 0 and at most 1.
    form : {"cube", "radial"}
        Shape of the kept region; see `high_pass_mask`.

    Returns
    -------
    float
        In (0, 1]; 0.227 for the paper's cube of 24.4 %, since only the real part is kept.

    Raises
    ------
    InputError
        For the reasons of `high_pass_mask`.
    """
    return float(_symmetrised(high_pass_mask(shape, pass_fraction, form=form)).square().mean())


def cube_line(n: int, fraction: float, device: torch.device | str | None = None) -> torch.Tensor:
    """Return which of the coefficients along one axis the cube of `high_pass_mask` keeps.

    Parameters
    ----------
    n : int
        Voxels along the axis, at least 1.
    fraction : float
        Fraction rho of the coefficients of the whole spectrum that is kept, above 0 and at most 1.
    device : torch.device or str, optional
        Where the line is made.

    Returns
    -------
    Tensor
        (n,) bool with frequency 0 at index 0; round(n rho^(1/3)) of them are kept.

    Raises
    ------
    InputError
        When the fraction is outside its bounds.
    """
    if not 0 < fraction <= 1:
        raise InputError(
            f"cube_line: pass_fraction above 0 and at most 1 was wanted, got {fraction}."
        )
    side = max(1, min(n, round(n * fraction ** (1 / 3))))
    line = torch.zeros(n, dtype=torch.bool, device=device)
    start = (n - side + 1) // 2
    line[start : start + side] = True
    return line


def _cube(shape: Sequence[int], fraction: float, device: torch.device | str | None) -> torch.Tensor:
    mask = torch.ones(tuple(shape), dtype=torch.bool, device=device)
    for axis, n in enumerate(shape):
        line = cube_line(n, fraction, device)
        mask &= line.reshape([n if a == axis else 1 for a in range(3)])
    return mask


def _beyond_radius(
    shape: Sequence[int], fraction: float, device: torch.device | str | None
) -> torch.Tensor:
    square = torch.zeros(tuple(shape), device=device)
    for axis, n in enumerate(shape):
        frequency = torch.fft.fftfreq(n, device=device)
        square += frequency.square().reshape([n if a == axis else 1 for a in range(3)])
    dropped = square.numel() - max(1, round(fraction * square.numel()))
    return square >= square.flatten().kthvalue(dropped + 1).values


def _symmetrised(mask: torch.Tensor, columns: int | None = None) -> torch.Tensor:
    """Return the mean of a spectrum's mask at k and at -k: what it does to the real part.

    Only the first `columns` of the last axis are returned, if given.
    """
    dims = tuple(range(mask.ndim))
    opposite = mask.flip(dims).roll((1,) * mask.ndim, dims)
    kept = mask[..., :columns].byte() + opposite[..., :columns].byte()
    return kept.float().div_(2)

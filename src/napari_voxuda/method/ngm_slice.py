"""One slice of the NGM denoiser, for a preview: the other slices are not computed."""

from __future__ import annotations

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import check_volume, working
from napari_voxuda.method.fourier import HighPassShape, cube_line
from napari_voxuda.method.pseudo_labels import ngm_denoise

__all__ = ["ngm_denoise_slice"]


@torch.no_grad()
def ngm_denoise_slice(
    volume: torch.Tensor,
    axis: int,
    index: int,
    pass_fraction: float = 0.244,
    *,
    shape: HighPassShape = "cube",
) -> torch.Tensor:
    """Return one slice of `ngm_denoise`.

    Parameters
    ----------
    volume : Tensor
        (d, h, w) real values.
    axis : int
        The axis across the slice, 0 to 2.
    index : int
        The slice, a valid index.
    pass_fraction : float
        Fraction rho of the coefficients that counts as noise, above 0 and at most 1.
    shape : {"cube", "radial"}
        Shape of that region; see `high_pass_mask`.

    Returns
    -------
    Tensor
        The slice, with the two remaining axes in their order; dtype of `volume`.

    Raises
    ------
    InputError
        When `volume` is no real volume, there is no such slice, or for the reasons of
        `high_pass_mask`.

    Notes
    -----
    The paper's cube is a product of one band for each axis. So the filter across the slice is one
    weighted sum of all slices, and only its result is transformed, in two dimensions. The
    radial region is no such product; there the whole volume is transformed.
    """
    check_volume("ngm_denoise_slice: volume", volume)
    if volume.ndim != 3 or axis not in (0, 1, 2) or not 0 <= index < volume.shape[axis]:
        raise InputError(
            "ngm_denoise_slice: a slice of a volume (d, h, w) was wanted, got axis "
            f"{axis}, index {index} and shape {tuple(volume.shape)}."
        )
    if shape != "cube":
        return ngm_denoise(volume, pass_fraction, shape=shape).select(axis, index)
    stack = working(volume).movedim(axis, 0)
    bands = [cube_line(n, pass_fraction, volume.device) for n in stack.shape]
    across = torch.fft.ifft(bands[0].to(torch.complex128))
    weights = across[(index - torch.arange(len(stack), device=volume.device)) % len(stack)]
    parts = torch.stack([weights.real, weights.imag]).to(stack.dtype)
    mixed = torch.tensordot(parts, stack, dims=1)
    spectrum = torch.fft.fft2(torch.complex(mixed[0], mixed[1]))
    spectrum *= bands[1][:, None] & bands[2]
    noise: torch.Tensor = torch.fft.ifft2(spectrum).real
    return (stack[index] - noise).to(volume.dtype)

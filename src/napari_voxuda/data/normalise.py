"""Zero mean and unit standard deviation, of whole tomograms and of boxes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_voxuda.data.reading import read_part
from napari_voxuda.data.slabs import release_pages
from napari_voxuda.errors import InputError

if TYPE_CHECKING:
    import torch

__all__ = ["Digest", "volume_statistics", "z_score"]

_SLAB_BYTES = 1 << 25


class Digest(Protocol):
    """Anything that takes bytes one after the other, such as what `hashlib` makes."""

    def update(self, data: Any, /) -> None:
        """Take more bytes."""


def volume_statistics(
    array: npt.NDArray[Any], *, name: str = "volume", digest: Digest | None = None
) -> tuple[float, float]:
    """Return mean and standard deviation of a volume, read one z-slab at a time.

    Parameters
    ----------
    array : numpy.ndarray
        (d, h, w) real values; may be a memory map larger than memory.
    name : str
        Names the volume in errors.
    digest : Digest or None
        Gets all values, in their own type and in the order (z, y, x).

    Returns
    -------
    mean, std : float
        In float64; ``std`` is the population standard deviation, above 0.

    Raises
    ------
    InputError
        When a value is NaN or infinite, or all values are equal.
    """
    depth = max(1, _SLAB_BYTES // max(1, array[0].size * 8))
    count, mean, squares = 0, 0.0, 0.0
    low, high = math.inf, -math.inf
    for start in range(0, len(array), depth):
        part = read_part(array, slice(start, start + depth))
        if digest is not None:
            digest.update(part)
        with np.errstate(invalid="ignore"):  # what is no number is refused below
            slab = part.astype(np.float64)
        least, most = float(slab.min()), float(slab.max())
        if not (math.isfinite(least) and math.isfinite(most)):
            raise InputError(
                f"{name}: finite values were wanted, got NaN or infinity in slices {start} to "
                f"{start + len(slab) - 1}; replace them first."
            )
        low, high = min(low, least), max(high, most)
        slab_mean = float(slab.mean())
        slab -= slab_mean
        squares += float(np.vdot(slab, slab))
        squares += (slab_mean - mean) ** 2 * count * slab.size / (count + slab.size)
        count += slab.size
        mean += (slab_mean - mean) * slab.size / count
        release_pages(array)
    if low == high:
        raise InputError(f"{name}: varying values were wanted, got {low:g} in every voxel.")
    return mean, math.sqrt(squares / count)


def z_score(tensor: torch.Tensor, dims: tuple[int, ...] = (-3, -2, -1)) -> torch.Tensor:
    """Shift and scale to zero mean and unit standard deviation over `dims`.

    Parameters
    ----------
    tensor : torch.Tensor
        (..., d, h, w) real values of any magnitude.
    dims : tuple of int
        Dimensions that are normalised together.

    Returns
    -------
    torch.Tensor
        (..., d, h, w); float32 for whole numbers and half-precision input, else the input's type.
        Where all values are equal it is 0.
    """
    values = tensor if tensor.is_floating_point() and tensor.itemsize >= 4 else tensor.float()
    values = values - values.mean(dims, keepdim=True)
    scale = values.abs().amax(dims, keepdim=True)
    values = values / scale.where(scale > 0, 1.0)  # squares must not overflow or vanish
    values = values - values.mean(dims, keepdim=True)
    std = values.square().mean(dims, keepdim=True).sqrt()
    return values / std.where(std > 0, 1.0)

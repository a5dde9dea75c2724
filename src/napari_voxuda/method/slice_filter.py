"""Both bilateral filters on one slice, for a preview that follows a slider.

The filters of whole volumes visit each pair of neighbours once, for both of its voxels. Of a slice between
two others most pairs concern one voxel only; here nothing else is computed. What does not depend on the
widths of the kernels is computed apart, once for all steps of a slider.

Planes are walked as flat arrays, in which a neighbour is a constant number of places away; what wraps
around an edge spoils voxels of the border only, which are not returned. They are walked in pieces of
fewer numbers than torch shares among threads: threads that wait for each other after each of thousands
of small steps are slow, and stand still where another program keeps a core busy.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import working
from napari_voxuda.method._window import check_sigma
from napari_voxuda.method.improved_bilateral import (
    IMPROVED_BILATERAL_HALO,
    GradientOperator,
    laplacian_gradient,
)

__all__ = [
    "SliceFeatures",
    "bilateral_slice",
    "improved_bilateral_slice",
    "slice_gradient",
    "slice_mean",
]

_PIECE = 32_000  # torch works on fewer than 32,768 numbers in one thread
_LOG2_E = math.log2(math.e)
_LEAST_EXPONENT = -86.0  # a processor takes ten times as long over numbers below 2**-126


@dataclass(frozen=True, kw_only=True, eq=False)
class SliceFeatures:
    """What the filter of a slice compares; it does not depend on the widths of the kernels.

    Parameters
    ----------
    values : Tensor
        (3, h + 2 r, w + 2 r) values of the slice and of the slices before and after it, with r voxels
        of its surroundings.
    vectors : tuple of Tensor
        Components, each shaped like `values`, of the vectors that the range kernel compares; not
        used in the outer r - 1 voxels.
    unit : float
        What the width of the range kernel is measured in.
    halo : int
        r, at least 1.
    dtype : torch.dtype
        Of the result.
    """

    values: torch.Tensor
    vectors: tuple[torch.Tensor, ...]
    unit: float
    halo: int
    dtype: torch.dtype


def bilateral_slice(
    slab: torch.Tensor, sigma_domain: float = 120.0, sigma_range: float = 1.2
) -> torch.Tensor:
    """Smooth one slice with the bilateral filter.

    Parameters
    ----------
    slab : Tensor
        (3, h + 2, w + 2) real values: the slice in the middle, with one voxel of its
        surroundings on each side.
    sigma_domain, sigma_range : float
        As for `bilateral_filter`.

    Returns
    -------
    Tensor
        (h, w): what `bilateral_filter` makes of the slice, up to rounding.

    Raises
    ------
    InputError
        When the slab has another depth or no voxel within, or a width is not positive.
    """
    _check(slab, 1)
    values = working(slab)
    features = SliceFeatures(values=values, vectors=(values,), unit=1.0, halo=1, dtype=slab.dtype)
    return slice_mean(features, sigma_domain, sigma_range)


def improved_bilateral_slice(
    slab: torch.Tensor,
    sigma_domain: float = 120.0,
    sigma_range: float = 1.2,
    *,
    value_range: tuple[float, float],
    operator: GradientOperator = "sobel",
) -> torch.Tensor:
    """Smooth one slice with the improved bilateral filter.

    Parameters
    ----------
    slab : Tensor
        (2 r + 1, h + 2 r, w + 2 r) real values: the slice in the middle, with
        r = `IMPROVED_BILATERAL_HALO` voxels of its surroundings on each side.
    sigma_domain, sigma_range, operator : float, float, str
        As for `improved_bilateral_filter`.
    value_range : tuple of float
        (lowest, highest) value of the whole volume, which are scaled to 0 and 1.

    Returns
    -------
    Tensor
        (h, w): what `improved_bilateral_filter` makes of the slice, up to rounding.

    Raises
    ------
    InputError
        When the slab has another depth or no voxel within, or a width is not positive.
    """
    features = slice_gradient(slab, value_range=value_range, operator=operator)
    return slice_mean(features, sigma_domain, sigma_range)


def slice_gradient(
    slab: torch.Tensor,
    *,
    value_range: tuple[float, float],
    operator: GradientOperator = "sobel",
) -> SliceFeatures:
    """Return the gradients that the improved bilateral filter of a slice compares.

    Parameters
    ----------
    slab, value_range, operator : Tensor, tuple of float, str
        As for `improved_bilateral_slice`.

    Returns
    -------
    SliceFeatures
        For `slice_mean`.

    Raises
    ------
    InputError
        When the slab has another depth or no voxel within.
    """
    halo = IMPROVED_BILATERAL_HALO[operator]
    _check(slab, halo)
    values = working(slab).contiguous()
    inside = slice(halo - 1, slab.shape[0] - halo + 1)
    if operator == "sobel":
        gradient = _sobel(values)
    else:
        gradient = laplacian_gradient(values, operator=operator)[:, inside].contiguous()
    return SliceFeatures(
        values=values[inside],
        vectors=tuple(gradient),
        # Gradients are linear: a wider kernel does for them what scaling does for the volume.
        unit=max(value_range[1] - value_range[0], torch.finfo(values.dtype).tiny),
        halo=halo,
        dtype=slab.dtype,
    )


def slice_mean(
    features: SliceFeatures, sigma_domain: float = 120.0, sigma_range: float = 1.2
) -> torch.Tensor:
    """Return the weighted mean over the window around each voxel of a slice.

    Parameters
    ----------
    features : SliceFeatures
        Of the slice.
    sigma_domain, sigma_range : float
        Widths of the kernels, above 0, as for the filters of volumes.

    Returns
    -------
    Tensor
        (h, w): the slice, smoothed.

    Raises
    ------
    InputError
        When a width is not positive.
    """
    check_sigma("slice filter: sigma_domain", sigma_domain)
    check_sigma("slice filter: sigma_range", sigma_range)
    _, height, width = features.values.shape
    halo, reach = features.halo, width + 1
    planes = features.values.reshape(3, -1)
    vectors = [vector.reshape(3, -1) for vector in features.vectors]
    factor = min((0.5 * _LOG2_E) ** 0.5 / (sigma_range * features.unit), 1e18)
    biases = [-0.5 * _LOG2_E * ring / sigma_domain**2 for ring in range(4)]
    out = torch.empty_like(planes[1])
    margin = halo * (width + 1)
    for start, stop in _pieces(margin, height * width - margin):
        around = slice(start - reach, stop + reach)
        scaled = [(factor * vector[:, around]).unbind() for vector in vectors]
        out[start:stop] = _piece_mean(planes[:, around].unbind(), scaled, width, biases)
    return out.reshape(height, width)[halo:-halo, halo:-halo].to(features.dtype)


def _check(slab: torch.Tensor, halo: int) -> None:
    depth = 2 * halo + 1
    if slab.ndim != 3 or slab.shape[0] != depth or min(slab.shape[1:]) <= 2 * halo:
        raise InputError(
            f"slice filter: a slab ({depth}, h + {2 * halo}, w + {2 * halo}) was wanted, got shape "
            f"{tuple(slab.shape)}."
        )


def _pieces(start: int, stop: int) -> Iterator[tuple[int, int]]:
    for first in range(start, stop, _PIECE):
        yield first, min(first + _PIECE, stop)


def _piece_mean(
    planes: Sequence[torch.Tensor],
    vectors: Sequence[Sequence[torch.Tensor]],
    width: int,
    biases: Sequence[float],
) -> torch.Tensor:
    """Return the means at the places of a piece of the middle plane that have all neighbours in it.

    `planes` and each of `vectors` are the pieces of three planes. Exponents are powers of 2, which take half
    the time of powers of e; `biases` are those of the spatial kernel by squared distance.
    """
    reach = width + 1
    centre = slice(reach, len(planes[1]) - reach)
    own, own_vector = planes[1][centre], [vector[1][centre] for vector in vectors]
    change, weights = torch.zeros_like(own), torch.ones_like(own)
    work, square, bias = (torch.empty_like(own) for _ in range(3))
    for ring in (1, 2, 3):
        bias.fill_(biases[ring])
        for z, y, x in itertools.product((-1, 0, 1), repeat=3):
            if z * z + y * y + x * x != ring:
                continue
            shift = y * width + x
            there = slice(centre.start + shift, centre.stop + shift)
            total = bias
            for vector, mine in zip(vectors, own_vector, strict=True):
                torch.sub(vector[1 + z][there], mine, out=work)
                total = torch.addcmul(total, work, work, value=-1, out=square)
            square.clamp_(min=_LEAST_EXPONENT).exp2_()
            weights.add_(square)
            torch.sub(planes[1 + z][there], own, out=work)
            change.addcmul_(square, work)
    return change.div_(weights).add_(own)


def _sobel(values: torch.Tensor) -> torch.Tensor:
    """Return the Sobel response (3, 3, h, w) of (5, h, w) values; the outermost voxels are not set."""
    _, height, width = values.shape
    planes = values.reshape(5, -1)
    out = values.new_empty((3, 3, height * width))
    for start, stop in _pieces(width + 1, height * width - width - 1):
        both, along_y, along_x = [], [], []
        for plane in planes:
            here, before, after = (
                plane[start - 1 + shift : stop + 1 + shift] for shift in (0, -width, width)
            )
            smooth = (before + after).add_(here, alpha=2)
            both.append(_smoothed(smooth[:-2], smooth[1:-1], smooth[2:]))
            steep = after - before
            along_y.append(_smoothed(steep[:-2], steep[1:-1], steep[2:]))
            along_x.append(smooth[2:] - smooth[:-2])
        for z in range(3):
            out[0, z, start:stop] = both[z + 2] - both[z]
            out[1, z, start:stop] = _smoothed(*along_y[z : z + 3])
            out[2, z, start:stop] = _smoothed(*along_x[z : z + 3])
    return out.reshape(3, 3, height, width)


def _smoothed(before: torch.Tensor, here: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """Return the sum with weights 1, 2, 1."""
    return (before + after).add_(here, alpha=2)

"""The improved bilateral filter, Eq. (10) to (14): neighbours are alike if their gradients are."""

from __future__ import annotations

from typing import Literal

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import (
    SPATIAL,
    check_padding,
    check_volume,
    cropped,
    pad_replicate,
    working,
)
from napari_voxuda.method._window import check_sigma, half_window, squared_distance, window_mean

__all__ = [
    "IMPROVED_BILATERAL_HALO",
    "GradientOperator",
    "gradient_difference",
    "improved_bilateral_filter",
    "laplacian_gradient",
    "suggest_sigma_range",
]

GradientOperator = Literal["sobel", "laplacian"]

IMPROVED_BILATERAL_HALO: dict[GradientOperator, int] = {"sobel": 2, "laplacian": 3}
"""Voxels around a block that the filter needs to give the block's exact values, by operator."""

_MEDIAN_TO_SIGMA = 0.65


def laplacian_gradient(
    volume: torch.Tensor, *, operator: GradientOperator = "sobel"
) -> torch.Tensor:
    """Return the gradient along h, w and d, Eq. (10), Eq. (11) and Eq. (12).

    Parameters
    ----------
    volume : Tensor
        (..., d, h, w) real values.
    operator : {"sobel", "laplacian"}
        ``"sobel"``: the 3-D Sobel response, [-1, 0, 1] along the axis and [1, 2, 1] along both
        others, not normalised. ``"laplacian"``: the literal difference of the 6-neighbour Laplacian
        between the next and the previous voxel.

    Returns
    -------
    Tensor
        (..., 3, d, h, w), dtype of `volume`; components in the order (d, h, w).

    Raises
    ------
    InputError
        When `volume` is no real volume or the operator is unknown.

    Notes
    -----
    The paper differentiates a "Laplace operator" and adds that Sobel operators are used as that
    operator; ``"sobel"`` is the reading under which its kernel widths make sense and no third
    derivative is taken of noise. The differences are not halved, so both operators have about the
    same size on noise. Border voxels are replicated outwards.
    """
    check_volume("laplacian_gradient: volume", volume)
    _check_operator("laplacian_gradient", operator)
    padded = pad_replicate(working(volume), IMPROVED_BILATERAL_HALO[operator] - 1)
    return torch.stack(_inner_gradient(padded, operator), dim=-4).to(volume.dtype)


def gradient_difference(gradient_p: torch.Tensor, gradient_q: torch.Tensor) -> torch.Tensor:
    """Return the norm of the difference of two gradient vectors, Eq. (13).

    Parameters
    ----------
    gradient_p, gradient_q : Tensor
        (..., 3, d, h, w) gradients at the voxels p and at their neighbours q.

    Returns
    -------
    Tensor
        (..., d, h, w) non-negative norms.

    Raises
    ------
    InputError
        When the two differ in shape or do not have three components.
    """
    if gradient_p.shape != gradient_q.shape or gradient_p.ndim < 4 or gradient_p.shape[-4] != 3:
        raise InputError(
            "gradient_difference: two tensors of one shape (..., 3, d, h, w) were wanted, got "
            f"{tuple(gradient_p.shape)} and {tuple(gradient_q.shape)}."
        )
    wide_p, wide_q = working(gradient_p), working(gradient_q)
    norm = squared_distance(wide_p.unbind(-4), wide_q.unbind(-4)).sqrt_()
    return norm.to(gradient_p.dtype)


@torch.no_grad()
def improved_bilateral_filter(
    volume: torch.Tensor,
    sigma_domain: float = 120.0,
    sigma_range: float = 1.2,
    *,
    operator: GradientOperator = "sobel",
    value_range: tuple[float, float] | None = None,
    padded: bool = False,
) -> torch.Tensor:
    """Smooth a volume where the gradients of neighbours agree, Eq. (14).

    Parameters
    ----------
    volume : Tensor
        (..., d, h, w) real values; any number of leading dimensions.
    sigma_domain : float
        Width of the spatial kernel in voxels, above 0.
    sigma_range : float
        Width of the range kernel, above 0: of differences between gradients of the volume after
        its values were scaled to [0, 1].
    operator : {"sobel", "laplacian"}
        How gradients are taken; see `laplacian_gradient`.
    value_range : tuple of float or None
        (lowest, highest) value that are scaled to 0 and 1; each volume's own when None. Give
        the whole volume's range to filter a block of it exactly as within the whole.
    padded : bool
        Whether `volume` comes with `IMPROVED_BILATERAL_HALO` voxels of its surroundings on each
        side, which are used and not returned.

    Returns
    -------
    Tensor
        Shape (less the padding), dtype and device of `volume`, in its own units; no gradient flows
        through it.

    Raises
    ------
    InputError
        When `volume` is no real volume, holds nothing but padding, a width is not positive, the
        operator is unknown or `value_range` does not rise.

    Notes
    -----
    ``v'(p) = sum_q G_sd(|p - q|) G_sr(|g(q) - g(p)|) v(q) / sum_q G_sd G_sr`` over the 27 voxels q
    of the window around p, with the gradient g of the scaled volume. The volume is continued by its
    border voxels. A volume of one value is returned as it is. float16 and bfloat16 are
    computed in float32.
    """
    check_volume("improved_bilateral_filter: volume", volume)
    check_sigma("improved_bilateral_filter: sigma_domain", sigma_domain)
    check_sigma("improved_bilateral_filter: sigma_range", sigma_range)
    _check_operator("improved_bilateral_filter", operator)
    halo = IMPROVED_BILATERAL_HALO[operator]
    wide = working(volume)
    if padded:
        check_padding("improved_bilateral_filter", volume, halo)
        scaled, values = _scaled(wide, value_range), cropped(wide, halo - 1)
    else:
        scaled, values = pad_replicate(_scaled(wide, value_range), halo), pad_replicate(wide, 1)
    gradient = _inner_gradient(scaled, operator)
    filtered = window_mean(values, gradient, sigma_domain, sigma_range)
    return filtered.to(volume.dtype).contiguous()


@torch.no_grad()
def suggest_sigma_range(
    volume: torch.Tensor,
    *,
    operator: GradientOperator = "sobel",
    value_range: tuple[float, float] | None = None,
) -> float:
    """Suggest a range width from the data: 0.65 times the median gradient difference of neighbours.

    Parameters
    ----------
    volume : Tensor
        (..., d, h, w) real values; a representative part of a large volume is enough.
    operator : {"sobel", "laplacian"}
        How gradients are taken; see `laplacian_gradient`.
    value_range : tuple of float or None
        As for `improved_bilateral_filter`.

    Returns
    -------
    float
        A value for `sigma_range`, above 0.

    Raises
    ------
    InputError
        When `volume` is no real volume, has one voxel or one value, or the operator is unknown.

    Notes
    -----
    Not in the paper: its one value suits one kind of data. On noisy subtomograms the
    suggestion lies near the paper's 1.2.
    """
    check_volume("suggest_sigma_range: volume", volume)
    _check_operator("suggest_sigma_range", operator)
    scaled = _scaled(working(volume), value_range)
    gradient = laplacian_gradient(scaled, operator=operator)
    differences = [
        gradient_difference(*_pair(gradient, offset)).flatten() for offset in half_window()
    ]
    every = torch.cat(differences)
    median = float(every.median()) if every.numel() else 0.0
    if not median > 0:
        raise InputError(
            "suggest_sigma_range: a volume whose values vary was wanted, but neighbours have equal "
            "gradients; choose sigma_range by hand."
        )
    return _MEDIAN_TO_SIGMA * median


def _pair(
    gradient: torch.Tensor, offset: tuple[int, int, int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the gradients at all voxels that have a neighbour at `offset`, and at those."""
    near = far = gradient
    for axis, step in zip(SPATIAL, offset, strict=True):
        size = gradient.shape[axis] - abs(step)
        near = near.narrow(axis, max(0, -step), max(0, size))
        far = far.narrow(axis, max(0, step), max(0, size))
    return near, far


def _check_operator(where: str, operator: str) -> None:
    if operator not in IMPROVED_BILATERAL_HALO:
        raise InputError(
            f"{where}: operator {' or '.join(IMPROVED_BILATERAL_HALO)} was wanted, "
            f"got {operator!r}."
        )


def _scaled(volume: torch.Tensor, value_range: tuple[float, float] | None) -> torch.Tensor:
    """Scale values to [0, 1], each volume by itself unless a range is given."""
    if value_range is None:
        low, high = volume.amin(SPATIAL, keepdim=True), volume.amax(SPATIAL, keepdim=True)
    else:
        low, high = (torch.tensor(v, dtype=volume.dtype, device=volume.device) for v in value_range)
        if not bool(high >= low):
            raise InputError(
                f"value_range: (lowest, highest) value were wanted, got {tuple(value_range)}."
            )
    span = high - low
    return (volume - low) / torch.where(span > 0, span, torch.ones_like(span))


def _inner_gradient(padded: torch.Tensor, operator: GradientOperator) -> tuple[torch.Tensor, ...]:
    """Return the three components where the operator fits into `padded`."""
    if operator == "laplacian":
        laplacian = _inner_laplacian(padded)
        return (
            _difference(_cropped(_cropped(laplacian, -2), -1), -3),
            _difference(_cropped(_cropped(laplacian, -3), -1), -2),
            _difference(_cropped(_cropped(laplacian, -3), -2), -1),
        )
    smooth_z = _smoothed(padded, -3)
    return (
        _smoothed(_smoothed(_difference(padded, -3), -2), -1),
        _smoothed(_difference(smooth_z, -2), -1),
        _difference(_smoothed(smooth_z, -2), -1),
    )


def _cropped(volume: torch.Tensor, axis: int) -> torch.Tensor:
    return volume.narrow(axis, 1, volume.shape[axis] - 2)


def _difference(volume: torch.Tensor, axis: int) -> torch.Tensor:
    """Return next minus previous voxel along an axis."""
    inner = volume.shape[axis] - 2
    return volume.narrow(axis, 2, inner) - volume.narrow(axis, 0, inner)


def _smoothed(volume: torch.Tensor, axis: int) -> torch.Tensor:
    """Return the sum of the voxels along an axis with weights 1, 2, 1."""
    inner = volume.shape[axis] - 2
    ends = volume.narrow(axis, 0, inner) + volume.narrow(axis, 2, inner)
    return ends.add_(volume.narrow(axis, 1, inner), alpha=2)


def _inner_laplacian(padded: torch.Tensor) -> torch.Tensor:
    """Return the sum over the 6 face neighbours minus 6 times the voxel."""
    total = -6 * padded[..., 1:-1, 1:-1, 1:-1]
    for axis, others in ((-3, (-2, -1)), (-2, (-3, -1)), (-1, (-3, -2))):
        inner = padded.shape[axis] - 2
        line = _cropped(_cropped(padded, others[0]), others[1])
        total += line.narrow(axis, 0, inner)
        total += line.narrow(axis, 2, inner)
    return total

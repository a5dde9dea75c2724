"""Draw the pieces of a mask towards balls, for globular molecules whose masks are ragged with noise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda.data.slabs import release_pages
from napari_voxuda.segmentation.components import Components
from napari_voxuda.segmentation.instances import mask_from_probability

__all__ = ["rounded_mask"]

# How the log-odds of foreground fall with the distance from a piece's centre, in units of its ball's radius, where
# masks of one kind of molecule are laid on one another: 0 on the ball's surface, bounded in and far outside of it.
_SLOPE = 6.0
_BOUND = 4.0
_LEAST_VOXELS = 20  # a smaller piece has no shape
# Share of a piece's voxels inside its ball: up to the first it is not rounded, from the second on fully. Where they are
# counted the ball is a little wider, so that a piece that is a ball of voxels has a share near 1.
_LONG, _ROUND = 0.5, 0.75
_WIDER_VOXELS = 0.2
_SAFE = 1e-6  # log-odds stay finite


def rounded_mask(
    probability: npt.NDArray[Any], threshold: float, roundness: float
) -> npt.NDArray[np.uint8]:
    """Threshold a probability map, with a preference for balls.

    Parameters
    ----------
    probability : numpy.ndarray
        (d, h, w) foreground probability in [0, 1].
    threshold : float
        In [0, 1]: as for `mask_from_probability`, whose mask is started from.
    roundness : float
        In [0, 1], how much the preference weighs against the probability; 0 for none.

    Returns
    -------
    numpy.ndarray
        (d, h, w) uint8, 1 where foreground.

    Notes
    -----
    Each connected piece of the mask has a ball around its centre that is as large as the piece. Inside of it the
    threshold falls and outside it rises, by `roundness` times the log-odds with which voxels at this
    distance are foreground where many such pieces are averaged. A piece of which half or less lies in its ball, like a
    filament or a membrane, stays as it is, and two molecules that touch nearly do.
    """
    mask = mask_from_probability(probability, threshold)
    if roundness <= 0 or not mask.any():
        return mask
    components = Components(mask)
    balls = _balls(components, probability)
    weight = roundness * np.clip((balls.inside - _LONG) / (_ROUND - _LONG), 0.0, 1.0)
    weight[components.voxels < _LEAST_VOXELS] = 0.0
    odds = _log_odds(threshold)
    far = np.where(weight > 0, _probability(odds + _BOUND * weight), -np.inf)
    found = np.zeros_like(mask)
    for piece in _pieces(components, probability):
        found[piece.voxels] = piece.values >= far[piece.labels]
    shape = probability.shape
    for label in np.flatnonzero(weight):
        centre, radius = balls.centres[label], balls.radii[label]
        reach = radius * (1 + _BOUND / _SLOPE)
        window = _window(centre, reach, shape)
        axes = np.ogrid[window]
        distance = np.sqrt(sum((axis - c) ** 2 for axis, c in zip(axes, centre, strict=True)))
        gain = np.minimum(_SLOPE * (1 - distance / radius), _BOUND)
        wanted = _probability(odds - weight[label] * gain)
        found[window] |= (probability[window] >= wanted) & (distance <= reach)
    release_pages(probability)
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class _Balls:
    """One for each component of a mask, as large as it; the first, of the background, means nothing.

    `centres` is (n, 3), `radii` and `inside` (the share of a component's voxels in its ball) are (n,).
    """

    centres: npt.NDArray[np.float64]
    radii: npt.NDArray[np.float64]
    inside: npt.NDArray[np.float64]


def _balls(components: Components, probability: npt.NDArray[Any]) -> _Balls:
    """Return the balls around the components' centres, to which likelier voxels count more."""
    count = len(components.voxels)
    sums = np.zeros((4, count))
    for piece in _pieces(components, probability):
        weights = [piece.values * axis for axis in piece.voxels] + [piece.values]
        sums += [np.bincount(piece.labels, weight, count) for weight in weights]
    centres = (sums[:3] / np.maximum(sums[3], _SAFE)).T
    radii = np.cbrt(components.voxels / (4 / 3 * math.pi))
    inside = np.zeros(count)
    for piece in _pieces(components, probability):
        away = np.linalg.norm(np.stack(piece.voxels, axis=1) - centres[piece.labels], axis=1)
        near = away <= radii[piece.labels] + _WIDER_VOXELS
        inside += np.bincount(piece.labels, near, count)
    return _Balls(centres=centres, radii=radii, inside=inside / np.maximum(components.voxels, 1))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Piece:
    """The foreground voxels of a slab: where they are (z, y, x), their labels and probabilities."""

    voxels: tuple[npt.NDArray[np.int64], ...]
    labels: npt.NDArray[np.unsignedinteger[Any]]
    values: npt.NDArray[np.float64]


def _pieces(components: Components, probability: npt.NDArray[Any]) -> Iterator[_Piece]:
    for slab, labels in components.labels():
        z, y, x = np.nonzero(labels)
        values = probability[slab][z, y, x].astype(np.float64)
        yield _Piece(voxels=(z + slab.start, y, x), labels=labels[z, y, x], values=values)
        release_pages(probability)


def _window(
    centre: npt.NDArray[np.float64], reach: float, shape: tuple[int, ...]
) -> tuple[slice, ...]:
    return tuple(
        slice(max(0, math.ceil(c - reach)), min(n, math.floor(c + reach) + 1))
        for c, n in zip(centre, shape, strict=True)
    )


def _log_odds(probability: float) -> float:
    safe = min(max(probability, _SAFE), 1 - _SAFE)
    return math.log(safe / (1 - safe))


def _probability(odds: Any) -> Any:
    return 1 / (1 + np.exp(-odds))

"""Guess whether macromolecules are bright or dark in a tomogram.

Macromolecules are the sparse, strong deviations at the scale of 80 to 300 Å. So the volume is
band-passed there, and its upper and lower tails are compared: the longer one is protein. The tails
begin at the 2.5 and 5 % most extreme voxels rather than at the outermost ones, because those belong to
gold beads, to the flat holes that erased beads leave, or to streaks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Contrast
from napari_voxuda.data.reading import read_part
from napari_voxuda.data.slabs import release_pages
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError

__all__ = ["LOW_CONFIDENCE", "ContrastGuess", "detect_contrast"]

LOW_CONFIDENCE = 0.95
"""Below this confidence the guess should be checked by eye."""

_Array = npt.NDArray[np.float32]

_BANDS_ANGSTROM = ((20.0, 100.0), (30.0, 120.0))
_TAILS_PERCENT = (2.5, 5.0)
_ASSUMED_VOXEL_ANGSTROM = 10.0
_COARSEST_ANGSTROM = 15.0
_BLOCK_ANGSTROM = 400.0
_TILE = 96
_MAX_TILES = 12
_MAX_VOLUMES = 100
_GROUPS = 20
_FLOOR = 0.008
_CAUTION = 1.5
_CORNER = 4
_DENSE = 500_000


@dataclass(frozen=True, kw_only=True)
class ContrastGuess:
    """Whether protein is bright or dark, and how sure that is.

    Parameters
    ----------
    contrast : {"bright", "dark"}
        The guess.
    confidence : float
        Estimated probability that it is right, in [0.5, 1].
    reason : str
        One sentence for the user; says so when the guess is not sure.
    """

    contrast: Contrast
    confidence: float
    reason: str

    @property
    def is_sure(self) -> bool:
        """Whether the confidence is at least `LOW_CONFIDENCE`."""
        return self.confidence >= LOW_CONFIDENCE


def detect_contrast(volume: Volume | Sequence[Volume]) -> ContrastGuess:
    """Guess the contrast of protein in a tomogram, or in a set of subtomograms together.

    Parameters
    ----------
    volume : Volume or sequence of Volume
        A tomogram, of which at most 12 tiles of 96³ voxels are read, or subtomograms of one kind,
        of which at most 100 are. Without a voxel size 10 Å are assumed.

    Returns
    -------
    ContrastGuess
        Contrast, confidence and reason. The opposite for a volume times -1.

    Raises
    ------
    InputError
        When there is no volume, or values are not finite or all equal.

    Notes
    -----
    With quantiles ``Q`` of the band-passed values the measure is the mean of
    ``(Q(1 - p) + Q(p) - 2 Q(1/2)) / (Q(1 - p) - Q(p))`` over tails `p` and bands. Its standard error
    comes from leaving out groups of blocks (jackknife), plus 0.008 for what that misses; the
    confidence is the normal probability of their ratio divided by 1.5, for caution. One small
    subtomogram alone is never sure.
    """
    volumes = [volume] if isinstance(volume, Volume) else list(volume)
    if not volumes:
        raise InputError("contrast: at least one volume was wanted, got none.")
    picked = [volumes[i] for i in _spread(len(volumes), _MAX_VOLUMES)]
    pieces = [piece for v in picked for piece in _pieces(v)]
    if all(float(values.min()) == float(values.max()) for values, _ in pieces):
        raise InputError(f"{volumes[0].name}: varying values were wanted, got a constant volume.")
    scores = [_asymmetry(_groups(pieces, band)) for band in _BANDS_ANGSTROM]
    left_out = np.mean([replicates for _, replicates in scores], axis=0)
    measure = float(np.mean([score for score, _ in scores]))
    known = all(v.grid.voxel_size_angstrom is not None for v in picked)
    error = math.hypot(_jackknife_error(left_out), _FLOOR)
    return _guess(measure, error, known_voxel_size=known)


def _guess(measure: float, error: float, *, known_voxel_size: bool) -> ContrastGuess:
    """Return the verdict in words."""
    confidence = NormalDist().cdf(abs(measure) / error / _CAUTION)
    contrast: Contrast = "bright" if measure > 0 else "dark"
    side = "upper" if measure > 0 else "lower"
    reason = f"the {side} tail is longer at 80 to 300 Å (asymmetry {measure:+.2f} ± {error:.2f})"
    if not known_voxel_size:
        reason += f", taking {_ASSUMED_VOXEL_ANGSTROM:g} Å for the unknown voxel size"
    if confidence < LOW_CONFIDENCE:
        return ContrastGuess(
            contrast=contrast,
            confidence=confidence,
            reason=f"Protein may be {contrast}, but this is not sure: {reason}; check by eye.",
        )
    return ContrastGuess(
        contrast=contrast, confidence=confidence, reason=f"Protein is {contrast}: {reason}."
    )


def _spread(count: int, most: int) -> list[int]:
    """Return up to `most` indices spread evenly over ``range(count)``."""
    return [i * count // most for i in range(most)] if count > most else list(range(count))


def _pieces(volume: Volume) -> Iterator[tuple[_Array, float]]:
    """Yield tiles of a volume, binned to about 15 Å, with their voxel size in Å."""
    size = volume.grid.voxel_size_angstrom
    voxel = math.prod(size) ** (1 / 3) if size is not None else _ASSUMED_VOXEL_ANGSTROM
    factor = max(1, int(_COARSEST_ANGSTROM / voxel))
    for tile in _tiles(volume.data):
        with np.errstate(all="ignore"):  # what is no number is refused below
            values = _binned(np.asarray(tile, dtype=np.float64), factor)
        release_pages(tile)
        if not np.isfinite(values).all():
            raise InputError(
                f"{volume.name}: finite values were wanted, got NaN or infinity; replace them first."
            )
        values = _without_padding(values)
        values = values - np.median(values)
        scale = float(np.abs(values).max()) or 1.0
        yield (values / scale).astype(np.float32), voxel * factor


def _tiles(data: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """Yield the volume if it is small, else tiles spread evenly over it."""
    if data.size <= _MAX_TILES * _TILE**3 // 3:
        yield read_part(data, slice(None))
        return
    counts = [max(1, n // _TILE) for n in data.shape]
    for i in _spread(math.prod(counts), _MAX_TILES):
        corner = (i // (counts[1] * counts[2]), i // counts[2] % counts[1], i % counts[2])
        steps = zip(corner, counts, data.shape, strict=True)
        starts = [int((c + 0.5) * n / k - min(_TILE, n) / 2) for c, k, n in steps]
        yield read_part(data, tuple(slice(s, s + _TILE) for s in starts))


def _binned(values: npt.NDArray[np.float64], factor: int) -> npt.NDArray[np.float64]:
    """Return means over blocks of `factor` voxels a side; remainders are cut off."""
    for axis, n in enumerate(values.shape):
        by = min(factor, n)
        kept = np.take(values, range(n // by * by), axis) if n % by else values
        shape = (*kept.shape[:axis], n // by, by, *kept.shape[axis + 1 :])
        values = kept.reshape(shape).mean(axis + 1)
    return values


def _without_padding(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Replace a constant that fills up to half of the volume, corners included, by the median.

    In bytes any value is frequent, so the constant must be more so than the median of the rest.
    """
    for corner in np.ndindex(2, 2, 2):
        cube = values[tuple(slice(-_CORNER, None) if c else slice(_CORNER) for c in corner)]
        filled = values == cube.flat[0]
        if cube.min() == cube.max() and filled.mean() < 0.5:
            rest = values[~filled]
            middle = np.median(rest)
            if filled.mean() > 3 * (rest == middle).mean():
                values = np.where(filled, middle, values)
    return values


def _groups(
    pieces: list[tuple[_Array, float]], band: tuple[float, float]
) -> list[npt.NDArray[np.float32]]:
    """Band-pass the pieces and deal their blocks out to groups."""
    blocks: list[npt.NDArray[np.float32]] = []
    for values, voxel in pieces:
        filtered = _band_passed(values, voxel, band)
        step = 1 if filtered.size < _DENSE else max(1, int(1.4 * band[0] / voxel))
        edge = _BLOCK_ANGSTROM / voxel if len(pieces) < _GROUPS // 2 else math.inf
        blocks += _blocks(filtered, edge, step)
    count = min(_GROUPS, len(blocks))
    return [np.concatenate(blocks[i::count]) for i in range(count)]


def _band_passed(values: _Array, voxel: float, band: tuple[float, float]) -> _Array:
    """Return a difference of Gaussians, centred at its median and scaled by its spread.

    A density map, most of which is one constant, is clear as it stands and is not filtered.
    """
    from scipy import ndimage

    middle = np.median(values)
    if (values == middle).mean() > 0.5:
        return values - middle
    narrow, wide = (
        max(sigma / voxel, 0.5 * factor) for sigma, factor in zip(band, (1, 3), strict=True)
    )
    passed = ndimage.gaussian_filter(values, narrow, truncate=3.0)
    passed -= ndimage.gaussian_filter(values, wide, truncate=3.0)
    passed -= np.median(passed)
    spread = float(np.median(np.abs(passed))) or float(passed.std()) or 1.0
    result: _Array = passed / np.float32(spread)
    return result


def _blocks(values: _Array, edge: float, step: int) -> list[_Array]:
    """Cut a volume into blocks of about `edge` voxels and keep every `step`-th along each axis."""
    parts = [values]
    for axis in range(3):
        count = max(1, round(values.shape[axis] / edge))
        parts = [piece for part in parts for piece in np.array_split(part, count, axis)]
    return [part[::step, ::step, ::step].ravel() for part in parts]


def _asymmetry(groups: list[_Array]) -> tuple[float, npt.NDArray[np.float64]]:
    """Return the asymmetry of all values, and its values with each group left out."""
    everything = np.concatenate(groups)
    if len(groups) < 2:
        return _tail_asymmetry(everything), np.array([-1.0, 1.0])
    rest = [np.concatenate(groups[:i] + groups[i + 1 :]) for i in range(len(groups))]
    return _tail_asymmetry(everything), np.array([_tail_asymmetry(r) for r in rest])


def _tail_asymmetry(values: _Array) -> float:
    """Return by how much the upper tail is longer than the lower, in [-1, 1]."""
    percents = [*_TAILS_PERCENT, 50.0, *(100 - p for p in _TAILS_PERCENT)]
    quantiles = np.percentile(values, percents)
    count = len(_TAILS_PERCENT)
    low, middle, high = quantiles[:count], quantiles[count], quantiles[count + 1 :]
    length = high - low
    skew = np.where(length > 0, (high + low - 2 * middle) / np.where(length > 0, length, 1), 0.0)
    return float(skew.mean())


def _jackknife_error(replicates: npt.NDArray[np.float64]) -> float:
    """Return the standard error from the values with one group left out each."""
    count = len(replicates)
    return math.sqrt((count - 1) / count * float(((replicates - replicates.mean()) ** 2).sum()))

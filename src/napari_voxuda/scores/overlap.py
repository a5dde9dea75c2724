"""Intersection over union and Dice coefficient of masks.

With true positives tp, false positives fp and false negatives fn,
IoU = tp / (tp + fp + fn) and Dice = 2 tp / (2 tp + fp + fn).

Empty masks: when prediction and truth are both empty, both scores are 1 (the prediction is
right); when only one of them is empty, both are 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda.errors import InputError

__all__ = ["Confusion", "Overlap", "dice", "iou", "mean_overlap", "overlap"]

_SLAB_VOXELS = 1 << 22
_MAX_LABEL = 65535


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Counts of voxels by prediction and truth; adding two pools them.

    Parameters
    ----------
    true_positive, false_positive, false_negative, true_negative : int
        Voxels, at least 0.
    """

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0
    true_negative: int = 0

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(
            true_positive=self.true_positive + other.true_positive,
            false_positive=self.false_positive + other.false_positive,
            false_negative=self.false_negative + other.false_negative,
            true_negative=self.true_negative + other.true_negative,
        )

    @property
    def iou(self) -> float:
        """Intersection over union in [0, 1]; 1 when both masks are empty."""
        union = self.true_positive + self.false_positive + self.false_negative
        return self.true_positive / union if union else 1.0

    @property
    def dice(self) -> float:
        """Dice coefficient in [0, 1]; 1 when both masks are empty."""
        total = 2 * self.true_positive + self.false_positive + self.false_negative
        return 2 * self.true_positive / total if total else 1.0

    @property
    def precision(self) -> float:
        """Fraction of the prediction that is true; without a prediction 1 if all is empty, else 0."""
        return self._fraction_of(self.true_positive + self.false_positive)

    @property
    def recall(self) -> float:
        """Fraction of the truth that was found; without a truth 1 if all is empty, else 0."""
        return self._fraction_of(self.true_positive + self.false_negative)

    def _fraction_of(self, whole: int) -> float:
        if whole:
            return self.true_positive / whole
        return float(self.false_positive + self.false_negative == 0)


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Agreement of one predicted mask with its truth.

    Parameters
    ----------
    foreground : Confusion
        Every label but 0 taken together.
    labels : dict of Confusion
        By label, for each label but 0 that occurs in the prediction or the truth.
    """

    foreground: Confusion
    labels: dict[int, Confusion]


def overlap(prediction: npt.NDArray[Any], truth: npt.NDArray[Any]) -> Overlap:
    """Count how a predicted mask agrees with the truth, reading one slab at a time.

    Parameters
    ----------
    prediction, truth : numpy.ndarray
        (d, h, w) of one shape (any number of axes will do): bool, or whole numbers of any type from
        0 (background) to 65535. May be memory maps.

    Returns
    -------
    Overlap
        Counts of the foreground and of each label.

    Raises
    ------
    InputError
        When the shapes differ, or values are not whole numbers from 0 to 65535.
    """
    if prediction.shape != truth.shape or prediction.ndim == 0:
        raise InputError(
            f"scores: prediction and truth of one shape were wanted, got {prediction.shape} and "
            f"{truth.shape}."
        )
    both = np.zeros(_MAX_LABEL + 1, dtype=np.int64)
    predicted, true = np.zeros_like(both), np.zeros_like(both)
    foreground = Confusion()
    for slab in _slabs(prediction):
        p, t = _as_labels(prediction[slab], "prediction"), _as_labels(truth[slab], "truth")
        predicted += np.bincount(p, minlength=len(both))
        true += np.bincount(t, minlength=len(both))
        both += np.bincount(p[p == t], minlength=len(both))
        foreground += _confusion(p > 0, t > 0)
    voxels = prediction.size
    present = np.flatnonzero(predicted + true)
    labels = {
        label: _from_counts(int(both[label]), int(predicted[label]), int(true[label]), voxels)
        for label in present.tolist()
        if label > 0
    }
    return Overlap(foreground=foreground, labels=labels)


def iou(prediction: npt.NDArray[Any], truth: npt.NDArray[Any]) -> float:
    """Return the intersection over union of the foreground.

    Parameters
    ----------
    prediction, truth : numpy.ndarray
        (d, h, w) of one shape; every value but 0 is foreground.

    Returns
    -------
    float
        In [0, 1]; 1 when both are empty, 0 when one is.

    Raises
    ------
    InputError
        When the shapes differ, or values are not whole numbers from 0 to 65535.
    """
    return overlap(prediction, truth).foreground.iou


def dice(prediction: npt.NDArray[Any], truth: npt.NDArray[Any]) -> float:
    """Return the Dice coefficient of the foreground.

    Parameters
    ----------
    prediction, truth : numpy.ndarray
        (d, h, w) of one shape; every value but 0 is foreground.

    Returns
    -------
    float
        In [0, 1]; 1 when both are empty, 0 when one is.

    Raises
    ------
    InputError
        When the shapes differ, or values are not whole numbers from 0 to 65535.
    """
    return overlap(prediction, truth).foreground.dice


def mean_overlap(confusions: Iterable[Confusion]) -> tuple[float, float]:
    """Return the unweighted means of IoU and Dice.

    Parameters
    ----------
    confusions : iterable of Confusion
        One for each pair or label, at least one.

    Returns
    -------
    iou, dice : float
        In [0, 1].

    Raises
    ------
    InputError
        When there is none.
    """
    found = list(confusions)
    if not found:
        raise InputError("scores: at least one pair was wanted for a mean, got none.")
    return (
        sum(c.iou for c in found) / len(found),
        sum(c.dice for c in found) / len(found),
    )


def _confusion(prediction: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> Confusion:
    both = int(np.count_nonzero(prediction & truth))
    return _from_counts(
        both, int(np.count_nonzero(prediction)), int(np.count_nonzero(truth)), truth.size
    )


def _from_counts(both: int, predicted: int, true: int, voxels: int) -> Confusion:
    return Confusion(
        true_positive=both,
        false_positive=predicted - both,
        false_negative=true - both,
        true_negative=voxels - predicted - true + both,
    )


def _as_labels(slab: npt.NDArray[Any], name: str) -> npt.NDArray[np.uint16]:
    """Return a slab as flat labels, or say what is wrong with its values."""
    flat = np.asarray(slab).reshape(-1)
    if flat.dtype.kind not in "biuf":
        raise InputError(f"scores: {name}: whole-numbered labels were wanted, got {flat.dtype}.")
    if flat.size and not (flat.min() >= 0 and flat.max() <= _MAX_LABEL):
        raise InputError(
            f"scores: {name}: labels from 0 to {_MAX_LABEL} were wanted, got values from "
            f"{flat.min()} to {flat.max()}."
        )
    labels = flat.astype(np.uint16)
    if flat.dtype.kind == "f" and not np.array_equal(labels, flat):
        raise InputError(
            f"scores: {name}: whole-numbered labels were wanted, got fractions. "
            "Threshold a probability map first."
        )
    return labels


def _slabs(volume: npt.NDArray[Any]) -> Iterator[slice]:
    """Cut the first axis so that a slab holds a few million voxels."""
    thickness = max(1, _SLAB_VOXELS // max(1, volume[:1].size))
    for start in range(0, len(volume), thickness):
        yield slice(start, start + thickness)

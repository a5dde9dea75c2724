"""Connected components of a mask of any size, labelled slab by slab and never as a whole.

Each slab of z-slices is labelled by itself; labels that touch across the face between two slabs are
then joined. What is kept is one number a label, so that memory is that of the mask and of a slab, where
labelling the whole volume at once takes four bytes a voxel and more.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["CONNECTIVITY", "Components", "slabs"]

CONNECTIVITY: Final[Literal[26]] = 26
"""Neighbours of a voxel: those that share a face, an edge or a corner with it."""

_SLAB_VOXELS = 1 << 22
_Ints = npt.NDArray[np.int64]


class Components:
    """The connected components of a mask, numbered from 1 for the largest on.

    Parameters
    ----------
    mask : numpy.ndarray
        (d, h, w); every value but 0 is foreground. It is read again by `labels`, so it is not to be
        changed meanwhile.

    Attributes
    ----------
    count : int
        Number of components.
    voxels : numpy.ndarray
        (count + 1,) voxels of each; 0 for the background. Those of equal size are in the order of their
        first voxel (z, then y, then x).
    """

    def __init__(self, mask: npt.NDArray[Any]) -> None:
        self._mask = mask
        self._offsets: list[int] = []
        sizes, firsts, pairs = self._surveyed()
        joined = _joined(len(sizes), pairs)
        self._numbers, self.voxels = _numbered(joined, sizes, firsts)
        self.count = len(self.voxels) - 1

    def labels(self) -> Iterator[tuple[slice, npt.NDArray[np.unsignedinteger[Any]]]]:
        """Yield each slab and its labels, (n, h, w) in the smallest type that holds all."""
        for slab, offset in zip(slabs(self._mask), self._offsets, strict=True):
            yield slab, self._numbers[_provisional(_labelled(self._mask[slab])[0], offset)]

    def _surveyed(self) -> tuple[_Ints, _Ints, _Ints]:
        """Return size and first voxel of each provisional label, and the pairs that touch."""
        sizes, firsts = [np.zeros(1, np.int64)], [np.zeros(1, np.int64)]
        pairs: list[_Ints] = []
        above: _Ints | None = None
        offset = 0
        for slab in slabs(self._mask):
            labels, count = _labelled(self._mask[slab])
            self._offsets.append(offset)
            flat = labels.reshape(-1)
            where = np.flatnonzero(flat)[::-1]
            first = np.zeros(count + 1, np.int64)
            first[flat[where]] = where  # of several voxels of a label the last written stays
            sizes.append(np.bincount(flat, minlength=count + 1)[1:])
            firsts.append(first[1:] + slab.start * labels[0].size)
            if above is not None:
                pairs += _touching(above, _provisional(labels[0], offset))
            above = _provisional(labels[-1], offset)
            offset += count
        touching = np.concatenate(pairs) if pairs else np.zeros((0, 2), np.int64)
        return np.concatenate(sizes), np.concatenate(firsts), touching


def slabs(volume: npt.NDArray[Any]) -> Iterator[slice]:
    """Cut the first axis so that a slab holds few million voxels."""
    thickness = max(1, _SLAB_VOXELS // max(1, volume[0].size))
    for start in range(0, len(volume), thickness):
        yield slice(start, min(start + thickness, len(volume)))


def _labelled(slab: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], int]:
    import cc3d

    foreground = slab if slab.dtype in (np.bool_, np.uint8) else slab != 0
    # cc3d underestimates how many labels fit a volume with an edge of 1, and then gives up.
    thin = [(0, int(edge == 1)) for edge in slab.shape]
    labels, count = cc3d.connected_components(
        np.ascontiguousarray(np.pad(foreground, thin) if 1 in slab.shape else foreground),
        connectivity=CONNECTIVITY,
        binary_image=True,
        return_N=True,
    )
    depth, height, width = slab.shape
    return labels[:depth, :height, :width], int(count)


def _provisional(labels: npt.NDArray[Any], offset: int) -> _Ints:
    """Return the labels of one slab as labels of the whole volume."""
    whole = labels.astype(np.int64)
    whole[whole > 0] += offset
    return whole


def _touching(above: _Ints, below: _Ints) -> list[_Ints]:
    """Return the different pairs of labels that meet between two slices, (n, 2) each."""
    height, width = above.shape
    found = []
    for dy, dx in product((-1, 0, 1), repeat=2):
        a = above[max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)]
        b = below[max(0, -dy) : height + min(0, -dy), max(0, -dx) : width + min(0, -dx)]
        both = (a > 0) & (b > 0)
        key = a[both] << 32 | b[both]
        key = np.unique(
            key[np.flatnonzero(np.diff(key, prepend=-1))]
        )  # first drop repeats in a row
        found.append(np.stack([key >> 32, key & 0xFFFFFFFF], axis=1))
    return found


def _joined(count: int, pairs: _Ints) -> _Ints:
    """Return for each of `count` provisional labels the group that it belongs to, 0 for label 0."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(pairs), np.bool_), (pairs[:, 0], pairs[:, 1])), (count, count))
    _, groups = connected_components(graph, directed=False)
    background = groups[0]  # alone in its group, as it touches nothing
    result: _Ints = np.where(groups == background, 0, np.where(groups == 0, background, groups))
    return result


def _numbered(
    groups: _Ints, sizes: _Ints, firsts: _Ints
) -> tuple[npt.NDArray[np.unsignedinteger[Any]], _Ints]:
    """Return the number of each provisional label, the largest component 1, and the sizes by number."""
    count = int(groups.max())
    voxels = np.zeros(count + 1, np.int64)
    np.add.at(voxels, groups, sizes)
    first = np.full(count + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, groups, firsts)
    order = np.lexsort((first[1:], -voxels[1:])) + 1
    number = np.zeros(count + 1, np.min_scalar_type(count))
    number[order] = np.arange(1, count + 1)
    voxels[0] = 0
    return number[groups], voxels[np.concatenate([[0], order])]

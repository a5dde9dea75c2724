"""A volume that is read from its file piece by piece."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["ChunkGuard", "ChunkedSource", "LazyArray"]

_CACHE_BYTES = 1 << 28


class ChunkedSource(Protocol):
    """An array on disk in chunks; a zarr array is one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Edge lengths."""

    @property
    def dtype(self) -> Any:
        """Type of a value."""

    @property
    def chunks(self) -> tuple[int, ...]:
        """Edge lengths of a chunk."""

    def __getitem__(self, key: Any) -> Any:
        """Read a part, which numpy can hold."""


class ChunkGuard(Protocol):
    """Looks at what a chunk is read from."""

    def reading(self, chunk: tuple[int, ...]) -> AbstractContextManager[None]:
        """Return what goes around the reading of a chunk, by its number along each axis.

        It raises where the chunk must not be read, or where what was read may not be what was there.
        """


class LazyArray:
    """An array (z, y, x) of which slicing reads no more than the chunks that it touches.

    It stands where a memory map could: it has a shape and a type, slicing gives a numpy array in
    memory, and ``numpy.asarray`` reads everything.

    Parameters
    ----------
    source : ChunkedSource
        The array on disk, with any number of axes.
    axes : tuple of int
        Which axis of `source` is z, y and x.
    fixed : dict of int
        For each other axis, the index at which it is taken.
    guard : ChunkGuard or None
        Goes around the decoding of a chunk.

    Notes
    -----
    Decoded chunks are kept for the next slice, up to one layer of chunks and at least 256 MiB, so
    that reading slice after slice decodes each chunk once.
    """

    def __init__(
        self,
        source: ChunkedSource,
        axes: tuple[int, int, int],
        fixed: dict[int, int] | None = None,
        *,
        guard: ChunkGuard | None = None,
    ) -> None:
        self._source = source
        self._axes = axes
        self._fixed = fixed or {}
        self._guard = guard
        z, y, x = axes
        self.shape: tuple[int, int, int] = (source.shape[z], source.shape[y], source.shape[x])
        self.dtype: np.dtype[Any] = np.dtype(source.dtype).newbyteorder("=")
        self.chunks: tuple[int, int, int] = (source.chunks[z], source.chunks[y], source.chunks[x])
        layer = self.chunks[0] * self.shape[1] * self.shape[2] * self.dtype.itemsize
        self._room = max(_CACHE_BYTES, layer)
        self._kept: OrderedDict[tuple[int, int, int], npt.NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    ndim = 3

    @property
    def size(self) -> int:
        """Number of voxels."""
        return self.shape[0] * self.shape[1] * self.shape[2]

    @property
    def nbytes(self) -> int:
        """Bytes that all voxels take in memory."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        return (self[z] for z in range(len(self)))

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        if copy is False:
            raise ValueError("an array that is read from a file cannot be had without a copy")
        whole = self._read([(0, n) for n in self.shape])
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        keys = list(key) if isinstance(key, tuple) else [key]
        at = next((i for i, k in enumerate(keys) if k is Ellipsis), None)
        if at is not None:
            keys[at : at + 1] = [slice(None)] * (4 - len(keys))
        keys += [slice(None)] * (3 - len(keys))
        if len(keys) != 3:
            raise IndexError(f"up to three indices were wanted, got {len(keys)}")
        if not all(isinstance(k, slice | int | np.integer) for k in keys):
            return self._fancy(keys)
        bounds, inner = zip(
            *(_bounds(k, n) for k, n in zip(keys, self.shape, strict=True)), strict=True
        )
        part: npt.NDArray[Any] = self._read(list(bounds))[tuple(inner)]
        return part

    def _fancy(self, keys: list[Any]) -> npt.NDArray[Any]:
        """Return what lists of indices choose, from the box around them."""
        bounds: list[tuple[int, int]] = []
        inner: list[Any] = []
        for key, n in zip(keys, self.shape, strict=True):
            part: Any
            if isinstance(key, slice | int | np.integer):
                bound, part = _bounds(key, n)
            else:
                array = np.asarray(key)
                array = np.flatnonzero(array) if array.dtype == bool else array
                array = np.where(array < 0, array + n, array)
                low, high = (int(array.min()), int(array.max()) + 1) if array.size else (0, 0)
                if low < 0 or high > n:
                    raise IndexError(f"indices within an axis of {n} were wanted")
                bound, part = (low, high), array - low
            bounds.append(bound)
            inner.append(part)
        chosen: npt.NDArray[Any] = self._read(bounds)[tuple(inner)]
        return chosen

    def _read(self, bounds: list[tuple[int, int]]) -> npt.NDArray[Any]:
        """Return a box as an array of its own."""
        out = np.empty([max(0, b - a) for a, b in bounds], self.dtype)
        if out.size == 0:
            return out
        numbers = [
            range(a // c, (b - 1) // c + 1) for (a, b), c in zip(bounds, self.chunks, strict=True)
        ]
        for number in itertools.product(*numbers):
            chunk = self._chunk(number)
            target, origin = [], []
            for (a, b), c, i, n in zip(bounds, self.chunks, number, chunk.shape, strict=True):
                low, high = max(a, i * c), min(b, i * c + n)
                target.append(slice(low - a, high - a))
                origin.append(slice(low - i * c, high - i * c))
            out[tuple(target)] = chunk[tuple(origin)]
        return out

    def _chunk(self, number: tuple[int, ...]) -> npt.NDArray[Any]:
        """Return a decoded chunk (z, y, x), from the kept ones where it is among them."""
        z, y, x = number
        with self._lock:
            kept = self._kept.get((z, y, x))
            if kept is not None:
                self._kept.move_to_end((z, y, x))
                return kept
        key: list[Any] = [self._fixed.get(axis, 0) for axis in range(len(self._source.shape))]
        whole = [k // c for k, c in zip(key, self._source.chunks, strict=True)]
        for axis, i, c in zip(self._axes, number, self.chunks, strict=True):
            key[axis] = slice(i * c, min((i + 1) * c, self._source.shape[axis]))
            whole[axis] = i
        left = sorted(self._axes)
        order = [left.index(axis) for axis in self._axes]
        guard = nullcontext() if self._guard is None else self._guard.reading(tuple(whole))
        with guard:
            chunk = np.asarray(self._source[tuple(key)], self.dtype).transpose(order)
        with self._lock:
            self._kept[(z, y, x)] = chunk
            while sum(c.nbytes for c in self._kept.values()) > self._room and len(self._kept) > 1:
                self._kept.popitem(last=False)
        return chunk


def _bounds(key: slice | int | np.integer[Any], n: int) -> tuple[tuple[int, int], slice | int]:
    """Return the range of an axis that a key touches, and the key within that range."""
    if not isinstance(key, slice):
        index = int(key) + (n if key < 0 else 0)
        if not 0 <= index < n:
            raise IndexError(f"index {key} is out of bounds for an axis of {n}")
        return (index, index + 1), 0
    chosen = range(*key.indices(n))
    if not chosen:
        return (0, 0), slice(0)
    low, high = min(chosen[0], chosen[-1]), max(chosen[0], chosen[-1])
    step = chosen.step
    inner = slice(chosen[0] - low, None, step) if step > 0 else slice(None, None, step)
    return (low, high + 1), inner

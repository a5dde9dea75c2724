from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.data.boxes import cut_box
from napari_voxuda.data.lazy import LazyArray
from napari_voxuda.data.normalise import volume_statistics
from napari_voxuda.data.volume import Volume


class Source:
    """An array in chunks that counts what is read of it."""

    def __init__(self, array, chunks):
        self.array, self.chunks, self.reads = array, chunks, []

    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: self.array.dtype)

    def __getitem__(self, key):
        self.reads.append(key)
        return self.array[key]


@pytest.fixture
def plain():
    return np.random.default_rng(0).integers(0, 1000, (7, 10, 5)).astype(">i2")


@pytest.fixture
def lazy(plain):
    return LazyArray(Source(plain, (3, 4, 5)), (0, 1, 2))


KEYS = [
    0,
    -1,
    slice(None),
    slice(2, 6),
    slice(6, 1, -2),
    slice(5, 5),
    (slice(1, 3), 4),
    (0, slice(None, None, 3), -2),
    (..., 2),
    (slice(None), [0, 9, -3], slice(1, 4)),
    (np.int64(3), slice(None), slice(None)),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_slices_are_those_of_the_array(plain, lazy, key):
    found = lazy[key]
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, plain[key])


def test_values_come_in_the_machines_byte_order(lazy):
    assert lazy.dtype.isnative
    assert lazy[0].dtype.isnative
    assert np.asarray(lazy).dtype == np.int16


def test_it_stands_where_a_memory_map_could(plain, lazy):
    assert (lazy.shape, lazy.ndim, lazy.size, lazy.nbytes, len(lazy)) == (
        (7, 10, 5),
        3,
        350,
        700,
        7,
    )
    np.testing.assert_array_equal(np.array(lazy, dtype=np.float32), plain.astype(np.float32))
    for mine, wanted in zip(lazy, plain, strict=True):
        np.testing.assert_array_equal(mine, wanted)
    assert volume_statistics(lazy) == volume_statistics(plain)
    np.testing.assert_array_equal(cut_box(lazy, (-2, 7, 1), 6), cut_box(plain, (-2, 7, 1), 6))
    assert Volume(data=lazy).shape == (7, 10, 5)


def test_other_axes_are_fixed_and_the_order_is_turned(plain):
    stacked = np.stack([plain.transpose(2, 0, 1), plain.transpose(2, 0, 1) + 1])  # c, x, z, y
    turned = LazyArray(Source(stacked, (1, 2, 3, 4)), (2, 3, 1), {0: 1})
    np.testing.assert_array_equal(np.asarray(turned), plain + 1)
    np.testing.assert_array_equal(turned[2:4, 3, 1:], (plain + 1)[2:4, 3, 1:])


def test_only_the_chunks_in_question_are_read_and_each_once(plain, lazy):
    source = lazy._source
    lazy[0, 0]
    assert len(source.reads) == 1
    for z in range(3):
        lazy[z]
    assert len(source.reads) == 3  # three chunks along y, the first of which was at hand


def test_memory_for_kept_chunks_is_bounded(plain, monkeypatch):
    monkeypatch.setattr("napari_voxuda.data.lazy._CACHE_BYTES", 0)
    lazy = LazyArray(Source(plain, (3, 4, 5)), (0, 1, 2))
    np.testing.assert_array_equal(np.asarray(lazy), plain)
    assert sum(chunk.nbytes for chunk in lazy._kept.values()) <= 3 * 10 * 5 * 2


@pytest.mark.parametrize("key", [7, -8, (0, 10), (0, 0, 0, 0), (slice(None), [10], 0)], ids=str)
def test_what_is_outside_is_refused(lazy, key):
    with pytest.raises(IndexError):
        lazy[key]

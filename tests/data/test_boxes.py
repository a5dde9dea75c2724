from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_voxuda.data.boxes import box_start, cut_box
from napari_voxuda.errors import InputError

VOLUME = np.random.default_rng(0).random((7, 9, 5)).astype(np.float32)


@settings(max_examples=200, deadline=None)
@given(
    start=st.tuples(*[st.integers(-20, 20)] * 3),
    box=st.tuples(*[st.integers(1, 12)] * 3),
    shape=st.tuples(*[st.integers(2, 6)] * 3),
)
def test_any_box_is_that_of_the_reflected_volume(start, box, shape):
    data = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    padded = np.pad(data, 40, mode="reflect")
    window = tuple(slice(s + 40, s + 40 + b) for s, b in zip(start, box, strict=True))
    np.testing.assert_array_equal(cut_box(data, start, box), padded[window])


def test_an_inner_box_is_a_plain_copy():
    box = cut_box(VOLUME, (1, 2, 0), 4)
    np.testing.assert_array_equal(box, VOLUME[1:5, 2:6, 0:4])
    assert box.flags.c_contiguous
    assert box.flags.writeable
    assert not np.shares_memory(box, VOLUME)
    assert box.dtype == VOLUME.dtype


def test_thin_axes_go_on_for_ever():
    two = np.array([[[3.0]], [[4.0]]])
    np.testing.assert_array_equal(cut_box(two, (-3, -1, 5), (6, 1, 1)).ravel(), [4, 3, 4, 3, 4, 3])
    one = np.full((1, 4, 4), 7.0)
    np.testing.assert_array_equal(cut_box(one, (-2, 0, 0), 4), np.full((4, 4, 4), 7.0))


def test_of_a_memory_map_the_box_is_read_alone(tmp_path):
    np.save(tmp_path / "v.npy", VOLUME)
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
    box = cut_box(mapped, (-2, 3, 1), 5)
    assert type(box) is np.ndarray
    assert box.flags.writeable
    box[:] = 0
    np.testing.assert_array_equal(mapped, VOLUME)


@pytest.mark.parametrize("box", [0, -1, (1, 1, 0), (1, 1)])
def test_impossible_boxes(box):
    with pytest.raises(InputError, match="box: three edges of at least 1 voxel"):
        cut_box(VOLUME, (0, 0, 0), box)
    with pytest.raises(InputError, match="in an array of shape"):
        cut_box(VOLUME[0], (0, 0, 0), 2)


@pytest.mark.parametrize(
    ("position", "box", "start"),
    [
        ((16, 16, 16), 32, (0, 0, 0)),
        ((16.4, 15.6, 16.5), 32, (0, 0, 1)),
        ((0, 0, 0), 3, (-1, -1, -1)),
        ((0, 0, 0), 4, (-2, -2, -2)),
    ],
)
def test_the_centre_of_a_box_is_the_nearest_voxel(position, box, start):
    assert box_start(position, box) == start
    data = np.zeros((40, 40, 40))
    nearest = tuple(int(np.floor(p + 0.5)) for p in position)
    data[nearest] = 1
    assert cut_box(data, start, box)[(box // 2,) * 3] == 1

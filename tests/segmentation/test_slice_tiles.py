from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.errors import InputError
from napari_voxuda.segmentation.slice_tiles import plan_slice, tiles_bounds


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("index", [0, 7, 19])
def test_the_tiles_keep_each_visible_voxel_once(axis: int, index: int) -> None:
    shape = (100, 190, 170)
    start, stop = [3, 30, 60], [97, 120, 170]
    start[axis], stop[axis] = index, index + 1
    count = np.zeros(shape, dtype=int)
    for tile in plan_slice(shape, axis, tuple(start), tuple(stop)):
        count[tile.kept] += 1
        assert all(edge % 8 == 0 for edge in (*tile.start, *tile.shape))
        for along in range(3):
            before = tile.kept_start[along] - tile.start[along]
            after = tile.start[along] + tile.shape[along] - tile.kept_stop[along]
            assert min(before, after) >= (4 if along == axis else 8), (
                "each kept voxel has its neighbourhood"
            )
        inside = [part.stop - part.start for part in tile.kept_inside]
        assert count[tile.kept].shape == tuple(inside)
    assert count.max() == 1
    assert count[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))].min() == 1
    assert count.any(axis=tuple({0, 1, 2} - {axis})).nonzero()[0].tolist() == [index]


def test_the_middle_comes_first_and_is_all_of_a_large_view() -> None:
    tiles = plan_slice((64, 1000, 1200), 0, (5, 0, 0), (6, 1000, 1200), longest=240)
    first, last = tiles_bounds(tiles)
    assert first[1] <= 500 - 120
    assert last[1] >= 500 + 120
    assert last[1] - first[1] <= 400
    assert last[2] - first[2] <= 400
    centre = tiles[0]
    assert centre.kept_start[1] <= 500 <= centre.kept_stop[1]
    assert centre.kept_start[2] <= 600 <= centre.kept_stop[2]


def test_views_of_one_slice_share_tiles() -> None:
    shape = (64, 400, 400)
    here = plan_slice(shape, 0, (5, 0, 0), (6, 200, 200))
    there = plan_slice(shape, 0, (5, 90, 90), (6, 300, 300))
    assert set(here) & set(there)


@pytest.mark.parametrize(
    ("start", "stop"),
    [((5, 0, 0), (7, 10, 10)), ((5, 0, 0), (6, 0, 10)), ((64, 0, 0), (65, 9, 9))],
)
def test_a_view_is_one_slice_inside_of_the_volume(start, stop) -> None:
    with pytest.raises(InputError, match="one slice inside"):
        plan_slice((64, 400, 400), 0, start, stop)

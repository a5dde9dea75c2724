from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from napari_voxuda.errors import InputError
from napari_voxuda.segmentation.tiling import Tiling, plan_tiles, reflected_indices

shapes = st.tuples(*[st.integers(1, 140)] * 3)
cores = st.integers(1, 64)
halos = st.integers(0, 24)


@given(shapes, cores, halos)
@example((1, 1, 1), 48, 8)
@example((7, 33, 100), 16, 8)
@example((128, 384, 384), 48, 8)
def test_kept_parts_cover_each_voxel_exactly_once(
    shape: tuple[int, int, int], core: int, halo: int
) -> None:
    tiling = plan_tiles(shape, core=core, halo=halo)
    covered = [np.zeros(n, dtype=int) for n in shape]
    for axis, count in zip(tiling.axes, covered, strict=True):
        for i in range(axis.count):
            count[slice(*axis.kept(i))] += 1
    assert all((count == 1).all() for count in covered)


def test_tiles_are_the_product_of_their_axes_in_raster_order() -> None:
    tiling = plan_tiles((20, 70, 70), core=16, halo=8)
    covered = np.zeros(tiling.shape, dtype=int)
    starts = []
    for tile in tiling:
        covered[tile.kept] += 1
        starts.append(tile.start)
    assert (covered == 1).all()
    assert starts == sorted(starts)
    assert len(starts) == len(tiling) == 1 * 4 * 4


@given(shapes, cores, halos)
def test_every_kept_voxel_has_its_halo_or_the_border_of_the_volume(
    shape: tuple[int, int, int], core: int, halo: int
) -> None:
    for axis in plan_tiles(shape, core=core, halo=halo).axes:
        for i in range(axis.count):
            first, last = axis.kept(i)
            start = axis.starts[i]
            assert start <= first < last <= min(start + axis.size, axis.length)
            assert start == 0 or first - start >= halo
            assert start + axis.size >= axis.length or start + axis.size - last >= halo


@given(shapes, cores, halos, st.sampled_from([1, 4, 8, 16]))
def test_sizes_and_starts_are_multiples_and_tiles_bounded(
    shape: tuple[int, int, int], core: int, halo: int, multiple: int
) -> None:
    largest = _up(core, multiple) + 2 * _up(halo, multiple)
    for axis in plan_tiles(shape, core=core, halo=halo, multiple=multiple).axes:
        assert axis.size % multiple == 0
        assert all(axis.starts[i] % multiple == 0 for i in range(axis.count))
        assert axis.size <= largest


@given(shapes, cores, halos)
def test_less_than_one_multiple_lies_beyond_the_volume(
    shape: tuple[int, int, int], core: int, halo: int
) -> None:
    for axis in plan_tiles(shape, core=core, halo=halo).axes:
        assert list(axis.starts) == sorted(set(axis.starts))
        assert 0 <= axis.end - axis.length < 8


@pytest.mark.parametrize(
    ("length", "core", "halo", "count", "size", "kept"),
    [
        (32, 48, 8, 1, 32, [(0, 32)]),
        (1, 48, 8, 1, 8, [(0, 1)]),
        (33, 48, 8, 1, 40, [(0, 33)]),
        (64, 48, 8, 1, 64, [(0, 64)]),
        (65, 48, 8, 2, 48, [(0, 32), (32, 65)]),
        (96, 48, 8, 2, 56, [(0, 48), (48, 96)]),
        (100, 16, 0, 7, 16, [(0, 16), (16, 32), (32, 48), (48, 64), (64, 80), (80, 88), (88, 100)]),
    ],
)
def test_known_plans(
    length: int, core: int, halo: int, count: int, size: int, kept: list[tuple[int, int]]
) -> None:
    axis = plan_tiles((length, 1, 1), core=core, halo=halo).axes[0]
    assert (axis.count, axis.size) == (count, size)
    assert [axis.kept(i) for i in range(axis.count)] == kept


def test_a_box_of_training_size_is_one_tile_without_padding() -> None:
    tiling = plan_tiles((32, 32, 32), core=48, halo=8)
    assert tiling.tile_shape == (32, 32, 32)
    assert len(tiling) == 1


@given(st.integers(1, 40), st.integers(0, 90))
def test_reflected_indices_are_numpys_reflection(length: int, after: int) -> None:
    padded = np.pad(np.arange(length), (0, after), mode="reflect")
    np.testing.assert_array_equal(reflected_indices(0, length + after, length), padded)


@given(st.integers(1, 40), st.integers(-30, 60), st.integers(1, 50))
def test_reflected_indices_span_no_more_than_a_tile(length: int, start: int, size: int) -> None:
    index = reflected_indices(start, size, length)
    assert index.min() >= 0
    assert index.max() < length
    assert np.ptp(index) < size


@pytest.mark.parametrize(
    ("shape", "core", "halo", "message"),
    [
        ((0, 4, 4), 8, 8, r"at least 1 voxel were wanted, got \(0, 4, 4\)"),
        ((4, 4), 8, 8, r"three axes .* got \(4, 4\)"),
        ((4, 4, 4), 0, 8, "core >= 1.* got 0, 8 and 8"),
        ((4, 4, 4), 8, -1, "halo >= 0.* got 8, -1 and 8"),
    ],
)
def test_refused_plans(shape: tuple[int, int, int], core: int, halo: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        plan_tiles(shape, core=core, halo=halo)


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def test_shape_is_that_of_the_volume() -> None:
    tiling: Tiling = plan_tiles((7, 33, 100), core=16, halo=8)
    assert tiling.shape == (7, 33, 100)
    assert tiling.tile_shape == (8, 32, 32)

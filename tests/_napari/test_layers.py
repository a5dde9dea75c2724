from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image

from napari_voxuda._napari.layers import (
    Placement,
    contrast_limits,
    layer_grid,
    layer_volume,
    volume_keywords,
)
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError

_DATA = np.arange(60, dtype=np.float32).reshape(3, 4, 5)


def _layer(**changes):
    return Image(_DATA, **changes)


def test_a_volume_becomes_a_layer_in_angstrom():
    grid = Grid(
        voxel_size_angstrom=(2.0, 3.0, 4.0), origin_angstrom=(10.0, 20.0, 30.0), nstart=(1, 2, 3)
    )
    layer = _layer(**volume_keywords(Volume(data=_DATA, grid=grid, name="tomo")))
    assert layer.name == "tomo"
    np.testing.assert_array_equal(layer.scale, (2.0, 3.0, 4.0))
    np.testing.assert_array_equal(layer.translate, (10.0, 20.0, 30.0))
    assert [str(u) for u in layer.units] == ["angstrom"] * 3
    assert layer.axis_labels == ("z", "y", "x")
    assert layer_grid(layer) == grid
    assert layer_volume(layer).grid == grid
    assert layer_volume(layer).data is _DATA


def test_an_unknown_voxel_size_stays_unknown():
    grid = Grid(origin_angstrom=(10.0, 20.0, 30.0), nstart=(1, 2, 3))
    layer = _layer(**volume_keywords(Volume(data=_DATA, grid=grid)))
    np.testing.assert_array_equal(layer.scale, (1, 1, 1))
    np.testing.assert_array_equal(layer.translate, (0, 0, 0))
    assert layer_grid(layer) == grid


def test_a_scale_changed_by_the_user_wins_and_the_origin_is_kept():
    grid = Grid(
        voxel_size_angstrom=(2.0,) * 3, origin_angstrom=(10.0, 20.0, 30.0), nstart=(1, 2, 3)
    )
    layer = _layer(**volume_keywords(Volume(data=_DATA, grid=grid)))
    layer.scale = (5.0, 5.0, 5.0)
    changed = layer_grid(layer)
    assert changed.voxel_size_angstrom == (5.0, 5.0, 5.0)
    assert (changed.origin_angstrom, changed.nstart) == (grid.origin_angstrom, grid.nstart)


@pytest.mark.parametrize(
    ("units", "size"), [("nm", 20.0), ("angstrom", 2.0), ("um", 20_000.0), ("pixel", None)]
)
def test_other_units_become_angstrom(units, size):
    layer = _layer(scale=(2.0,) * 3, units=(units,) * 3, translate=(1.0, 2.0, 3.0))
    volume = layer_volume(layer)
    if size is None:
        assert volume.grid.voxel_size_angstrom is None
    else:
        assert volume.grid.voxel_size_angstrom == pytest.approx((size,) * 3)
        assert volume.grid.origin_angstrom == pytest.approx((size / 2, size, size * 1.5))


def test_a_derived_layer_lies_where_its_source_lies():
    grid = Grid(voxel_size_angstrom=(2.0,) * 3, origin_angstrom=(10.0, 20.0, 30.0))
    source = _layer(**volume_keywords(Volume(data=_DATA, grid=grid)))
    derived = _layer(**Placement.of(source).layer_keywords())
    np.testing.assert_array_equal(derived.extent.world, source.extent.world)
    assert (derived.units, derived.axis_labels) == (source.units, source.axis_labels)
    assert layer_grid(derived) == grid


def test_a_piece_lies_at_its_voxels():
    source = _layer(scale=(2.0, 3.0, 4.0), translate=(10.0, 20.0, 30.0), units=("nm",) * 3)
    piece = Image(_DATA[1:2, 2:4, 3:5], **Placement.of(source).layer_keywords((1, 2, 3)))
    np.testing.assert_array_equal(piece.data_to_world((0, 0, 0)), source.data_to_world((1, 2, 3)))


def test_a_piece_of_a_rotated_layer_is_refused():
    source = _layer(rotate=10)
    with pytest.raises(InputError, match="rotation"):
        Placement.of(source).layer_keywords((1, 0, 0))


def test_a_colour_image_is_no_volume():
    layer = Image(np.zeros((3, 4, 5, 3), np.uint8), rgb=True)
    with pytest.raises(InputError, match="colour"):
        layer_volume(layer)


def test_contrast_limits_ignore_outliers_and_read_little():
    class Counting(np.ndarray):
        read = 0

        def __getitem__(self, index):
            value = np.asarray(super().__getitem__(index))
            Counting.read += value.size
            return value

    values = np.random.default_rng(0).normal(size=(100, 400, 400)).astype(np.float32)
    values[50] = 1e6
    low, high = contrast_limits(values.view(Counting))
    assert Counting.read <= 15 * 200 * 200
    assert -4 < low < -2
    assert high < 1e6 or high == 1e6  # one slice of 15 may be the bad one
    low, high = contrast_limits(values[:40])
    assert -4 < low < -2 < 2 < high < 4


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_contrast_limits_of_a_constant_rise(value):
    low, high = contrast_limits(np.full((3, 4, 5), value, np.float32))
    assert low < high

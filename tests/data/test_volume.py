from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError

GRID = Grid(
    voxel_size_angstrom=(10.0, 11.0, 12.0),
    origin_angstrom=(1.0, 2.0, 3.0),
    nstart=(7, 8, 9),
    cell_angstrom=(30.0, 44.0, 60.0),
    sampling=(3, 4, 5),
)


def test_position_holds_the_origin_and_not_the_start():
    assert GRID.position_angstrom((0.0, 0.0, 0.0)) == (1.0, 2.0, 3.0)
    assert GRID.position_angstrom((1.0, 2.5, -1.0)) == (11.0, 29.5, -9.0)
    assert Grid(origin_angstrom=(1.0, 2.0, 3.0)).position_angstrom((0.0, 0.0, 0.0)) is None


@pytest.mark.parametrize(
    ("given", "expected"), [(7, (7.0,) * 3), (7.84, (7.84,) * 3), ((1, 2, 3), (1, 2, 3))]
)
def test_voxel_size_set_by_the_user_replaces_the_header(given, expected):
    grid = GRID.with_voxel_size(given)
    assert grid.voxel_size_angstrom == expected
    assert (grid.cell_angstrom, grid.sampling) == (None, None)
    assert (grid.origin_angstrom, grid.nstart) == (GRID.origin_angstrom, GRID.nstart)


@pytest.mark.parametrize("size", [0, -1.0, float("nan"), float("inf"), (1.0, 1.0, 0.0)])
def test_impossible_voxel_sizes_are_refused(size):
    with pytest.raises(InputError, match="voxel size: positive Å values were wanted, got"):
        GRID.with_voxel_size(size)
    triple = size if isinstance(size, tuple) else (size,) * 3
    with pytest.raises(InputError, match="voxel size"):
        Grid(voxel_size_angstrom=triple)


def test_origin_must_be_finite():
    with pytest.raises(InputError, match="origin: finite Å values"):
        Grid(origin_angstrom=(0.0, float("nan"), 0.0))


@pytest.mark.parametrize("shape", [(), (3,), (3, 3), (1, 2, 3, 4), (0, 3, 3), (3, 3, 0)])
def test_a_volume_has_three_axes_and_some_voxels(shape):
    with pytest.raises(
        InputError, match=r"tomo: a volume \(z, y, x\) was wanted, got an array of shape"
    ):
        Volume(data=np.zeros(shape), name="tomo")


def test_derived_volume_lies_on_the_same_grid():
    volume = Volume(data=np.zeros((3, 4, 5)), grid=GRID, name="a", warnings=("doubt.",))
    mask = volume.with_data(np.ones((3, 4, 5), np.uint8), name="a_mask")
    assert mask.grid is GRID
    assert (mask.name, mask.path, mask.warnings) == ("a_mask", None, ())
    assert volume.with_data(volume.data).name == "a"
    with pytest.raises(InputError, match=r"data of shape \(3, 4, 5\) was wanted, got \(5, 4, 3\)"):
        volume.with_data(np.zeros((5, 4, 3)))

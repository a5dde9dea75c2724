from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.data.masks import as_mask
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError


def mask(values, dtype):
    return as_mask(Volume(data=np.array(values, dtype).reshape(1, 1, -1), name="m"))


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([0, 1], "i1", [0, 1]),
        ([0, 1], "?", [0, 1]),
        ([0.0, 1.0], "f4", [0, 1]),
        ([-128, -127], "i1", [0, 1]),
        ([-128, -128], "i1", [0, 0]),
        ([-127, -127], "i1", [1, 1]),
        ([-128, -120, -127], "f4", [0, 8, 1]),
        ([-128, 127], "i1", [0, 1]),
        ([-128, 127, 0], "i1", [0, 255, 128]),
        ([0, -1], "i1", [0, 1]),
        ([-1, -1], "i2", [1, 1]),
        ([0, 255], "u1", [0, 1]),
        ([255, 255], "f4", [1, 1]),
        ([0, 255, 7], "u1", [0, 255, 7]),
        ([0, 0], "f8", [0, 0]),
        ([1, 2, 70], "i2", [1, 2, 70]),
        ([0, 300], "i4", [0, 300]),
        ([0, 70_000], "u4", [0, 70_000]),
        ([0, (1 << 32) - 1], "u8", [0, (1 << 32) - 1]),
    ],
)
def test_masks_from_other_programs(values, dtype, expected):
    got = mask(values, dtype)
    assert got.data.ravel().tolist() == expected
    assert got.data.dtype == np.min_scalar_type(max(*expected, 1))


@pytest.mark.parametrize(
    ("values", "dtype", "words"),
    [
        ([0, 0.5], "f4", "whole numbers was wanted, got fractions or NaN; .* Threshold it first"),
        ([0, np.nan], "f4", "got fractions or NaN"),
        ([0, np.inf], "f8", "got fractions or NaN"),
        ([-2, 0], "i2", "values of at least 0 was wanted, got -2 to 0"),
        ([-128, *range(-100, 100)], "i1", "values of at least 0 was wanted, got -128 to 99"),
        ([-1, 1], "i1", "values of at least 0 was wanted, got -1 to 1"),
        ([0, 1 << 32], "i8", r"labels below 2\^32 were wanted, got 4294967296"),
        ([0j, 1j], "c8", "a mask of whole numbers was wanted, got complex64"),
    ],
)
def test_what_is_no_mask(values, dtype, words):
    with pytest.raises(InputError, match=f"m: .*{words}"):
        mask(values, dtype)


def test_grid_name_and_warnings_are_kept_and_the_source_unchanged():
    data = np.full((2, 2, 2), -127, np.int8)
    volume = Volume(data=data, grid=Grid(nstart=(1, 2, 3)), name="m", warnings=("w.",))
    got = as_mask(volume)
    assert (got.grid, got.name, got.warnings) == (volume.grid, "m", ("w.",))
    assert (data == -127).all()


def test_real_masks(shared_data):
    from napari_voxuda.io.mrc import read_mrc

    mask = as_mask(read_mrc(shared_data / "tomograms" / "scene_mask.mrc"))
    instances = as_mask(read_mrc(shared_data / "tomograms" / "scene_instances.mrc"))
    assert mask.data.dtype == instances.data.dtype == np.uint8
    assert mask.data.max() == 1
    assert instances.data.max() == 70
    np.testing.assert_array_equal(instances.data > 0, mask.data > 0)

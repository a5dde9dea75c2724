from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from napari_voxuda.app.compare import comparison as module
from napari_voxuda.app.compare.comparison import (
    AGREEMENT,
    COMPARISON_COLORS,
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    check_same_grid,
    compare_masks,
)
from napari_voxuda.app.mask.layers import MARK_COLORS
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError

GRID = Grid(voxel_size_angstrom=(10.0,) * 3, origin_angstrom=(100.0, 200.0, 300.0))


def _volume(data, name="mask", **grid):
    return Volume(data=data, grid=replace(GRID, **grid), name=name)


@pytest.mark.parametrize("slab", [1, 1 << 22])
def test_each_voxel_is_counted_and_marked_once(slab, monkeypatch):
    monkeypatch.setattr(module, "_SLAB_VOXELS", slab)
    rng = np.random.default_rng(0)
    mask = rng.integers(0, 3, (4, 5, 6)).astype(np.int64) * 70_000  # instances of any number
    truth = rng.integers(0, 2, (4, 5, 6)).astype(np.uint8)
    found = compare_masks(_volume(mask), _volume(truth, "truth"))
    wanted = np.zeros(mask.shape, np.uint8)
    for voxel in np.ndindex(mask.shape):
        here, there = mask[voxel] != 0, truth[voxel] != 0
        wanted[voxel] = {
            (True, False): FALSE_POSITIVE,
            (False, True): FALSE_NEGATIVE,
            (True, True): AGREEMENT,
            (False, False): 0,
        }[(bool(here), bool(there))]
    np.testing.assert_array_equal(found.errors, wanted)
    counts = found.counts
    assert counts.false_positive == (wanted == FALSE_POSITIVE).sum()
    assert counts.false_negative == (wanted == FALSE_NEGATIVE).sum()
    assert counts.true_positive == (wanted == AGREEMENT).sum()
    assert (found.mask, found.reference, found.note) == ("mask", "truth", "")


@pytest.mark.parametrize(
    ("shape", "grid", "words"),
    [
        ((2, 3, 5), {}, "labels of 2 x 3 x 4 voxels .* got 2 x 3 x 5"),
        ((2, 3, 4), {"voxel_size_angstrom": (5.0,) * 3}, "voxels of 10 Å .* got 5 Å"),
        ((2, 3, 4), {"origin_angstrom": (100.0, 240.0, 300.0)}, "0 x 4 x 0 voxels"),
    ],
)
def test_labels_on_another_grid_are_refused(shape, grid, words):
    with pytest.raises(InputError, match=words):
        compare_masks(
            _volume(np.zeros((2, 3, 4), np.uint8)), _volume(np.zeros(shape, np.uint8), **grid)
        )


def test_an_origin_that_was_not_kept_is_told_and_one_that_is_nearly_the_same_is_not():
    mask = _volume(np.zeros((2, 3, 4), np.uint8))
    lost = replace(GRID, origin_angstrom=(0.0, 0.0, 0.0))
    assert "no origin" in check_same_grid(mask, replace(mask, grid=lost))
    near = replace(GRID, origin_angstrom=(103.0, 200.0, 300.0))
    assert check_same_grid(mask, replace(mask, grid=near)) == ""
    assert check_same_grid(mask, replace(mask, grid=Grid())) == ""


def _seen_by(matrix, color):
    """Return a colour in linear light as the colour-blind see it (Machado et al., 2009)."""
    srgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return np.clip(np.array(matrix) @ linear, 0, 1) ** (1 / 2.2)


@pytest.mark.parametrize(
    "matrix",
    [
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
    ],
    ids=["all", "protanopia", "deuteranopia", "tritanopia"],
)
def test_the_colour_blind_tell_the_colours_apart(matrix):
    seen = [_seen_by(matrix, c) for c in (*COMPARISON_COLORS.values(), *MARK_COLORS.values())]
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(one - other) > 0.2

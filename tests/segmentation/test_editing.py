from __future__ import annotations

import cc3d
import numpy as np
import pytest

from napari_voxuda.errors import InputError
from napari_voxuda.segmentation.editing import cut_between, split_particle

_GRID = np.indices((20, 20, 40))


def _ball(centre, radius):
    return sum((g - c) ** 2 for g, c in zip(_GRID, centre, strict=True)) < radius**2


def test_a_dumbbell_is_split_at_its_neck():
    large, small = _ball((10, 10, 12), 7), _ball((10, 10, 24), 6)
    parts = split_particle(large | small)
    assert (parts[large & ~small] == 1).all()
    assert (parts[small & ~large] == 2).all()
    assert not parts[~(large | small)].any()


def test_a_bent_chain_is_split_along_itself():
    first, middle, last = _ball((10, 5, 6), 5), _ball((10, 8, 13), 3), _ball((10, 14, 17), 4)
    parts = split_particle(first | middle | last)
    assert set(np.unique(parts[first & ~middle])) == {1}
    assert (parts[last & ~middle] == 2).all()


def test_a_ball_is_halved():
    parts = split_particle(_ball((10, 10, 20), 6))
    one, two = (np.count_nonzero(parts == n) for n in (1, 2))
    assert abs(one - two) <= 1


def test_pieces_are_parted_as_they_are():
    large, small = _ball((10, 10, 8), 5), _ball((10, 10, 30), 3)
    parts = split_particle(large | small)
    np.testing.assert_array_equal(parts == 1, large)
    np.testing.assert_array_equal(parts == 2, small)


def test_two_voxels_are_two_parts_and_one_is_refused():
    two = np.zeros((3, 3, 3), bool)
    two[1, 1, :2] = True
    assert sorted(split_particle(two)[two]) == [1, 2]
    two[1, 1, 0] = False
    with pytest.raises(InputError, match="two voxels"):
        split_particle(two)


def test_without_the_cut_there_are_two_components():
    parts = split_particle(_ball((10, 10, 12), 7) | _ball((10, 10, 24), 6))
    kept = (parts > 0) & ~cut_between(parts)
    assert cc3d.connected_components(kept.astype(np.uint8), connectivity=26).max() == 2
    assert not (cut_between(parts) & (parts != 2)).any()

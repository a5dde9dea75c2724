from __future__ import annotations

import numpy as np

from napari_voxuda.segmentation.instances import fill_holes, remove_small
from napari_voxuda.segmentation.mask import make_mask
from napari_voxuda.segmentation.rounding import rounded_mask


def test_pieces_are_rounded_then_filled_and_small_ones_removed_in_the_end() -> None:
    away = np.sqrt(sum((axis - 12.0) ** 2 for axis in np.ogrid[:25, :25, :60]))
    probability = np.where(away <= 7, 0.6, 0.2)
    probability[12, 12, 19:26] = 0.6  # a spike, which rounding takes away
    probability[12, 12, 12] = 0.05  # a hole that no rounding closes
    probability[3, 3, 50:53] = 0.9
    made = make_mask(probability, 0.5, roundness=1.0, max_hole_voxels=1, min_voxels=4)
    assert (made[12, 12, 12], made[12, 12, 24], made[3, 3, 51]) == (1, 0, 0)
    by_hand = fill_holes(rounded_mask(probability, 0.5, 1.0), 1)
    remove_small(by_hand, 4)
    np.testing.assert_array_equal(made, by_hand)
    plain = make_mask(probability, 0.5)
    np.testing.assert_array_equal(plain, probability >= 0.5)

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from scipy import ndimage

from napari_voxuda.app.mask.refinement import MaskChoice, refine_mask
from napari_voxuda.segmentation.rounding import rounded_mask
from napari_voxuda.segmentation.settings import SegmentSettings


def _probability():
    probability = np.zeros((4, 8, 8), np.float32)
    probability[1, 1:3, 1:3] = 0.6
    probability[2, 5:8, 5:8] = 0.9
    return probability


def test_the_threshold_decides_what_is_kept():
    low = refine_mask(_probability(), (10.0,) * 3, MaskChoice(threshold=0.5))
    high = refine_mask(_probability(), (10.0,) * 3, MaskChoice(threshold=0.8))
    assert (low.particles, high.particles) == (2, 1)
    assert low.labels.max() == 1
    assert low.labels.dtype == np.uint16
    assert low.foreground == 13 / 256
    assert high.words == "1 particle, 3.52 % of the volume"


def test_a_mask_that_cannot_be_right_says_what_to_do():
    nothing = refine_mask(_probability(), (10.0,) * 3, MaskChoice(threshold=1.0))
    assert "Lower the threshold" in nothing.words
    everything = refine_mask(np.ones((4, 4, 4), np.float32), (10.0,) * 3, MaskChoice(threshold=0.5))
    assert "raise the threshold" in everything.words


def test_small_pieces_are_removed_by_volume():
    choice = MaskChoice(threshold=0.5, min_size_angstrom3=5000.0)
    assert refine_mask(_probability(), (10.0,) * 3, choice).particles == 1


def test_without_a_voxel_size_the_smallest_size_counts_voxels():
    choice = MaskChoice(threshold=0.5, min_size_angstrom3=5)
    assert refine_mask(_probability(), None, choice).particles == 1


def test_numbered_particles_come_largest_first():
    mask = refine_mask(_probability(), None, MaskChoice(threshold=0.5, numbered=True))
    assert mask.labels[2, 6, 6] == 1
    assert mask.labels[1, 1, 1] == 2


def test_holes_are_filled_up_to_a_volume():
    probability = np.ones((5, 5, 5), np.float32)
    probability[2, 2, 2] = 0.0
    choices = [MaskChoice(threshold=0.5, max_hole_angstrom3=v) for v in (7.9, 8.0)]
    masks = [refine_mask(probability, (2.0, 2.0, 2.0), choice) for choice in choices]
    assert [int(m.labels[2, 2, 2]) for m in masks] == [0, 1]


def test_files_are_made_by_the_same_choice():
    choice = MaskChoice(
        threshold=0.4, min_size_angstrom3=5.0, max_hole_angstrom3=7.0, roundness=0.5, numbered=True
    )
    shared = {name: value for name, value in asdict(choice).items() if name != "numbered"}
    assert choice.for_files() == SegmentSettings(**shared)


def test_pieces_are_drawn_towards_balls():
    noise = np.random.default_rng(0).random((24, 24, 24))
    probability = ndimage.gaussian_filter(noise, 2.0).astype(np.float32)
    probability = (probability - probability.min()) / np.ptp(probability)
    found = refine_mask(probability, None, MaskChoice(threshold=0.7, roundness=0.5)).labels
    np.testing.assert_array_equal(found, rounded_mask(probability, 0.7, 0.5))
    assert (found != (probability >= 0.7)).any()


def test_marks_have_the_last_word():
    probability = np.zeros((5, 5, 5), np.float32)
    probability[0, 0, :3] = 1.0
    marks = np.zeros((5, 5, 5), np.uint8)
    marks[4, 4, 4], marks[0, 0, 0] = 1, 2
    choice = MaskChoice(threshold=0.5, min_size_angstrom3=3)
    labels = refine_mask(probability, None, choice, marks=marks).labels
    assert np.argwhere(labels).tolist() == [[0, 0, 1], [0, 0, 2], [4, 4, 4]]


def test_joined_components_share_the_smaller_number():
    probability = np.zeros((1, 1, 9), np.float32)
    probability[0, 0, [0, 1, 2, 4, 5, 7]] = 1.0
    choice = MaskChoice(threshold=0.5, numbered=True)
    joins = [((0, 0, 7), (0, 0, 4)), ((0, 0, 8), (0, 0, 0))]
    mask = refine_mask(probability, None, choice, joins=joins)
    assert mask.labels[0, 0].tolist() == [1, 1, 1, 0, 2, 2, 0, 2, 0]
    assert mask.particles == 2

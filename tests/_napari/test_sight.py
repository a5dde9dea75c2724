"""What of a layer is in sight, from its visible corners alone."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image

from napari_voxuda._napari.sight import is_in_sight, visible_bounds

SHAPE = (10, 40, 40)


@pytest.fixture
def layer():
    made = Image(np.zeros(SHAPE))
    made.corner_pixels = np.array([[4, 0, 10], [4, 19, 29]])
    return made


def test_the_sliced_axis_is_visible_as_a_whole(layer):
    assert visible_bounds(layer, SHAPE) == ([0, 0, 10], [10, 20, 30])


@pytest.mark.parametrize(
    ("position", "seen"),
    [
        ((9, 10, 20), True),
        ((9, 0, 20), True),  # at the layer's own edge
        ((9, 18, 20), False),  # more lies beyond the edge of the view
        ((9, 10, 11), False),
        ((9, 35, 20), False),
    ],
)
def test_positions_near_the_edge_of_the_view_are_not_in_sight(layer, position, seen):
    assert is_in_sight(layer, position) == seen

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from napari_voxuda.app.space.hand import ORIENTATIONS, hand_words, is_mirrored, preset_of

_WORDS = list(product(("towards", "away"), ("up", "down"), ("right", "left")))


@pytest.mark.parametrize("orientation", _WORDS)
@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("determinant", [2.0, -2.0])
def test_the_hand_is_the_sign_of_the_matrix_from_x_y_z_to_the_screen(
    orientation, order, determinant
):
    depth, vertical, horizontal = orientation
    screen = {  # of the axes displayed first, second and third: right, up, towards the viewer
        0: np.array([0, 0, 1 if depth == "towards" else -1]),
        1: np.array([0, 1 if vertical == "up" else -1, 0]),
        2: np.array([1 if horizontal == "right" else -1, 0, 0]),
    }
    shown = {axis: screen[place] for place, axis in enumerate(order)}  # z, y, x
    matrix = np.stack([shown[2], shown[1], shown[0]])
    expected = np.linalg.det(matrix) * determinant < 0
    assert is_mirrored(orientation, order, determinant) == expected


def test_the_presets_say_what_they_are():
    assert not is_mirrored(ORIENTATIONS["imod"])
    assert not is_mirrored(ORIENTATIONS["slices"])
    assert is_mirrored(ORIENTATIONS["mirrored"])
    assert not is_mirrored(None)  # napari before 0.6
    assert preset_of(("towards", "up", "right")) == "imod"
    assert preset_of(("away", "up", "right")) is None


def test_the_words_name_the_hand():
    assert "left-handed" in hand_words(True)
    assert "left-handed" not in hand_words(False)

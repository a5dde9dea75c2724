from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.app.refine.place_walk import PlaceWalk
from napari_voxuda.data.corrections import Corrections
from napari_voxuda.data.volume import Volume


class View:
    def show_place(self, words, *, can_walk):
        self.words, self.can_walk = words, can_walk


class Mask:
    def __init__(self) -> None:
        self.shown = []
        self.marks = np.zeros((20, 40, 40), np.uint8)

    def corrections(self):
        return Corrections.from_labels(self.marks)

    def go_to(self, position):
        self.shown.append(position)


@pytest.fixture
def parts(scene):
    view, mask = View(), Mask()
    return PlaceWalk(scene, view, mask), view, mask


@pytest.fixture
def uncertainty():
    values = np.zeros((20, 40, 40), np.float32)
    for centre, value in (((5, 10, 10), 0.9), ((10, 30, 30), 0.6), ((15, 10, 30), 0.3)):
        values[tuple(slice(c - 2, c + 3) for c in centre)] = value
    return Volume(data=values, name="tomo")


def test_corrected_places_are_left_out(parts, uncertainty, scene):
    walk, view, mask = parts
    walk.begin(uncertainty, None)
    assert view.words.startswith("Place 1")
    assert np.abs(np.array(mask.shown[0]) - (5, 10, 10)).max() <= 3
    mask.marks[10, 30, 30] = 2
    walk.next()
    assert np.abs(np.array(mask.shown[1]) - (15, 10, 30)).max() <= 3
    assert [v["position"] for v in scene.layers.values() if v["kind"] == "points"] == mask.shown[1:]
    walk.next()
    assert "left" in view.words
    walk.previous()
    assert mask.shown[-1] == mask.shown[0]


def test_places_of_an_older_model_are_dropped_with_their_layer(parts, uncertainty, scene):
    walk, view, mask = parts
    walk.forget()
    assert not view.can_walk
    walk.begin(uncertainty, None)
    walk.begin(uncertainty, None)
    assert [v["name"] for v in scene.layers.values()] == ["tomo uncertainty", "tomo place"]
    walk.forget()
    assert scene.layers == {}
    assert "changed" in view.words
    walk.next()
    assert len(mask.shown) == 2

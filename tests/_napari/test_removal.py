"""Removing an image: what is drawn next must not crash, for which the canvas is drawn before."""

from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda._napari.scene import ViewerScene


@pytest.fixture
def shown(make_napari_viewer, tomogram_file):
    viewer = make_napari_viewer(show=True)
    viewer.open(tomogram_file, plugin="napari-voxuda")
    return viewer


def test_an_image_of_another_slice_is_removed_and_one_more_is_drawn(shown, qtbot):
    scene = ViewerScene(shown)
    tomogram = shown.layers[0]
    placement = scene.placement(tomogram.unique_id)
    piece = np.ones((1, *tomogram.data.shape[1:]), np.float32)
    for _ in range(3):
        shown.dims.set_current_step(0, 9)
        key = scene.add_image(
            piece, placement, name="piece", offset=(9, 0, 0), limits=(0.0, 1.0), overlay=True
        )
        qtbot.wait(200)
        shown.dims.set_current_step(0, 2)
        qtbot.wait(200)
        scene.remove(key)
        qtbot.wait(100)
        assert [layer.name for layer in shown.layers] == [tomogram.name]


def test_the_canvas_is_drawn_before_a_changed_image_goes(shown, qtbot, monkeypatch):
    scene = ViewerScene(shown)
    tomogram = shown.layers[0]
    placement = scene.placement(tomogram.unique_id)
    piece = np.ones((1, *tomogram.data.shape[1:]), np.float32)
    shown.dims.set_current_step(0, 9)
    key = scene.add_image(
        piece, placement, name="piece", offset=(9, 0, 0), limits=(0.0, 1.0), overlay=True
    )
    qtbot.wait(200)
    scene.update_image(key, 2 * piece, placement, offset=(9, 0, 0))
    present = []
    draw = shown.screenshot

    def watched(*args, **keywords):
        present.append("piece" in shown.layers)
        return draw(*args, **keywords)

    monkeypatch.setattr(type(shown), "screenshot", lambda self, *a, **k: watched(*a, **k))
    scene.remove(key)
    assert present == [True]
    assert "piece" not in shown.layers
    qtbot.wait(100)

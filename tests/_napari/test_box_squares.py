from __future__ import annotations

import numpy as np

from napari_voxuda._napari.box_squares import box_squares
from napari_voxuda._napari.scene import ViewerScene


def test_a_box_is_a_square_in_each_of_its_slices() -> None:
    squares = box_squares([(2, 3, 4), (0, 0, 0)], 8)
    assert squares.shape == (16, 3)
    assert squares[:8, 0].tolist() == list(range(2, 10))
    # half a box around the middle are the outer faces of the outermost voxels
    np.testing.assert_array_equal(squares[0, 1:] - 4, (2.5, 3.5))
    np.testing.assert_array_equal(squares[0, 1:] + 4, (10.5, 11.5))


def test_boxes_lie_on_their_tomogram_and_leave_the_selection(make_napari_viewer) -> None:
    viewer = make_napari_viewer()
    image = viewer.add_image(
        np.zeros((20, 30, 30)),
        scale=(12.0,) * 3,
        translate=(5.0, 6.0, 7.0),
        units=("angstrom",) * 3,
    )
    scene = ViewerScene(viewer)
    offered = []
    scene.watch_layers(lambda: offered.extend(scene.choices("points")))
    key = scene.add_boxes([(1, 2, 3)], 8, scene.placement(image.unique_id), name="boxes")
    boxes = viewer.layers["boxes"]
    assert boxes.unique_id == key
    np.testing.assert_allclose(boxes.data_to_world((1, 2, 3)), image.data_to_world((1, 2, 3)))
    assert boxes.units == image.units
    assert set(boxes.size) == {8.0}
    assert viewer.layers.selection.active is image
    scene.remove(key)
    assert offered == []  # no picks
    assert list(viewer.layers) == [image]

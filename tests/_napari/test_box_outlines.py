from __future__ import annotations

import numpy as np

from napari_voxuda._napari.box_outlines import box_outlines
from napari_voxuda._napari.scene import ViewerScene


def test_a_box_is_a_square_in_each_of_its_slices() -> None:
    outlines = box_outlines([(2, 3, 4), (0, 0, 0)], 8)
    assert len(outlines) == 16
    first = outlines[0]
    assert set(first[:, 0]) == {2.0}
    np.testing.assert_array_equal(first[:, 1:].min(0), (2.5, 3.5))
    np.testing.assert_array_equal(first[:, 1:].max(0), (10.5, 11.5))
    assert [square[0, 0] for square in outlines[:8]] == list(range(2, 10))


def test_boxes_lie_on_their_tomogram_and_leave_the_selection(make_napari_viewer) -> None:
    viewer = make_napari_viewer()
    image = viewer.add_image(
        np.zeros((20, 30, 30)),
        scale=(12.0,) * 3,
        translate=(5.0, 6.0, 7.0),
        units=("angstrom",) * 3,
    )
    scene = ViewerScene(viewer)
    key = scene.add_boxes([(1, 2, 3)], 8, scene.placement(image.unique_id), name="boxes")
    boxes = viewer.layers["boxes"]
    assert boxes.unique_id == key
    np.testing.assert_allclose(boxes.data_to_world((1, 2, 3)), image.data_to_world((1, 2, 3)))
    assert boxes.units == image.units
    assert viewer.layers.selection.active is image
    scene.remove(key)
    assert list(viewer.layers) == [image]

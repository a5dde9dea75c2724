from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda._napari import scene as scene_module
from napari_voxuda._napari.scene import ViewerScene
from napari_voxuda.errors import InputError


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def scene(viewer):
    return ViewerScene(viewer)


def test_only_volumes_are_offered_the_newest_first(viewer, scene):
    viewer.add_image(np.zeros((4, 5)), name="flat")
    viewer.add_image(np.zeros((3, 4, 5, 3), np.uint8), rgb=True, name="colour")
    viewer.add_image(np.zeros((3, 4, 5)), name="old")
    viewer.add_labels(np.zeros((3, 4, 5), int), name="labels")
    viewer.add_image(np.zeros((3, 4, 5)), name="new")
    assert [c.name for c in scene.choices("image")] == ["new", "old"]
    assert [c.name for c in scene.choices("labels")] == ["labels"]


def test_aids_are_never_offered_and_leave_the_selection_alone(viewer, scene):
    chosen = viewer.add_labels(np.zeros((3, 4, 5), int), name="labels")
    placement = scene.placement(chosen.unique_id)
    key = scene.add_labels(np.zeros((3, 4, 5), np.uint8), placement, name="aid", aid=True)
    assert viewer.layers.selection.active is chosen
    assert [c.name for c in scene.choices("labels")] == ["labels"]
    scene.replace_labels(key, np.ones((3, 4, 5), np.uint8))
    assert scene.volume(key).data.min() == 1
    viewer.layers["aid"].undo()
    assert scene.volume(key).data.min() == 1


@pytest.mark.parametrize(("limit", "undone"), [(10, True), (1, False)])
def test_labels_change_in_one_step(viewer, scene, monkeypatch, limit, undone):
    monkeypatch.setattr(scene_module, "_MOST_UNDOABLE", limit)
    layer = viewer.add_labels(np.zeros((3, 4, 5), np.uint16))
    wanted = np.zeros((3, 4, 5), np.uint16)
    wanted[1, 1:3, 2] = (1, 300)
    scene.update_labels(layer.unique_id, wanted)
    np.testing.assert_array_equal(layer.data, wanted)
    layer.undo()
    assert bool(layer.data.max() == 0) is undone


def test_the_slice_follows_the_axis_that_the_user_looks_along(viewer, scene):
    layer = viewer.add_image(
        np.zeros((6, 8, 10)), scale=(2.0, 3.0, 4.0), translate=(10.0, 20.0, 30.0)
    )
    viewer.dims.set_current_step(0, 4)
    view = scene.slice_view(layer.unique_id)
    assert (view.axis, view.index) == (0, 4)
    assert (view.start[0], view.stop[0]) == (4, 5)
    viewer.dims.order = (2, 0, 1)
    viewer.dims.set_current_step(2, 7)
    view = scene.slice_view(layer.unique_id)
    assert (view.axis, view.index) == (2, 7)
    assert (view.start[2], view.stop[2]) == (7, 8)
    assert all(0 <= a < b <= n for a, b, n in zip(view.start, view.stop, (6, 8, 10), strict=True))


def test_no_slice_is_shown_in_3d_or_beside_the_layer(viewer, scene):
    small = viewer.add_image(np.zeros((4, 8, 8)))
    viewer.add_image(np.zeros((20, 8, 8)))
    viewer.dims.set_current_step(0, 15)
    assert scene.slice_view(small.unique_id) is None
    viewer.dims.set_current_step(0, 2)
    assert scene.slice_view(small.unique_id) is not None
    viewer.dims.ndisplay = 3
    assert scene.slice_view(small.unique_id) is None


def test_only_the_visible_part_of_a_zoomed_view_is_named(viewer, scene):
    layer = viewer.add_image(np.zeros((6, 400, 400)))
    layer.corner_pixels = np.array([[0, 100, 50], [0, 199, 149]])
    view = scene.slice_view(layer.unique_id)
    assert view.start[1:] == (100, 50)
    assert view.stop[1:] == (200, 150)


def test_a_layer_that_is_gone_is_named_as_gone(viewer, scene):
    key = viewer.add_image(np.zeros((3, 4, 5))).unique_id
    viewer.layers.clear()
    assert not scene.has(key)
    with pytest.raises(InputError, match="no longer"):
        scene.volume(key)
    scene.remove(key)


def test_watching_ends_with_close(viewer, scene):
    calls = []
    scene.watch_layers(lambda: calls.append("layers"))
    scene.watch_view(lambda: calls.append("view"))
    viewer.add_image(np.zeros((3, 4, 5)))
    assert "layers" in calls
    viewer.dims.set_current_step(0, 1)
    assert "view" in calls
    scene.close()
    calls.clear()
    viewer.add_image(np.zeros((3, 4, 5)))
    viewer.dims.set_current_step(0, 2)
    assert calls == []


def test_going_to_a_place_shows_its_slice_in_the_middle(viewer, scene):
    layer = viewer.add_image(
        np.zeros((10, 20, 30)), scale=(2.0, 2.0, 2.0), translate=(10.0, 20.0, 30.0)
    )
    viewer.scene.camera.center = (0.0, 0.0, 0.0)
    layer.corner_pixels = np.array([[0, 0, 0], [9, 12, 20]])  # as if the rest were out of sight
    scene.go_to(layer.unique_id, (4.0, 15.0, 25.0))
    assert viewer.dims.point[0] == pytest.approx(18.0)
    np.testing.assert_allclose(viewer.scene.camera.center[-2:], (50.0, 80.0))
    assert scene.slice_view(layer.unique_id).index == 4


def test_the_view_stays_where_a_position_is_in_sight(viewer, scene):
    layer = viewer.add_image(np.zeros((10, 20, 30)))
    viewer.scene.camera.center = (0.0, 9.0, 14.0)
    layer.corner_pixels = np.array([[0, 0, 0], [9, 19, 29]])
    scene.go_to(layer.unique_id, (4.0, 1.0, 28.0))
    assert viewer.dims.point[0] == 4
    np.testing.assert_allclose(viewer.scene.camera.center[-2:], (9.0, 14.0))


def test_a_ring_lies_where_the_placement_says_and_leaves_the_selection(viewer, scene):
    layer = viewer.add_image(
        np.zeros((10, 20, 30)), scale=(2.0, 2.0, 2.0), translate=(10.0, 20.0, 30.0)
    )
    placement = scene.placement(layer.unique_id)
    scene.add_ring((4.0, 5.0, 6.0), placement, name="place", diameter=8.0)
    ring = viewer.layers["place"]
    np.testing.assert_allclose(ring.data_to_world(ring.data[4]), (18.0, 30.0, 42.0))
    np.testing.assert_allclose(ring.data[:, 0], range(9))
    np.testing.assert_allclose(ring.size[[0, 2, 4]], (1.0, 48**0.5, 8.0))
    assert ring.face_color[0, 3] == 0
    assert viewer.layers.selection.active is layer


def test_an_overlay_adds_to_the_light_and_leaves_the_selection(viewer, scene):
    layer = viewer.add_image(np.zeros((3, 4, 5)))
    placement = scene.placement(layer.unique_id)
    scene.add_image(np.ones((3, 4, 5)), placement, name="over", limits=(0, 1), overlay=True)
    assert viewer.layers["over"].blending == "additive"
    assert viewer.layers.selection.active is layer


def test_painting_selects_layer_label_and_brush(viewer, scene):
    layer = viewer.add_labels(np.zeros((3, 4, 5), np.uint8))
    viewer.add_image(np.zeros((3, 4, 5)))
    scene.paint(layer.unique_id, 2)
    assert viewer.layers.selection.active is layer
    assert (layer.mode, layer.selected_label, layer.n_edit_dimensions) == ("paint", 2, 3)
    scene.paint(layer.unique_id, 0)
    assert layer.mode == "erase"


def test_labels_get_the_colours_that_are_asked_for(viewer, scene):
    image = viewer.add_image(np.zeros((3, 4, 5)))
    placement = scene.placement(image.unique_id)
    scene.add_labels(np.zeros((3, 4, 5), np.uint8), placement, name="marks", colors={1: "#ff0000"})
    np.testing.assert_allclose(viewer.layers["marks"].get_color(1), (1, 0, 0, 1))


def test_a_hidden_image_leaves_the_selection_alone(viewer, scene):
    image = viewer.add_image(np.zeros((3, 4, 5)))
    placement = scene.placement(image.unique_id)
    scene.add_image(np.zeros((3, 4, 5)), placement, name="hidden", visible=False)
    assert viewer.layers.selection.active is image

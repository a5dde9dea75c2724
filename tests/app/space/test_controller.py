from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.app.job import JobState
from napari_voxuda.app.space.controller import SpaceController
from napari_voxuda.app.space.surface_layers import particle_colors
from napari_voxuda.app.space.view import Cut, SpaceRequest
from napari_voxuda.data.volume import Grid, Volume


class FakeView:
    def __init__(self) -> None:
        self.values = {}
        self.said, self.states, self.lines = [], [], []
        self.made, self.stale, self.inside = "", False, False
        self.hand, self.mirrored, self.preset, self.shape = "", False, None, None

    def request(self):
        return SpaceRequest(**self.values)

    def show_layers(self, images, labels):
        self.images, self.labels = [c.name for c in images], [c.name for c in labels]

    def choose(self, tomogram, mask, probability):
        self.values |= {"tomogram": tomogram, "mask": mask, "probability": probability}

    def show_shape(self, shape):
        self.shape = shape

    def show_position(self, position):
        self.values["cut"] = Cut(axis=self.request().cut.axis, position=position)

    def show_inside(self, inside):
        self.inside = inside

    def show_hand(self, words, *, mirrored, preset):
        self.hand, self.mirrored, self.preset = words, mirrored, preset

    def show_made(self, words, *, stale):
        self.made, self.stale = words, stale

    def show_state(self, state):
        self.states.append(state)

    def show_progress(self, line):
        self.lines.append(line)

    def say(self, text, level="info"):
        self.said.append((level, text))


class FakeSpace:
    """The 3-D view as plain values; its layers are those of the scene."""

    def __init__(self, scene) -> None:
        self.scene = scene
        self.shown, self.oriented = False, ("towards", "down", "right")
        self.axes, self.flip, self.plane = (0, 1, 2), 1.0, 0
        self.visible, self.planes, self.isos, self.clips = {}, {}, {}, {}
        self.volumes, self.left, self.looked = [], [], []
        self.watchers = {}

    def is_shown(self):
        return self.shown

    def enter(self):
        self.shown = True

    def leave(self, *, keep_orientation):
        self.shown = False
        self.left.append(keep_orientation)

    def orientation(self):
        return self.oriented

    def orient(self, orientation):
        self.oriented = orientation

    def order(self):
        return self.axes

    def determinant(self, key):
        return self.flip

    def look_along(self, axis):
        self.looked.append(axis)

    def set_visible(self, key, visible):
        self.visible[key] = visible

    def show_plane(self, key, cut):
        self.planes[key] = cut

    def plane_position(self, key, axis):
        return self.plane

    def show_volume(self, key):
        self.volumes.append(key)

    def show_iso(self, key, threshold):
        self.isos[key] = threshold

    def clip(self, key, like, cut, side):
        self.clips[key] = (like, cut, side)

    def colors(self, key, numbers):
        return np.tile(np.array([[0.0, 0.0, 1.0, 1.0]], np.float32), (len(numbers), 1))

    def put_surface(self, key, surfaces, colors, placement, *, name):
        return self._put(key, surfaces, colors, placement, name)

    def put_centres(self, key, surfaces, colors, placement, *, name):
        return self._put(key, surfaces, colors, placement, name)

    def _put(self, key, surfaces, colors, placement, name):
        self.scene.remove(key)
        return self.scene.add(
            "other", surfaces=surfaces, colors=colors, placement=placement, name=name
        )

    def watch(self, callback):
        self.watchers["view"] = callback

    def watch_plane(self, key, callback):
        self.watchers["plane"] = callback

    def watch_values(self, key, callback):
        self.watchers["values"] = callback

    def close(self): ...


@pytest.fixture
def view():
    return FakeView()


@pytest.fixture
def space(scene):
    return FakeSpace(scene)


@pytest.fixture
def keys(scene, tomogram):
    labels = np.zeros(tomogram.shape, np.uint8)
    labels[1:4, 1:4, 1:4], labels[1:4, 5:7, 5:7] = 1, 2
    probability = (labels > 0).astype(np.float32)
    key = scene.add_volume(tomogram)
    return {
        "tomogram": key,
        "mask": scene.add_labels(labels, tomogram.grid, name="mask"),
        "probability": scene.add_image(probability, tomogram.grid, name="tomo probability"),
    }


@pytest.fixture
def controller(view, scene, space, executor, keys):
    view.values |= keys
    return SpaceController(view, scene, space, executor)


def _enter(controller, executor):
    controller.toggle()
    executor.run_all()


def _layer(scene, name):
    return next(k for k, v in scene.layers.items() if v["name"] == name)


def test_the_layers_are_chosen_by_kind_and_name(controller, view, keys):
    view.values = {}
    controller.propose()
    assert view.values == keys


def test_entering_orients_shows_the_plane_and_makes_the_surfaces(
    controller, view, scene, space, executor, keys
):
    controller.toggle()
    assert space.shown
    assert view.inside
    assert space.oriented == ("towards", "up", "right")
    assert space.looked == [None]
    assert space.visible == {keys["tomogram"]: True, keys["probability"]: False}
    assert keys["tomogram"] in space.planes
    executor.run_all()
    assert view.states[-1] is JobState.DONE
    surface, centres = _layer(scene, "mask surface"), _layer(scene, "mask centres")
    assert (space.visible[surface], space.visible[centres]) == (True, False)
    assert scene.layers[surface]["placement"] == scene.volume(keys["mask"]).grid
    assert view.made.startswith("2 particles, ")
    assert not view.stale


def test_leaving_hides_the_surfaces_and_gives_the_view_back(
    controller, view, scene, space, executor
):
    _enter(controller, executor)
    controller.toggle()
    assert space.left == [False]
    assert not space.visible[_layer(scene, "mask surface")]
    assert not view.inside
    _enter(controller, executor)
    assert space.visible[_layer(scene, "mask surface")]
    assert len(executor.jobs) == 1  # they need not be made again


def test_the_viewers_own_way_out_of_3d_is_noticed(controller, view, space, executor):
    _enter(controller, executor)
    view.values["keep_orientation"] = True
    controller.changed()
    space.shown = False
    controller.view_changed()
    assert space.left == [True]
    assert not view.inside


def test_closing_gives_back_and_asks_nothing_of_the_dock(controller, view, space, executor):
    controller.toggle()
    view.request = None
    controller.close()
    controller.close()
    assert space.left == [False]
    assert executor.jobs[0].state is not JobState.DONE
    executor.run_all()
    assert executor.jobs[0].state is JobState.CANCELLED


def test_nothing_to_show_is_said(controller, view, space, executor):
    view.values = {}
    controller.toggle()
    assert not space.shown
    assert view.said[-1][0] == "error"
    controller.surfaces.update()
    assert "choose a mask" in view.said[-1][1]
    assert not executor.jobs


@pytest.mark.parametrize("change", ["values", "smoothing", "kind", "layer"])
def test_surfaces_are_told_to_be_stale(controller, view, scene, space, executor, keys, change):
    from napari_voxuda.app.space.surfaces import SurfaceSettings

    _enter(controller, executor)
    if change == "values":
        space.watchers["values"]()
    elif change == "smoothing":
        view.values["settings"] = SurfaceSettings(smoothing=3)
    elif change == "kind":
        view.values["surface_of"] = "probability"
    else:
        labels = np.ones((6, 8, 8), np.uint8)
        view.values["mask"] = scene.add_labels(labels, Grid(), name="other")
    controller.changed()
    assert view.stale
    assert view.made.startswith("Out of date, press Update. Shown: 2 particles")
    controller.surfaces.update()
    executor.run_all()
    assert not view.stale


def test_the_threshold_makes_surfaces_of_a_mask_not_stale(controller, view, executor):
    from napari_voxuda.app.space.surfaces import SurfaceSettings

    _enter(controller, executor)
    view.values["settings"] = SurfaceSettings(threshold=0.8)
    controller.changed()
    assert not view.stale


def test_a_change_while_surfaces_are_made_leaves_them_stale(controller, view, space, executor):
    controller.toggle()
    space.watchers["values"]()
    executor.run_all()
    assert view.stale


def test_a_stopped_update_leaves_the_surfaces(controller, view, scene, executor):
    _enter(controller, executor)
    before = _layer(scene, "mask surface")
    controller.surfaces.update()
    controller.surfaces.work.cancel()
    executor.run_all()
    assert _layer(scene, "mask surface") == before
    assert "as they were" in view.said[-1][1]


def test_a_layer_hidden_by_its_eye_stays_hidden(controller, view, space, executor, keys):
    _enter(controller, executor)
    space.visible.clear()
    view.values["cut"] = Cut(position=3)
    controller.changed()
    assert space.visible == {}
    assert space.planes[keys["tomogram"]].position == 3


def test_another_tomogram_takes_the_place_of_the_first(
    controller, view, scene, space, executor, keys
):
    _enter(controller, executor)
    other = scene.add_volume(Volume(data=np.zeros((3, 4, 5), np.float32), grid=Grid(), name="b"))
    view.values["tomogram"] = other
    controller.changed()
    assert (space.visible[keys["tomogram"]], space.visible[other]) == (False, True)
    assert view.shape == (3, 4, 5)


def test_surfaces_centres_and_probability_are_cut_at_the_plane(
    controller, view, scene, space, executor, keys
):
    _enter(controller, executor)
    cut = Cut(axis=1, position=4)
    view.values |= {"cut": cut, "side": "above", "rendering": True}
    controller.changed()
    cut_away = {_layer(scene, "mask surface"), _layer(scene, "mask centres"), keys["probability"]}
    assert space.clips == dict.fromkeys(cut_away, (keys["tomogram"], cut, "above"))
    assert space.isos == {keys["probability"]: 0.5}


def test_a_dragged_plane_moves_the_slider(controller, view, space, executor):
    _enter(controller, executor)
    space.plane = 5
    space.watchers["plane"]()
    assert view.request().cut.position == 5


def test_a_large_tomogram_is_warned_about(controller, view, scene, monkeypatch):
    monkeypatch.setattr("napari_voxuda.app.space.controller._SLOW_VOXELS", 100)
    controller.toggle()
    assert any(level == "warning" and "million voxels" in text for level, text in view.said)


def test_the_hand_is_told_in_3d(controller, view, space, executor):
    controller.view_changed()
    assert view.hand == ""
    _enter(controller, executor)
    assert view.hand.startswith("True hand")
    space.oriented = ("towards", "down", "right")
    controller.view_changed()
    assert (view.mirrored, view.preset) == (True, "mirrored")
    space.axes = (1, 0, 2)
    controller.view_changed()
    assert not view.mirrored
    space.flip = -1.0
    controller.view_changed()
    assert view.mirrored
    view.values["orientation"] = "slices"
    controller.orientation_chosen()
    assert space.oriented == ("away", "down", "right")


def test_colours_come_from_the_labels_or_are_one(controller, view, scene, executor):
    _enter(controller, executor)
    colors = scene.layers[_layer(scene, "mask surface")]["colors"]
    np.testing.assert_array_equal(colors[:, 2], 1)
    view.values["one_color"] = True
    controller.surfaces.color()
    colors = scene.layers[_layer(scene, "mask surface")]["colors"]
    assert len(np.unique(colors, axis=0)) == 1


def test_colours_of_pieces_differ():
    assert len(np.unique(particle_colors(50).round(3), axis=0)) == 50
    assert particle_colors(0).shape == (0, 4)

"""The dock *Vox-UDA 3-D* in a real viewer, and which hand its pixels show."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.io.mrc import write_mrc

_TIMEOUT = 120_000  # milliseconds; a bound for a broken test, not a measure of speed
_EDGE = 40


@pytest.fixture
def viewer(make_napari_viewer, tomogram_file):
    viewer = make_napari_viewer(show=True)
    viewer.open(tomogram_file, plugin="napari-voxuda")
    tomogram = viewer.layers["tomo"]
    labels = np.zeros(tomogram.data.shape, np.uint8)
    labels[6:14, 8:16, 8:16] = 1
    labels[6:14, 24:32, 26:34] = 2
    viewer.add_labels(
        labels,
        name="mask",
        scale=tomogram.scale,
        translate=tomogram.translate,
        units=tomogram.units,
        axis_labels=tomogram.axis_labels,
    )
    probability = ndimage.gaussian_filter((labels > 0).astype(np.float32), 1)
    viewer.add_image(
        probability,
        name="tomo probability",
        scale=tomogram.scale,
        translate=tomogram.translate,
        units=tomogram.units,
        axis_labels=tomogram.axis_labels,
        visible=False,
    )
    viewer.layers.selection.active = tomogram
    return viewer


@pytest.fixture
def dock(viewer):
    return viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA 3-D")[1]


def _camera(viewer):
    return viewer.scene.camera


def _orientation(viewer):
    return tuple(str(word) for word in _camera(viewer).orientation)


def _enter(viewer, dock, until):
    dock.toggle_button.click()
    until(lambda: "particles" in dock.particles.found.text())


def _choose(box, value):
    index = box.findData(value)
    box.setCurrentIndex(index)
    box.activated.emit(index)


def _pixels(viewer):
    return viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)


def _looks(viewer):
    return {
        layer.name: (
            layer.visible,
            getattr(layer, "depiction", None),
            getattr(layer, "rendering", None),
            layer.blending,
            len(layer.experimental_clipping_planes),
        )
        for layer in viewer.layers
        if layer.name in ("tomo", "mask", "tomo probability")
    }


def test_the_dock_chooses_the_layers_by_kind_and_name(viewer, dock):
    assert dock.layers.tomogram_box.key() == viewer.layers["tomo"].unique_id
    assert dock.layers.mask_box.key() == viewer.layers["mask"].unique_id
    assert dock.layers.probability_box.key() == viewer.layers["tomo probability"].unique_id


def test_entering_shows_a_plane_and_surfaces_where_the_mask_is(viewer, dock, until):
    _enter(viewer, dock, until)
    tomogram, surface = viewer.layers["tomo"], viewer.layers["mask surface"]
    assert viewer.dims.ndisplay == 3
    assert (tomogram.depiction, tomogram.visible) == ("plane", True)
    assert not viewer.layers["mask"].visible
    assert surface.visible
    assert not viewer.layers["mask centres"].visible
    assert "2 particles" in dock.particles.found.text()
    world = np.array([surface.data_to_world(v) for v in surface.vertices])
    np.testing.assert_allclose(world.min(axis=0), tomogram.data_to_world((6, 8, 8)), atol=12)
    assert surface.units == tomogram.units
    np.testing.assert_allclose(
        viewer.layers["mask centres"].data, [(9.5, 11.5, 11.5), (9.5, 27.5, 29.5)]
    )
    assert _orientation(viewer) == ("towards", "up", "right")


def test_leaving_gives_everything_back(viewer, dock, until):
    looks, orientation = _looks(viewer), _orientation(viewer)
    angles, zoom = _camera(viewer).angles, _camera(viewer).zoom
    plane = viewer.layers["tomo"].plane.as_array()
    _enter(viewer, dock, until)
    dock.particles.rendering_box.setChecked(True)
    _choose(dock.cut.side_box, "above")
    dock.cut.position.setValue(3)
    assert _looks(viewer) != looks
    dock.toggle_button.click()
    assert viewer.dims.ndisplay == 2
    assert _looks(viewer) == looks
    assert _orientation(viewer) == orientation
    assert _camera(viewer).angles == angles
    assert _camera(viewer).zoom == pytest.approx(zoom)
    np.testing.assert_allclose(viewer.layers["tomo"].plane.as_array(), plane)
    assert not viewer.layers["mask surface"].visible


@pytest.mark.parametrize("how", ["viewer's button", "close the dock"])
def test_other_ways_out_give_everything_back_as_well(viewer, dock, until, how):
    looks, orientation = _looks(viewer), _orientation(viewer)
    _enter(viewer, dock, until)
    if how == "close the dock":
        viewer.window.remove_dock_widget(dock)
    else:
        viewer.dims.ndisplay = 2
        assert dock.toggle_button.text() == "Show in 3-D"
    assert viewer.dims.ndisplay == 2
    assert _looks(viewer) == looks
    assert _orientation(viewer) == orientation


def test_the_orientation_stays_if_that_is_wanted(viewer, dock, until):
    _enter(viewer, dock, until)
    dock.hand.keep_box.setChecked(True)
    dock.toggle_button.click()
    assert _orientation(viewer) == ("towards", "up", "right")


def test_closing_the_viewer_in_3d_raises_nothing(viewer, dock, until):
    _enter(viewer, dock, until)
    viewer.close()


def test_the_plane_follows_the_sliders_and_the_sliders_a_dragged_plane(viewer, dock, until):
    _enter(viewer, dock, until)
    plane = viewer.layers["tomo"].plane
    _choose(dock.cut.axis_box, "2")
    dock.cut.position.setValue(7)
    dock.cut.thickness.setValue(3)
    assert plane.normal == (0, 0, 1)
    assert (plane.position[2], plane.thickness) == (7, 3)
    plane.position = (0, 0, 20.4)
    assert dock.cut.position.value() == 20
    _choose(dock.cut.as_box, "volume")
    assert viewer.layers["tomo"].depiction == "volume"
    _choose(dock.cut.as_box, "hidden")
    assert not viewer.layers["tomo"].visible


def test_cutting_takes_one_side_of_surfaces_and_probability_away(viewer, dock, until):
    _enter(viewer, dock, until)
    _choose(dock.cut.as_box, "hidden")
    _choose(dock.cut.axis_box, "1")
    dock.cut.position.setValue(20)  # between the particles
    dock.hand.look_buttons[0].click()

    def halves():
        shown = _pixels(viewer).sum(axis=-1) > 20
        rows = np.flatnonzero(shown.any(axis=1))
        return int(shown.sum()), rows.mean() if len(rows) else np.nan

    for prepare in (
        lambda: None,
        lambda: (
            dock.particles.surfaces_box.setChecked(False),
            dock.particles.rendering_box.setChecked(True),
        ),
    ):
        prepare()
        _choose(dock.cut.side_box, "whole")
        both, middle = halves()
        _choose(dock.cut.side_box, "above")
        above, upper = halves()
        _choose(dock.cut.side_box, "below")
        below, lower = halves()
        assert above == pytest.approx(both / 2, rel=0.1)
        assert below == pytest.approx(both / 2, rel=0.1)
        assert upper < middle < lower  # y points up


def test_a_changed_mask_makes_the_surfaces_stale_until_the_update(viewer, dock, until):
    _enter(viewer, dock, until)
    mask = viewer.layers["mask"]
    before = len(viewer.layers["mask surface"].vertices)
    mask.data_setitem(np.nonzero(mask.data == 2), 0)
    assert dock.particles.found.text().startswith("⚠ Out of date")
    dock.bar.start_button.click()
    until(lambda: dock.particles.found.text().startswith("1 particle,"))
    assert len(viewer.layers["mask surface"].vertices) < before
    assert [layer.name for layer in viewer.layers].count("mask surface") == 1


def test_an_emptied_mask_has_no_surfaces(viewer, dock, until):
    _enter(viewer, dock, until)
    mask = viewer.layers["mask"]
    mask.data = np.zeros_like(mask.data)
    assert dock.particles.found.text().startswith("⚠ Out of date")
    dock.bar.start_button.click()
    until(lambda: "empty" in dock.particles.found.text())
    assert len(viewer.layers["mask centres"].data) == 0
    viewer.reset_view()


def test_the_probability_gives_surfaces_at_the_threshold_and_a_rendering(viewer, dock, until):
    _enter(viewer, dock, until)
    _choose(dock.particles.of_box, "probability")
    assert dock.particles.found.text().startswith("⚠")
    dock.bar.start_button.click()
    until(lambda: "tomo probability surface" in viewer.layers)
    assert "mask surface" not in viewer.layers
    dock.particles.rendering_box.setChecked(True)
    dock.particles.threshold.setValue(0.7)
    probability = viewer.layers["tomo probability"]
    assert probability.visible
    assert (probability.rendering, probability.iso_threshold) == ("iso", 0.7)
    assert dock.particles.found.text().startswith("⚠")


def test_the_colours_are_those_of_the_labels_or_one(viewer, dock, until):
    _enter(viewer, dock, until)
    mask = viewer.layers["mask"]
    colors = viewer.layers["mask centres"].face_color
    np.testing.assert_allclose(colors[0, :3], mask.get_color(1)[:3], atol=1e-6)
    np.testing.assert_allclose(colors[1, :3], mask.get_color(2)[:3], atol=1e-6)
    _choose(dock.particles.color_box, "one")
    colors = viewer.layers["mask centres"].face_color
    np.testing.assert_array_equal(colors[0], colors[1])


def test_without_layers_the_dock_says_what_is_missing(make_napari_viewer):
    viewer = make_napari_viewer()
    dock = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA 3-D")[1]
    dock.toggle_button.click()
    assert viewer.dims.ndisplay == 2
    assert "Choose a tomogram" in dock.notice.text()
    dock.bar.start_button.click()
    assert "choose a mask" in dock.notice.text()


@pytest.fixture
def helix_file(tmp_path):
    """A right-handed helix about z, label 1, around a rod, label 2, as an MRC mask.

    Its line is x = cos t, y = sin t, z = t: whoever moves along +z turns from +x to +y.
    """
    z, y, x = np.indices((_EDGE,) * 3).astype(float)
    middle = (_EDGE - 1) / 2
    labels = np.zeros((_EDGE,) * 3, np.uint8)
    labels[np.hypot(y - middle, x - middle) < 7] = 2
    for s in np.linspace(-1, 1, 500):
        t = 3 * np.pi * s
        at = (middle + 16 * s, middle + 12 * np.sin(t), middle + 12 * np.cos(t))
        labels[sum((a - b) ** 2 for a, b in zip((z, y, x), at, strict=True)) < 6] = 1
    path = tmp_path / "helix_mask.mrc"
    grid = Grid().with_voxel_size(10.0)
    write_mrc(path, Volume(data=labels.astype(np.int8), grid=grid, name="helix"))
    return path


def _hand_in(pixels, is_helix, is_rod):
    """Return the hand of a helix whose axis is upright: in front of the rod it rises to the right or left."""
    helix, rod = is_helix(pixels), is_rod(pixels)
    columns = np.flatnonzero(rod.any(axis=0))
    inside = helix[:, columns[0] : columns[-1] + 1]
    strands, count = ndimage.label(inside)
    slopes = []
    for number in range(1, count + 1):
        rows, across = np.nonzero(strands == number)
        if np.ptp(across) > 0.9 * (inside.shape[1] - 1):  # all the way across the rod
            slopes.append(-np.polyfit(across, rows, 1)[0])
    assert len(slopes) >= 2
    assert len({s > 0 for s in slopes}) == 1
    return "right" if slopes[0] > 0 else "left"


def _upright(viewer):
    _camera(viewer).set_view_direction((0, 1, 0), (1, 0, 0))
    viewer.fit_to_view()


_COLORS = {1: "#ff0000", 2: "#0000ff", None: "transparent"}


def _red(pixels):
    return pixels[..., 0] > 2 * pixels[..., 2] + 20


def _blue(pixels):
    return pixels[..., 2] > 2 * pixels[..., 0] + 20


@pytest.mark.parametrize(
    ("orientation", "hand"),
    [("imod", "right"), ("slices", "right"), ("mirrored", "left"), (None, "left")],
)
def test_a_right_handed_helix_has_its_hand_on_the_screen(
    make_napari_viewer, helix_file, until, orientation, hand
):
    from napari.utils.colormaps import DirectLabelColormap

    viewer = make_napari_viewer(show=True)
    viewer.open(helix_file, plugin="napari-voxuda")
    layer = viewer.layers[0]
    before = layer.data.copy()
    layer.colormap = DirectLabelColormap(color_dict=_COLORS)
    if orientation is None:  # napari's default: the labels as napari draws them
        viewer.dims.ndisplay = 3
        _upright(viewer)
        assert _hand_in(_pixels(viewer), _red, _blue) == hand
        return
    dock = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA 3-D")[1]
    _choose(dock.hand.box, orientation)
    _enter(viewer, dock, until)
    assert ("Mirrored" in dock.hand.hand.text()) == (hand == "left")
    _upright(viewer)
    assert _hand_in(_pixels(viewer), _red, _blue) == hand  # surfaces
    viewer.layers["helix_mask surface"].visible = False
    layer.visible = True
    assert _hand_in(_pixels(viewer), _red, _blue) == hand  # the volume itself
    np.testing.assert_array_equal(layer.data, before)
    assert np.all(layer.scale > 0)


def test_an_orientation_set_in_the_viewer_is_told(viewer, dock, until):
    _enter(viewer, dock, until)
    assert "True hand" in dock.hand.hand.text()
    _camera(viewer).orientation = ("away", "up", "right")
    assert dock.hand.hand.text().startswith("⚠ Mirrored")
    assert dock.hand.box.currentIndex() == -1
    viewer.dims.order = (0, 2, 1)
    assert "True hand" in dock.hand.hand.text()


@pytest.mark.parametrize("orientation", ["imod", "mirrored"])
def test_surfaces_are_lit_from_the_front(viewer, dock, until, orientation):
    _enter(viewer, dock, until)
    _choose(dock.cut.as_box, "hidden")
    _choose(dock.particles.color_box, "one")
    _choose(dock.hand.box, orientation)
    dock.hand.look_buttons[0].click()
    pixels = _pixels(viewer)
    seen = pixels[pixels.sum(axis=-1) > 20]
    assert np.median(seen[:, 0]) > 140  # of 242 in the colour itself

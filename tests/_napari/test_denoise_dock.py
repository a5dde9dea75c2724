"""The dock *Denoise (IBF)* in a real viewer: comparison, suggestion, parts, hand-over."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from wrapt import ObjectProxy

from napari_voxuda.method.denoising import DenoiseSettings


@pytest.fixture
def dock(viewer):
    return viewer.window.add_plugin_dock_widget("napari-voxuda", "Denoise (IBF)")[1]


@pytest.fixture
def preview(viewer, dock, until):
    dock.preview_box.setChecked(True)
    until(lambda: "Denoise divider" in viewer.layers)
    return viewer.layers["Denoise preview"]


def _choose(box, value):
    box.setCurrentIndex(box.findData(value))


def _slice(viewer):
    tomogram = viewer.layers["tomo"]
    return np.asarray(tomogram.data)[round(float(tomogram.world_to_data(viewer.dims.point)[0]))]


def _mouse(viewer, kind, voxel):
    """Press, move or release the left button at a voxel of the tomogram."""
    world = viewer.layers["tomo"].data_to_world(voxel)
    event = SimpleNamespace(
        type=f"mouse_{kind}",
        position=world,
        button=1,
        modifiers=(),
        handled=False,
        is_dragging=kind != "press",
    )
    calls = {
        "press": mouse_press_callbacks,
        "move": mouse_move_callbacks,
        "release": mouse_release_callbacks,
    }
    calls[kind](viewer, ObjectProxy(event))  # the viewer exchanges what is in the proxy


def test_the_divider_parts_raw_and_denoised_and_is_dragged(viewer, dock, preview):
    raw = _slice(viewer)
    data = preview.data[0]
    np.testing.assert_array_equal(data[:, :24], raw[:, :24])
    assert not np.allclose(data[:, 24:], raw[:, 24:])
    dock.compare.divider_slider.setValue(250)
    np.testing.assert_array_equal(preview.data[0][:, :12], raw[:, :12])
    assert not np.allclose(preview.data[0][:, 12:24], raw[:, 12:24])
    z = round(float(viewer.layers["tomo"].world_to_data(viewer.dims.point)[0]))
    camera = viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
    _mouse(viewer, "press", (z, 20, 11.5))
    assert not camera.mouse_pan
    _mouse(viewer, "move", (z, 20, 35.5))
    _mouse(viewer, "release", (z, 20, 35.5))
    assert camera.mouse_pan
    assert dock.compare.divider_slider.value() == 750
    np.testing.assert_array_equal(preview.data[0][:, :36], raw[:, :36])
    line = viewer.layers["Denoise divider"].data[0]
    np.testing.assert_allclose(line[:, 2], 35.5)
    assert viewer.layers.selection.active is viewer.layers["tomo"]


def test_a_press_beside_the_divider_or_while_painting_drags_nothing(viewer, dock, preview):
    z = round(float(viewer.layers["tomo"].world_to_data(viewer.dims.point)[0]))
    for at, mode in ((3.0, "pan_zoom"), (23.5, "paint")):
        if mode == "paint":
            viewer.add_labels(np.zeros((20, 40, 48), np.uint8)).mode = mode
        _mouse(viewer, "press", (z, 20, at))
        _mouse(viewer, "move", (z, 20, 40.0))
        _mouse(viewer, "release", (z, 20, 40.0))
        assert dock.compare.divider_slider.value() == 500


def test_contrast_is_linked_both_ways_and_shifted_for_the_difference(viewer, dock, preview):
    tomogram = viewer.layers["tomo"]
    tomogram.contrast_limits = (-2.0, 1.0)
    assert tuple(preview.contrast_limits) == (-2.0, 1.0)
    preview.contrast_limits = (-1.0, 0.5)
    assert tuple(tomogram.contrast_limits) == (-1.0, 0.5)
    dock.compare.difference_box.setChecked(True)
    mean = _slice(viewer).mean()
    np.testing.assert_allclose(preview.contrast_limits, (-1.0 - mean, 0.5 - mean), atol=1e-6)
    assert tuple(tomogram.contrast_limits) == (-1.0, 0.5)
    dock.compare.difference_box.setChecked(False)
    np.testing.assert_allclose(preview.contrast_limits, (-1.0, 0.5), atol=1e-6)


def test_any_two_are_compared_each_with_its_own_parameters(viewer, dock, preview, until):
    dock.form.fields["sigma_range"].setValue(0.4)
    _choose(dock.compare.left_box, "bilateral")
    _choose(dock.method_box, "bilateral")
    assert dock.form.value() == DenoiseSettings(method="bilateral")
    assert dock.compare.right_box.currentData() == "ibf"  # both are shown already
    dock.form.fields["sigma_range"].setValue(0.9)
    assert dock.settings_of("ibf") == DenoiseSettings(sigma_range=0.4)
    assert dock.settings_of("bilateral") == DenoiseSettings(method="bilateral", sigma_range=0.9)
    until(lambda: "bilateral | improved" in dock.notice.text())
    _choose(dock.method_box, "ngm")
    assert dock.compare.right_box.currentData() == "ngm"
    assert dock.suggest_button.isHidden()
    until(lambda: "bilateral | NGM" in dock.notice.text())
    dock.form.fields["pass_fraction"].setValue(0.5)
    dock.reset_button.click()
    assert dock.settings() == DenoiseSettings(method="ngm")
    _choose(dock.method_box, "ibf")
    assert dock.form.fields["sigma_range"].value() == 0.4


def test_the_divider_is_upright_whichever_axis_one_looks_along(viewer, dock, preview, until):
    viewer.dims.order = (1, 2, 0)
    until(lambda: preview.data.shape == (20, 1, 48))
    line = viewer.layers["Denoise divider"].data[0]
    assert line[0, 0] == line[1, 0]  # z runs from left to right
    assert line[0, 2] != line[1, 2]
    dock.compare.divider_slider.setValue(1000)
    y = round(float(viewer.layers["tomo"].world_to_data(viewer.dims.point)[1]))
    np.testing.assert_array_equal(preview.data[:, 0], viewer.layers["tomo"].data[:, y])


@pytest.mark.parametrize("name", ["Denoise preview", "Denoise divider"])
def test_removing_a_layer_of_the_preview_switches_it_off(viewer, dock, preview, name):
    viewer.layers.remove(name)
    assert not dock.preview_box.isChecked()
    assert [layer.name for layer in viewer.layers] == ["tomo"]


def test_switching_off_and_closing_the_dock_take_every_layer_away(viewer, dock, preview, until):
    tomogram = np.array(viewer.layers["tomo"].data)
    watching = len(viewer.mouse_drag_callbacks)
    dock.preview_box.setChecked(False)
    assert [layer.name for layer in viewer.layers] == ["tomo"]
    dock.preview_box.setChecked(True)
    until(lambda: "Denoise divider" in viewer.layers)
    viewer.window.remove_dock_widget(dock)
    dock.deleteLater()
    until(lambda: [layer.name for layer in viewer.layers] == ["tomo"])
    np.testing.assert_array_equal(viewer.layers["tomo"].data, tomogram)
    assert len(viewer.mouse_drag_callbacks) == watching - 1


def test_closing_the_viewer_with_a_preview_raises_nothing(viewer, dock, preview):
    viewer.close()


def test_the_visible_part_becomes_a_layer_at_its_place(viewer, dock, until):
    _choose(dock.part_box, "slice")
    dock.bar.start_button.click()
    tomogram = viewer.layers["tomo"]
    z = round(float(tomogram.world_to_data(viewer.dims.point)[0]))
    until(lambda: f"tomo IBF slice {z}" in viewer.layers)
    part = viewer.layers[f"tomo IBF slice {z}"]
    np.testing.assert_allclose(part.data_to_world((0, 0, 0)), tomogram.data_to_world((z, 0, 0)))
    assert part.units == tomogram.units
    _choose(dock.part_box, "volume")
    dock.bar.start_button.click()
    until(lambda: "tomo IBF" in viewer.layers)
    np.testing.assert_allclose(part.data[0], viewer.layers["tomo IBF"].data[z], atol=1e-5)


def test_a_suggestion_moves_the_slider_and_is_said(dock, until):
    dock.suggest_button.click()
    until(lambda: "suits this tomogram" in dock.notice.text())
    value = dock.form.fields["sigma_range"].value()
    assert f"Sigma range {value:g} suits" in dock.suggestion_note.text()
    assert not dock.suggestion_note.isHidden()
    assert 0.3 < value < 3
    assert value != 1.2


def test_the_very_parameters_arrive_in_the_adaptation(viewer, dock):
    dock.form.fields["sigma_range"].setValue(0.77)
    dock.form.fields["operator"].setValue("laplacian")
    dock.adapt_button.click()
    adapt = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA adapt")[1]
    wanted = DenoiseSettings(sigma_range=0.77, operator="laplacian")
    assert adapt.request().settings.denoise == wanted
    assert adapt.request().settings.teacher_input == "denoised"
    assert "IBF, sigma range 0.77" in adapt.training.denoiser_note.text()
    assert "of no account" in adapt.training.denoiser_note.text()  # the preset fast has no labels
    _choose(adapt.training.preset_box, "default")
    settings = adapt.request().settings
    assert (settings.denoise, settings.teacher_input) == (wanted, "denoised")
    assert settings.pseudo_labels == "ranked"
    assert "of no account" not in adapt.training.denoiser_note.text()
    assert "made the masks worse" in adapt.training.denoiser_note.text()
    adapt.training.set_denoiser(DenoiseSettings(method="ngm"))
    assert "NGM, pass fraction" in adapt.training.denoiser_note.text()
    assert "worse" not in adapt.training.denoiser_note.text()
    adapt.training.form.fields["teacher_input"].setValue("raw")
    assert adapt.training.denoiser_note.isHidden()
    _choose(adapt.training.preset_box, "paper")
    assert adapt.request().settings.denoise == DenoiseSettings()

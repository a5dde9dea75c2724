"""The dock *Vox-UDA refine* in a real viewer, with a real, tiny run."""

from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.gui.export.window import ExportWindow
from napari_voxuda.io.mrc import read_mrc
from napari_voxuda.io.provenance import read_sidecar


def _open(viewer, run):
    dock = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA refine")[1]
    dock.run_group.run_row.set_paths([run])
    dock.form.fields["steps"].setValue(2)
    dock.form.fields["batch"].setValue(2)
    dock.form.fields["source_count"].setValue(2)
    return dock


@pytest.fixture
def dock(viewer, run, until):
    """The dock with a segmented tomogram whose probability is two blobs, one of them a dumbbell."""
    dock = _open(viewer, run)
    dock.run_group.segment_button.click()
    until(lambda: "tomo mask" in viewer.layers)
    until(lambda: dock.bar.state_label.text() == "Done")
    probability = np.zeros((20, 40, 48), np.float32)
    z, y, x = np.indices(probability.shape)
    for centre, radius in (((10, 12, 12), 5), ((10, 12, 20), 4), ((10, 30, 34), 4)):
        inside = sum((a - c) ** 2 for a, c in zip((z, y, x), centre, strict=True)) < radius**2
        probability[inside] = 0.9
    probability[10, 30, 34] = 0.1  # a hole
    session = dock.controller.mask
    session.replace_probability(session._probability.with_data(probability))
    until(lambda: dock.particles.table.particles.rowCount() == 2)
    return dock


def _mask(viewer):
    return viewer.layers["tomo mask"]


def _marks(viewer):
    return viewer.layers["tomo corrections"].data


def test_sliders_make_the_mask_and_ctrl_z_takes_it_back(viewer, dock, until):
    mask = _mask(viewer)
    assert mask.data[10, 30, 34] == 0
    dock.mask_group.sliders.hole_field.setValue(1e4)
    until(lambda: mask.data[10, 30, 34] > 0)
    assert viewer.layers.selection.active is mask
    mask.undo()
    assert mask.data[10, 30, 34] == 0
    assert dock.mask_group.sliders.hole_field.value() == 0
    mask.redo()
    assert dock.mask_group.sliders.hole_field.value() == 1e4
    mask.undo()
    before = mask.data.copy()
    dock.mask_group.sliders.roundness.setValue(1.0)
    until(lambda: (mask.data != before).any())
    mask.undo()
    np.testing.assert_array_equal(mask.data, before)
    assert dock.mask_group.sliders.roundness.value() == 0
    dock.mask_group.sliders.size_field.setValue(1e6)
    until(lambda: dock.particles.table.particles.rowCount() == 1)
    assert "1 particle" in dock.mask_group.found.text()
    mask.undo()
    until(lambda: dock.particles.table.particles.rowCount() == 2)


def test_a_click_flies_to_a_particle(viewer, dock):
    table = dock.particles.table
    table.clicked.emit(table.particles.index(1, 0))
    np.testing.assert_allclose(viewer.dims.point, _mask(viewer).data_to_world((10, 30, 34)), atol=7)


def test_deleting_is_a_correction_that_undo_takes_back(viewer, dock, until):
    table, mask = dock.particles.table, _mask(viewer)
    before = mask.data.copy()
    label = table.particles.label(1)
    table.choose([label])
    dock.particles.delete_button.click()
    assert not (mask.data == label).any()
    assert (_marks(viewer)[before == label] == 2).all()
    assert "voxels corrected" in dock.corrections.count.text()
    until(lambda: table.particles.rowCount() == 1)
    # a slider leaves it alone
    dock.mask_group.sliders.threshold.setValue(0.4)
    until(lambda: not dock.controller.mask._masks.busy)
    assert not mask.data[before == label].any()
    mask.undo()
    np.testing.assert_array_equal(mask.data, before)
    assert not _marks(viewer).any()
    until(lambda: table.particles.rowCount() == 2)
    mask.redo()
    assert (_marks(viewer)[before == label] == 2).all()


def test_split_and_merge_survive_the_sliders_and_are_undone(viewer, dock, until):
    table, mask = dock.particles.table, _mask(viewer)
    table.choose([1])
    dock.particles.split_button.click()
    until(lambda: table.particles.rowCount() == 3)
    assert mask.data[10, 12, 9] != mask.data[10, 12, 22] != 0
    dock.mask_group.sliders.threshold.setValue(0.4)
    until(lambda: not dock.controller.mask._masks.busy)
    until(lambda: table.particles.rowCount() == 3)
    assert mask.data[10, 12, 9] != mask.data[10, 12, 22]
    table.clearSelection()
    table.choose([mask.data[10, 12, 22], mask.data[10, 30, 35]])
    dock.particles.merge_button.click()
    until(lambda: table.particles.rowCount() == 2)
    dock.mask_group.sliders.threshold.setValue(0.45)
    until(lambda: not dock.controller.mask._masks.busy)
    assert mask.data[10, 12, 22] == mask.data[10, 30, 35] != 0
    mask.undo()
    until(lambda: table.particles.rowCount() == 3)


def test_painting_on_the_mask_is_kept_and_saved(viewer, dock, run, until, tmp_path):
    mask = _mask(viewer)
    mask.selected_label, mask.n_edit_dimensions, mask.brush_size = 7, 3, 3
    mask.paint((4, 20, 40), 7)
    mask.fill((10, 12, 12), 0)
    marks = _marks(viewer)
    assert marks[4, 20, 40] == 1
    assert marks[10, 12, 12] == 2
    dock.mask_group.sliders.threshold.setValue(0.3)
    until(lambda: not dock.controller.mask._masks.busy)
    assert mask.data[4, 20, 40] > 0
    assert mask.data[10, 12, 12] == 0
    dock.mask_group.export_button.click()
    window = viewer.window._qt_window.findChild(ExportWindow)
    window.options.name_line.setText("out")
    until(lambda: (tmp_path / "out.mrc") in [f.planned.path for f in window._files])
    until(window.bar.start_button.isEnabled)
    window.bar.start_button.click()
    until(lambda: "Saved" in window.notice.text())
    assert read_sidecar(tmp_path / "out.mrc")["settings"]["corrected_voxels"] > 1
    np.testing.assert_array_equal(read_mrc(tmp_path / "out.mrc").data, mask.data)
    until(lambda: list((run / "corrections").glob("*.safetensors")))


def test_painting_corrections_changes_the_mask_at_once(viewer, dock, until):
    dock.corrections.particle_button.click()
    layer = viewer.layers["tomo corrections"]
    assert viewer.layers.selection.active is layer
    assert layer.mode == "paint"
    layer.brush_size = 3
    layer.paint((4, 20, 40), 1)
    until(lambda: _mask(viewer).data[4, 20, 40] > 0)
    dock.corrections.background_button.click()
    layer.paint((10, 12, 12), layer.selected_label)
    until(lambda: _mask(viewer).data[10, 12, 12] == 0)
    layer.undo()
    until(lambda: _mask(viewer).data[10, 12, 12] > 0)
    dock.mask_group.sliders.threshold.setValue(0.95)  # with the brush in hand
    until(lambda: _mask(viewer).data[10, 12, 20] == 0)
    assert viewer.layers.selection.active is _mask(viewer)
    assert _mask(viewer).data[4, 20, 40] > 0
    dock.corrections.clear_button.click()
    assert viewer.layers.selection.active is layer
    until(lambda: _mask(viewer).data[4, 20, 40] == 0)
    assert dock.corrections.count.text() == "Nothing corrected yet."


def test_refine_keeps_corrections_and_a_restart_finds_them(
    viewer, dock, run, until, make_napari_viewer, tomogram_file
):
    dock.corrections.particle_button.click()
    layer = viewer.layers["tomo corrections"]
    layer.paint((4, 20, 40), 1)
    layer.paint((10, 12, 12), 2)
    until(lambda: _mask(viewer).data[4, 20, 40] > 0)
    marks = layer.data.copy()
    before = (run / "model.safetensors").read_bytes()
    dock.bar.start_button.click()
    until(lambda: dock.notice.text().startswith("Done: “Refined 1"))
    until(lambda: not dock.controller.mask._masks.busy)
    mask = _mask(viewer).data
    np.testing.assert_array_equal(layer.data, marks)
    assert (mask[marks == 1] > 0).all()
    assert (mask[marks == 2] == 0).all()
    # go back to the model as it was adapted
    versions = dock.run_group.version_box
    assert versions.count() == 2
    assert (run / "model.safetensors").read_bytes() != before
    versions.setCurrentIndex(0)
    dock.run_group.restore_button.click()
    until(lambda: (run / "model.safetensors").read_bytes() == before)
    until(lambda: dock.bar.state_label.text() == "Done" and not dock.controller.busy)
    viewer.close()
    # another session
    other = make_napari_viewer()
    other.open(tomogram_file, plugin="napari-voxuda")
    again = _open(other, run)
    again.run_group.segment_button.click()
    until(lambda: "tomo corrections" in other.layers)
    np.testing.assert_array_equal(_marks(other), marks)
    until(lambda: "tomo mask" in other.layers)
    assert (_mask(other).data[marks == 1] > 0).all()


def test_refine_without_corrections_says_so(dock):
    dock.bar.start_button.click()
    assert "got none" in dock.notice.text()


def test_the_most_uncertain_places_are_visited_in_turn(viewer, dock, until):
    dock.uncertainty.find_button.click()
    until(lambda: "tomo uncertainty" in viewer.layers)
    until(lambda: dock.uncertainty.place.text().startswith("Place 1"))
    first = tuple(viewer.dims.point)
    values = viewer.layers["tomo uncertainty"].data
    assert values.min() >= 0
    assert values.max() <= 1
    dock.uncertainty.next_button.click()
    assert dock.uncertainty.place.text().startswith("Place 2")
    assert tuple(viewer.dims.point) != first
    dock.uncertainty.previous_button.click()
    assert tuple(viewer.dims.point) == first


def test_the_adapt_dock_hands_its_mask_over(viewer, run, until):
    adapt = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA adapt")[1]
    adapt.training.run_row.set_paths([run])
    adapt.result.segment_button.click()
    until(lambda: "tomo mask" in viewer.layers)
    until(lambda: not adapt.controller.busy)
    mask = _mask(viewer)
    mask.paint((4, 20, 40), 0 if mask.data[4, 20, 40] else 1)
    painted = mask.data[4, 20, 40] > 0
    adapt.result.threshold_slider.setValue(0.45)
    until(lambda: not adapt.controller.mask._masks[0]._latest.busy)
    assert (mask.data[4, 20, 40] > 0) == painted  # the slider leaves it alone
    adapt.result.refine_button.click()
    refine = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA refine")[1]
    until(lambda: "tomo corrections" in viewer.layers)
    assert _marks(viewer)[4, 20, 40] == (1 if painted else 2)
    assert refine.mask_group.sliders.choice(numbered=True).threshold == 0.45
    assert refine.run_group.run_row.path() == run
    assert [layer.name for layer in viewer.layers].count("tomo mask") == 1
    assert not adapt.result.sliders.isEnabled()

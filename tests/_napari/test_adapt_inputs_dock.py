"""The inputs of the dock *Vox-UDA adapt* in a real viewer: picks of a file, a labelled tomogram."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.gui.adapt import target_group
from napari_voxuda.io.mrc import read_mrc, write_mrc
from napari_voxuda.io.provenance import read_sidecar


@pytest.fixture
def adapt(viewer, tmp_path):
    dock = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA adapt")[1]
    dock.training.run_row.set_paths([tmp_path / "run"])
    dock.training.place_box.setCurrentIndex(dock.training.place_box.findData("thread"))
    for name, value in {"steps": 2, "batch": 2}.items():
        dock.training.form.fields[name].setValue(value)
    for name, value in {"stem": 2, "body": 4, "head": 1}.items():
        dock.training.form.nested["network"].fields[name].setValue(value)
    for name, value in {"count": 4, "box": 16, "neighbours": 0}.items():
        dock.source.form.fields[name].setValue(value)
    return dock


def _labelled_source(adapt):
    adapt.source.kind_box.setCurrentIndex(adapt.source.kind_box.findData("layers"))


def test_picks_of_a_file_are_used(adapt, until, tmp_path, monkeypatch):
    (tmp_path / "picks.csv").write_text("z,y,x\n10,12,12\n10,28,30\n")
    monkeypatch.setattr(target_group, "ask_files", lambda *args: [tmp_path / "picks.csv"])
    adapt.target.picks_row.button.click()
    assert not adapt.target.picks_box.isEnabled()
    adapt.bar.start_button.click()
    until(lambda: (tmp_path / "run" / "run.json").is_file())
    until(lambda: not adapt.controller.busy)
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["target"]["picks"] == 2
    assert record["picks"] == str(tmp_path / "picks.csv")
    adapt.target.picks_row.clear_button.click()
    assert adapt.target.picks_box.isEnabled()
    assert adapt.request().picks_file is None


def test_a_tomogram_and_its_labels_are_the_source(viewer, adapt, until, tmp_path):
    tomogram = viewer.layers["tomo"]
    _labelled_source(adapt)
    assert adapt.source.image_box.isVisibleTo(adapt)
    adapt.source.image_box.set_key(tomogram.unique_id)
    adapt.bar.start_button.click()
    assert "a labels layer was wanted" in adapt.notice.text()
    data = np.zeros(tomogram.data.shape, np.uint8)
    labels = viewer.add_labels(data, scale=tomogram.scale, units=tomogram.units, name="mine")
    assert adapt.source.labels_box.key() == labels.unique_id
    adapt.bar.start_button.click()
    until(lambda: "mine is empty" in adapt.notice.text())
    assert not (tmp_path / "run").exists()
    data[8:13, 10:15, 10:15] = 1
    labels.refresh()
    adapt.bar.start_button.click()
    until(lambda: "tomo mask" in viewer.layers)
    until(lambda: not adapt.controller.busy)
    assert "labelled voxels are darker" in adapt.progress.messages.toPlainText()
    kept = read_mrc(tmp_path / "run" / "source-labels.mrc")
    np.testing.assert_array_equal(kept.data, data)


def test_labels_of_another_tomogram_are_said(viewer, adapt, until):
    _labelled_source(adapt)
    adapt.source.image_box.set_key(viewer.layers["tomo"].unique_id)
    viewer.add_labels(np.ones((8, 8, 8), np.uint8), name="other")
    adapt.bar.start_button.click()
    until(lambda: "labels of the shape (20, 40, 48) of tomo" in adapt.notice.text())


@pytest.mark.parametrize("place", ["thread", "process"])
def test_the_masks_of_a_folder_lie_in_the_run(viewer, adapt, until, tmp_path, tomogram_file, place):
    folder = tmp_path / "boxes"
    folder.mkdir()
    volume = read_mrc(tomogram_file)
    grid = Grid(voxel_size_angstrom=volume.grid.voxel_size_angstrom)
    for number, start in enumerate((0, 12)):
        data = np.ascontiguousarray(volume.data[:16, start : start + 16, :16])
        write_mrc(folder / f"p{number}_subtomo.mrc", Volume(data=data, grid=grid))
    adapt.training.place_box.setCurrentIndex(adapt.training.place_box.findData(place))
    assert not adapt.result.sliders.isEnabled()  # nothing to be made with them
    adapt.target.kind_box.setCurrentIndex(adapt.target.kind_box.findData("folder"))
    assert adapt.result.sliders.isEnabled()
    assert adapt.result.isExpanded()  # and seen, since they make the masks
    adapt.target.folder_row.set_paths([folder])
    layers = list(viewer.layers)
    adapt.bar.start_button.click()
    until(lambda: "The 2 masks lie in" in adapt.notice.text())
    until(lambda: not adapt.controller.busy)
    masks = tmp_path / "run" / "masks"
    assert sorted(path.name for path in masks.glob("*.mrc")) == ["p0_mask.mrc", "p1_mask.mrc"]
    assert str(masks) in adapt.result.found.text().replace("\u200b", "")
    assert not adapt.result.export_button.isEnabled()
    assert list(viewer.layers) == layers
    adapt.result.sliders.threshold.setValue(0.2)
    adapt.result.sliders.roundness.setValue(0.3)
    adapt.result.segment_button.click()
    again = tmp_path / "run" / "masks-2" / "p1_mask.mrc"
    until(again.is_file)
    until(lambda: not adapt.controller.busy)
    settings = read_sidecar(again)["settings"]
    assert (settings["threshold"], settings["roundness"]) == (0.2, 0.3)


def test_a_check_shows_the_boxes_and_a_report_and_leaves_nothing(viewer, adapt, until, tmp_path):
    adapt.check.button.click()
    until(lambda: "tomo boxes" in viewer.layers)
    until(lambda: not adapt.controller.busy)
    assert adapt.target.isExpanded()  # what may be changed now stays in sight
    boxes, tomogram = viewer.layers["tomo boxes"], viewer.layers["tomo"]
    assert len(boxes.data) == 2 * 2 * 16  # steps, batch, slices of a box
    np.testing.assert_allclose(boxes.scale, tomogram.scale)
    words = adapt.check.words()
    assert words["Boxes"].startswith("4 of 16³ voxels (192 Å) at random places")
    assert words["Run folder"].startswith(str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    adapt.check.button.click()
    assert "tomo boxes" not in viewer.layers
    assert adapt.check.words() == {}
    assert adapt.check.button.text() == "Check before starting"


def test_a_check_in_a_process_of_its_own_can_be_stopped(viewer, adapt, until, tmp_path):
    adapt.training.place_box.setCurrentIndex(adapt.training.place_box.findData("process"))
    adapt.check.button.click()
    until(lambda: adapt.bar.stop_button.isEnabled())
    adapt.bar.stop_button.click()
    until(lambda: adapt.bar.state_label.text() == "Stopped")
    until(lambda: adapt.notice.text() == "The check was stopped.")
    adapt.check.button.click()
    until(lambda: "tomo boxes" in viewer.layers)
    assert not (tmp_path / "run").exists()

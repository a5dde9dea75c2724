"""Several tomograms as one target of the dock *Vox-UDA adapt*, in a real viewer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtWidgets import QLabel
from tests._napari.test_adapt_inputs_dock import adapt

from napari_voxuda.gui.adapt import target_group
from napari_voxuda.io.mrc import read_mrc, write_mrc

__all__ = ["adapt"]


@pytest.fixture
def other_file(tomogram_file):
    """Another tomogram of the session, of another size and place."""
    volume = read_mrc(tomogram_file)
    values = np.ascontiguousarray(np.asarray(volume.data)[:, :32, :]) * 2 + 5
    grid = replace(volume.grid, cell_angstrom=None, sampling=None)
    path = tomogram_file.with_name("other.mrc")
    write_mrc(path, replace(volume, data=values, grid=grid, name="other"))
    return path


@pytest.fixture
def both(viewer, adapt, other_file, monkeypatch):
    """The two tomograms chosen as target: one was open, the other is opened."""
    adapt.target.kind_box.setCurrentIndex(adapt.target.kind_box.findData("layers"))
    monkeypatch.setattr(target_group, "ask_files", lambda *args: [other_file])
    adapt.target.open_button.click()
    return viewer.layers["tomo"], viewer.layers["other"]


def test_files_chosen_together_are_the_target(
    viewer, adapt, tomogram_file, other_file, monkeypatch
):
    assert not adapt.target.layer_list.isVisibleTo(adapt)
    files = [other_file, tomogram_file]
    monkeypatch.setattr(target_group, "ask_files", lambda *args: files)
    adapt.target.open_button.click()
    assert adapt.target.layer_list.isVisibleTo(adapt)
    assert not adapt.target.layer_box.isVisibleTo(adapt)
    assert not adapt.target.picks_box.isVisibleTo(adapt)
    names = {layer.unique_id: layer.name for layer in viewer.layers}
    assert len(names) == 3
    chosen = adapt.request().layers
    assert sorted(names[key] for key in chosen) == ["other", "tomo [1]"]
    viewer.layers.remove("other")
    assert [names[key] for key in adapt.request().layers] == ["tomo [1]"]


def test_each_tomogram_gets_a_mask_and_that_of_the_shown_one_is_visible(
    viewer, adapt, both, until, tmp_path
):
    _, other = both
    assert {layer.unique_id for layer in both} == set(adapt.request().layers)
    until(
        lambda: (
            "Protein is" in adapt.target.contrast_note.text()
            or "⚠" in adapt.target.contrast_note.text()
        )
    )
    adapt.bar.start_button.click()
    until(lambda: "tomo mask" in viewer.layers and "other mask" in viewer.layers)
    until(lambda: not adapt.controller.busy)
    masks = {name: viewer.layers[f"{name} mask"] for name in ("tomo", "other")}
    for layer in both:
        mask = masks[layer.name]
        assert mask.data.shape == layer.data.shape
        np.testing.assert_allclose(mask.translate, layer.translate)
    assert (masks["other"].visible, masks["tomo"].visible) == (True, False)  # it was opened last
    assert "other: " in adapt.result.found.text()
    assert "tomo: " in adapt.result.found.text()
    assert adapt.controller.mask.labels_key == masks["other"].unique_id
    other.visible = False
    assert adapt.controller.mask.labels_key == masks["tomo"].unique_id
    values = {name: viewer.layers[f"{name} probability"].data for name in masks}
    threshold = round(float(np.quantile(values["tomo"], 0.8)), 2)
    adapt.result.threshold_slider.setValue(threshold)  # one slider for both
    until(lambda: all(np.array_equal(masks[n].data > 0, values[n] >= threshold) for n in masks))
    for layer in list(masks.values()):
        viewer.layers.remove(layer)
    adapt.result.segment_button.click()
    until(lambda: "tomo mask" in viewer.layers and "other mask" in viewer.layers)
    until(lambda: not adapt.controller.busy)


def test_the_live_prediction_follows_the_tomogram_that_is_shown(adapt, both):
    _, other = both
    live = adapt.controller.live
    places = [
        (layer.unique_id, adapt.controller._scene.placement(layer.unique_id)) for layer in both
    ]
    wish = live.begin(*places[0], adapt.request().run, 10, places[1:])
    assert wish is not None
    assert wish.tomogram == 1
    assert wish.view is not None
    other.visible = False
    assert wish.tomogram == 0
    other.visible = True
    assert wish.tomogram == 1
    live.ended()


def test_the_check_shows_boxes_on_each(viewer, adapt, both, until):
    adapt.training.form.fields["steps"].setValue(20)  # 40 boxes: some of each
    adapt.check.button.click()
    until(lambda: {"tomo boxes", "other boxes"} <= {layer.name for layer in viewer.layers})
    until(lambda: not adapt.controller.busy)
    assert "in 2 tomograms" in _rows(adapt)
    adapt.check.button.click()
    assert "tomo boxes" not in viewer.layers
    assert "other boxes" not in viewer.layers


def test_a_layer_of_another_voxel_size_is_named(viewer, adapt, both):
    viewer.add_image(
        np.random.default_rng(0).normal(size=(16, 20, 20)).astype(np.float32),
        name="fine",
        scale=(6.0,) * 3,
        units=("angstrom",) * 3,
    )
    adapt.target.choose(viewer.layers["fine"].unique_id)
    assert "the voxel size" in adapt.notice.text()
    adapt.bar.start_button.click()
    assert "The tomograms of a run need one voxel size" in adapt.notice.text()
    assert not adapt.controller.busy


def _rows(adapt) -> str:
    return " ".join(label.text() for label in adapt.check.findChildren(QLabel))

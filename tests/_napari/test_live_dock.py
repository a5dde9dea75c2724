"""The prediction on the tomogram, live and of snapshots, through the real dock in a real viewer."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from napari_voxuda._napari.docks import AdaptWidget


@pytest.fixture
def dock(viewer, tmp_path):
    dock = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA adapt")[1]
    dock.training.run_row.set_paths([tmp_path / "run"])
    for name, value in {"steps": 100_000, "batch": 2, "checkpoint_every": 1000}.items():
        dock.training.form.fields[name].setValue(value)
    for name, value in {"stem": 2, "body": 4, "head": 1}.items():
        dock.training.form.nested["network"].fields[name].setValue(value)
    for name, value in {"count": 4, "box": 16, "neighbours": 0}.items():
        dock.source.form.fields[name].setValue(value)
    return dock


def _run_in(dock, place):
    dock.training.place_box.setCurrentIndex(dock.training.place_box.findData(place))


def _layer(viewer, name):
    return next((layer for layer in viewer.layers if layer.name == name), None)


def _slice_of(layer, tomogram):
    return round(float(tomogram.world_to_data(layer.data_to_world((0, 0, 0)))[0]))


@pytest.mark.parametrize("place", ["thread", "process"])
def test_the_live_prediction_follows_the_slice_and_can_be_sent_away(viewer, dock, until, place):
    _run_in(dock, place)
    tomogram = viewer.layers["tomo"]
    viewer.dims.set_current_step(0, 7)
    dock.bar.start_button.click()
    until(lambda: _layer(viewer, "Live prediction"))
    live = viewer.layers["Live prediction"]  # empty, before there is a network
    assert dock.progress.curves.points("total") == ([], [])
    assert live.data.max() == 0
    until(lambda: live.data.max() > 0)
    assert live.data.shape == (1, 40, 48)
    assert 0 <= live.data.min() < live.data.max() <= 1
    assert _slice_of(live, tomogram) == 7
    np.testing.assert_allclose(live.scale, tomogram.scale)
    assert live.units == tomogram.units
    assert viewer.layers.selection.active is tomogram
    assert dock.target.layer() == tomogram.unique_id
    until(lambda: "after step" in dock.live.note.text())
    # the slider of the viewer says where the next one is made
    viewer.dims.set_current_step(0, 12)
    until(lambda: _slice_of(live, tomogram) == 12)
    # old objects are kept out of garbage collections, which halt the window, until the run ends
    until(lambda: gc.get_freeze_count() > 0)
    # removed, it stays away until it is switched on again
    viewer.layers.remove(live)
    until(lambda: not dock.live.wanted())
    reached = len(dock.progress.curves.points("total")[0])
    until(lambda: len(dock.progress.curves.points("total")[0]) > reached + 3)
    assert _layer(viewer, "Live prediction") is None
    dock.live.box.click()
    until(lambda: _layer(viewer, "Live prediction"))
    dock.bar.stop_button.click()
    until(lambda: dock.bar.state_label.text().startswith("Stopped"))
    until(lambda: gc.get_freeze_count() == 0)
    until(lambda: _layer(viewer, "Live prediction") is None)


def test_the_slider_shows_snapshots_during_a_run_and_of_one_opened_again(
    viewer, dock, until, tmp_path
):
    _run_in(dock, "thread")
    dock.training.form.fields["steps"].setValue(4)
    dock.bar.start_button.click()
    until(lambda: _layer(viewer, "tomo mask"))
    until(lambda: dock.bar.state_label.text() == "Done")
    assert _layer(viewer, "Live prediction") is None
    assert dock.live.moment.text() == "Step 4 of 4"
    dock.live.slider.setValue(0)
    until(lambda: _layer(viewer, "Snapshot prediction"))
    assert dock.live.moment.text() == "Step 1 of 4"
    layer = viewer.layers["Snapshot prediction"]
    until(lambda: "at step 1" in dock.live.note.text())
    first = layer.data.copy()
    dock.live.slider.setValue(3)
    until(lambda: "at step 4" in dock.live.note.text())
    assert not np.array_equal(layer.data, first)
    viewer.dims.set_current_step(0, 3)
    until(lambda: _slice_of(layer, viewer.layers["tomo"]) == 3)
    # another session: the folder alone is enough
    viewer.layers.remove(layer)
    until(lambda: not dock.live.wanted())
    again = AdaptWidget(viewer)
    viewer.window.add_dock_widget(again, name="again")
    again.choose_target(viewer.layers["tomo"].unique_id)
    again.training.run_row.set_paths([tmp_path / "run"])
    until(lambda: again.live.moment.text() == "Step 4 of 4")
    again.live.slider.setValue(1)
    until(lambda: _layer(viewer, "Snapshot prediction"))

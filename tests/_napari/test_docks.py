"""The real docks in a real viewer."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from napari_voxuda._types import Message, Progress
from napari_voxuda.adaptation.events import StepDone
from napari_voxuda.app.jobs import AdaptResult
from napari_voxuda.gui.export.window import ExportWindow
from napari_voxuda.io.mrc import read_header, read_mrc


def _dock(viewer, name):
    return viewer.window.add_plugin_dock_widget("napari-voxuda", name)[1]


def _run_in(dock, place):
    dock.training.place_box.setCurrentIndex(dock.training.place_box.findData(place))


@pytest.fixture
def denoise(viewer):
    return _dock(viewer, "Denoise (IBF)")


def _layer(viewer, name):
    return next((layer for layer in viewer.layers if layer.name == name), None)


def _same_place(layer, source):
    np.testing.assert_allclose(layer.scale, source.scale)
    np.testing.assert_allclose(layer.translate, source.translate)
    assert layer.units == source.units
    assert layer.axis_labels == source.axis_labels


class Gate:
    """A task that waits in its step until the test lets it go on."""

    def __init__(self, monkeypatch, steps=100_000, error=None) -> None:
        self.go, self.stepping, self.closed = (threading.Event() for _ in range(3))
        self.steps, self.error = steps, error
        monkeypatch.setattr("napari_voxuda.app.adapt.task.adapt_task", self.adapt)
        monkeypatch.setattr("napari_voxuda.app.denoise.task.denoise_task", self.denoise)

    def adapt(self, job):
        yield from self._events()
        return AdaptResult(run=job.out, steps=self.steps)

    def denoise(self, job):
        yield Progress(stage="Denoising", done=0, total=2)
        yield from self._events()
        return job.volume

    def _events(self):
        try:
            for step in range(1, self.steps + 1):
                self.stepping.set()
                self.go.wait(30)
                self.closed.wait(0.005)  # a step takes a little, or the test floods the GUI
                yield StepDone(
                    step=step,
                    total=self.steps,
                    losses={"total": 1.0},
                    coverage=0.1,
                    foreground=0.1,
                    learning_rate=1e-3,
                    seconds_per_step=0.1,
                )
            yield Message(text="All steps done.")
            if self.error is not None:
                raise self.error
        finally:
            self.closed.set()


def test_the_whole_path_from_a_tomogram_to_an_exported_mask(
    viewer, denoise, adapt, until, tmp_path, tomogram_file, monkeypatch
):
    tomogram = viewer.layers["tomo"]
    # preview: follows the slider and the slice, and lies on the slice
    denoise.compare.divider_slider.setValue(0)
    denoise.preview_box.setChecked(True)
    until(lambda: _layer(viewer, "Denoise preview"))
    preview = viewer.layers["Denoise preview"]
    z = round(viewer.dims.point[0] / 12.0 - 10.0)
    assert preview.data.shape == (1, 40, 48)
    np.testing.assert_allclose(preview.data_to_world((0, 0, 0)), tomogram.data_to_world((z, 0, 0)))
    before = preview.data.copy()
    denoise.form.fields["sigma_range"].setValue(0.2)
    until(lambda: not np.array_equal(preview.data, before))
    viewer.dims.set_current_step(0, 3)
    until(lambda: tomogram.world_to_data(preview.data_to_world((0, 0, 0)))[0] == pytest.approx(3))
    shown = preview.data[0].copy()
    # apply: the same values, a layer at the same place
    denoise.bar.start_button.click()
    until(lambda: _layer(viewer, "tomo IBF"))
    denoised = viewer.layers["tomo IBF"]
    np.testing.assert_allclose(denoised.data[3], shown, atol=1e-5)
    _same_place(denoised, tomogram)
    assert _layer(viewer, "Denoise preview") is None
    # adapt, with the real task
    adapt.choose_target(tomogram.unique_id)
    assert adapt.target.voxel_box.value() == 12.0
    until(lambda: "Protein" in adapt.target.contrast_note.text())
    adapt.bar.start_button.click()
    until(lambda: _layer(viewer, "tomo mask"))
    until(lambda: adapt.bar.state_label.text() == "Done")
    assert adapt.progress.curves.points("total")[0] == [1, 2, 3, 4]
    assert not adapt.progress.preview.isHidden()
    assert (tmp_path / "run" / "model.safetensors").is_file()
    mask, probability = viewer.layers["tomo mask"], viewer.layers["tomo probability"]
    assert mask._type_string == "labels"
    for layer in (mask, probability):
        _same_place(layer, tomogram)
    # threshold: live, and undone with one step
    values = probability.data
    first = mask.data.copy()
    threshold = round(float(np.quantile(values, 0.8)), 2)
    adapt.result.threshold_slider.setValue(threshold)
    until(lambda: np.array_equal(mask.data, values >= threshold))
    mask.undo()
    np.testing.assert_array_equal(mask.data, first)
    mask.redo()
    # export and read again
    adapt.result.export_button.click()
    window = viewer.window._qt_window.findChild(ExportWindow)
    window.options.name_line.setText("out")
    until(lambda: (tmp_path / "out.mrc") in [f.planned.path for f in window._files])
    until(window.bar.start_button.isEnabled)
    window.bar.start_button.click()
    until(lambda: "Saved" in window.notice.text())
    saved = read_mrc(tmp_path / "out.mrc")
    np.testing.assert_array_equal(saved.data, values >= threshold)
    assert saved.data.dtype == np.int8
    assert saved.grid == read_header(tomogram_file).grid


def test_segmenting_again_with_the_finished_run(viewer, adapt, until):
    adapt.bar.start_button.click()
    until(lambda: _layer(viewer, "tomo mask"))
    until(lambda: adapt.result.segment_button.isEnabled())
    viewer.layers.remove("tomo mask")
    adapt.result.segment_button.click()
    until(lambda: _layer(viewer, "tomo mask"))


@pytest.mark.parametrize(
    "text",
    ["CUDA out of memory. Tried to allocate 2 GiB", "DefaultCPUAllocator: not enough memory"],
)
def test_running_out_of_memory_is_said_and_the_docks_go_on(viewer, denoise, adapt, until, text):
    for dock, name in ((denoise, "tomo IBF"), (adapt, "tomo mask")):
        with pytest.MonkeyPatch.context() as patch:
            gate = Gate(patch, steps=1, error=RuntimeError(text))
            gate.go.set()
            dock.bar.start_button.click()
            until(lambda dock=dock: dock.bar.state_label.text() == "Failed")
        until(lambda dock=dock: "Memory ran out" in dock.notice.text())
        assert dock.bar.start_button.isEnabled()
        dock.bar.start_button.click()
        until(lambda name=name: _layer(viewer, name))


def test_pause_holds_resume_goes_on_and_stop_ends(adapt, until, monkeypatch):
    gate = Gate(monkeypatch)
    gate.go.set()
    adapt.bar.start_button.click()
    until(lambda: adapt.progress.curves.points("total")[0])
    adapt.bar.pause_button.click()
    until(lambda: adapt.bar.state_label.text().startswith("Paused"))
    assert not adapt.bar.pause_button.isEnabled()
    assert adapt.bar.resume_button.isEnabled()
    assert not gate.closed.is_set()
    adapt.bar.resume_button.click()
    done = len(adapt.progress.curves.points("total")[0])
    until(lambda: len(adapt.progress.curves.points("total")[0]) > done)
    adapt.bar.stop_button.click()
    until(lambda: adapt.bar.state_label.text() == "Stopped")
    assert gate.closed.is_set()
    assert adapt.bar.start_button.isEnabled()


def test_a_stopped_run_is_resumed_from_disk(viewer, adapt, until, tmp_path):
    adapt.training.form.fields["steps"].setValue(6)
    adapt.training.form.fields["checkpoint_every"].setValue(1)
    adapt.bar.start_button.click()
    until(lambda: adapt.progress.curves.points("total")[0])
    adapt.bar.stop_button.click()
    until(lambda: adapt.bar.start_button.isEnabled())
    if adapt.bar.state_label.text() == "Stopped":
        until(lambda: adapt.bar.resume_button.isEnabled())
        adapt.bar.resume_button.click()
    until(lambda: _layer(viewer, "tomo mask"))
    steps = adapt.progress.curves.points("total")[0]
    assert steps[-1] == 6


def _from_the_pdb(adapt, entries):
    adapt.source.kind_box.setCurrentIndex(adapt.source.kind_box.findData("pdb"))
    adapt.source.entry_row.line.setText(entries)


def test_structures_are_fetched_while_the_dock_stays_alive(
    viewer, adapt, until, pdb_sites, pdb_file, tmp_path
):
    for entry in ("1abc", "1abd"):
        pdb_sites.put(f"/rcsb/{entry}.cif.gz", pdb_file(entry))
    _from_the_pdb(adapt, "1abc 1abd")
    pdb_sites.held.clear()
    adapt.bar.start_button.click()
    until(lambda: pdb_sites.asked)
    until(lambda: "Fetching 1abc" in adapt.progress.messages.toPlainText())
    assert adapt.bar.stop_button.isEnabled()
    adapt.bar.stop_button.click()
    pdb_sites.held.set()
    until(lambda: adapt.bar.state_label.text() == "Stopped")
    assert pdb_sites.asked == ["/rcsb/1abc.cif.gz"]
    assert not (tmp_path / "run").exists()
    adapt.bar.start_button.click()
    until(lambda: _layer(viewer, "tomo mask"))
    assert pdb_sites.asked == ["/rcsb/1abc.cif.gz", "/rcsb/1abd.cif.gz"]
    assert '"1abd"' in (tmp_path / "run" / "run.json").read_text()


def test_a_structure_that_cannot_be_fetched_is_said_in_the_dock(adapt, until, pdb_sites, tmp_path):
    for path in ("/rcsb/1bxn.cif.gz", "/pdbe/bx/1bxn.cif.gz"):
        pdb_sites.put(path, status=503)
    _from_the_pdb(adapt, "1bxn")
    adapt.bar.start_button.click()
    until(lambda: adapt.bar.state_label.text() == "Failed")
    until(lambda: "1bxn: the structure is not in the cache" in adapt.notice.text())
    assert "phantom" in adapt.notice.text().lower()
    assert not (tmp_path / "run").exists()


def test_stopping_the_denoiser_adds_no_layer(viewer, denoise, until, monkeypatch):
    gate = Gate(monkeypatch)
    denoise.bar.start_button.click()
    until(lambda: gate.stepping.is_set() and denoise.bar.stop_button.isEnabled())
    denoise.bar.stop_button.click()
    gate.go.set()
    until(lambda: denoise.bar.state_label.text() == "Stopped")
    assert [layer.name for layer in viewer.layers] == ["tomo"]


@pytest.mark.parametrize("how", ["viewer", "dock"])
@pytest.mark.parametrize("paused", [False, True])
def test_closing_mid_run_cancels_the_job_and_raises_nothing(
    viewer, adapt, until, monkeypatch, how, paused
):
    gate = Gate(monkeypatch)
    adapt.bar.start_button.click()
    until(lambda: gate.stepping.is_set() and adapt.bar.pause_button.isEnabled())
    job = adapt.controller._job
    if paused:
        adapt.bar.pause_button.click()
    if how == "viewer":
        viewer.close()
    else:
        viewer.window.remove_dock_widget(adapt)
        adapt.deleteLater()
    gate.go.set()
    until(gate.closed.is_set)
    until(lambda: not job.state.is_active)


def test_a_target_removed_mid_run_still_gets_its_mask(viewer, adapt, until, monkeypatch):
    tomogram = viewer.layers["tomo"]
    adapt.bar.start_button.click()
    until(lambda: adapt.progress.curves.points("total")[0])
    viewer.layers.remove(tomogram)
    until(lambda: _layer(viewer, "tomo mask"))
    _same_place(viewer.layers["tomo mask"], tomogram)


def test_a_layer_removed_during_its_preview_leaves_no_trace(viewer, denoise, until):
    denoise.preview_box.setChecked(True)
    until(lambda: _layer(viewer, "Denoise preview"))
    viewer.layers.remove("tomo")
    until(lambda: _layer(viewer, "Denoise preview") is None)
    assert denoise.layer() is None


def test_an_unusable_input_is_said_in_the_dock(viewer, adapt, until, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("mine")
    adapt.bar.start_button.click()
    until(lambda: adapt.bar.state_label.text() == "Failed")
    until(lambda: "thesis.txt" in adapt.notice.text())
    assert (tmp_path / "run" / "thesis.txt").read_text() == "mine"


def test_a_file_that_is_no_mrc_is_said_in_the_dock(adapt, tmp_path):
    broken = tmp_path / "broken.mrc"
    broken.write_bytes(b"no tomogram")
    adapt.controller.open(broken)
    assert "broken.mrc" in adapt.notice.text()


def test_open_adds_the_file_and_chooses_it(viewer, adapt, tomogram_file):
    other = tomogram_file.with_name("other.mrc")
    other.write_bytes(tomogram_file.read_bytes())
    adapt.controller.open(other)
    assert adapt.target.layer() == viewer.layers["other"].unique_id


def test_picks_are_read_in_voxels_of_the_target(viewer, adapt):
    tomogram = viewer.layers["tomo"]
    world = tomogram.data_to_world((10, 12, 12))
    points = viewer.add_points([world], name="picks", units=tomogram.units)
    adapt.target.picks_box.set_key(points.unique_id)
    picks = adapt.controller._scene.picks(points.unique_id, tomogram.unique_id)
    np.testing.assert_allclose(picks.positions, [(10, 12, 12)])
    assert adapt.request().picks == points.unique_id


def test_a_layer_without_a_voxel_size_is_asked_for_it(viewer, adapt, until, monkeypatch):
    gate = Gate(monkeypatch, steps=1)
    gate.go.set()
    layer = viewer.add_image(np.random.default_rng(0).normal(size=(20, 32, 32)), name="plain")
    adapt.choose_target(layer.unique_id)
    assert adapt.target.voxel_box.text() == "unknown"
    adapt.bar.start_button.click()
    assert "voxel size is unknown" in adapt.notice.text()
    adapt.target.voxel_box.setValue(13.6)
    adapt.bar.start_button.click()
    np.testing.assert_allclose(layer.scale, 13.6)
    assert [str(u) for u in layer.units] == ["angstrom"] * 3
    until(lambda: gate.closed.is_set() and not adapt.controller.busy)


def test_the_preview_of_the_first_slice_is_a_preview_like_any_other(viewer, denoise, until):
    tomogram = viewer.layers["tomo"]
    tomogram.contrast_limits = (-2.0, 1.0)
    viewer.dims.set_current_step(0, 0)
    denoise.preview_box.setChecked(True)
    until(lambda: _layer(viewer, "Denoise preview"))
    preview = viewer.layers["Denoise preview"]
    assert tuple(preview.contrast_limits) == (-2.0, 1.0)
    assert viewer.layers.selection.active is tomogram
    assert "napari_voxuda" not in preview.metadata


def test_a_dock_begins_with_the_selected_layer(viewer):
    first = viewer.layers["tomo"]
    viewer.add_image(first.data, name="newer")
    viewer.layers.selection.active = first
    for name in ("Denoise (IBF)", "Vox-UDA adapt"):
        dock = _dock(viewer, name)
        box = dock.layer_box if name == "Denoise (IBF)" else dock.target.layer_box
        assert box.key() == first.unique_id


def test_a_run_in_a_process_of_its_own_is_stopped_and_gone_on_with(viewer, adapt, until, tmp_path):
    assert type(adapt.training)().place() == "process"  # what a new dock has
    _run_in(adapt, "process")
    adapt.training.form.fields["steps"].setValue(100_000)
    adapt.choose_target(viewer.layers["tomo"].unique_id)
    adapt.bar.start_button.click()
    until(lambda: "step " in adapt.bar.state_label.text())
    adapt.bar.stop_button.click()
    until(lambda: adapt.bar.resume_button.isEnabled())
    assert list((tmp_path / "run" / "checkpoints").glob("*.safetensors"))
    assert not (tmp_path / "run" / "model.safetensors").exists()

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.app.adapt.test_preflight_words import preflight
from tests.app.conftest import LiveRowFacts

from napari_voxuda._types import Message, Progress
from napari_voxuda.adaptation.events import Alarm, CheckpointSaved, Preview, StepDone
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.adapt.controller import AdaptController
from napari_voxuda.app.adapt.request import AdaptRequest, LabelledLayers
from napari_voxuda.app.job import JobState
from napari_voxuda.app.jobs import AdaptResult, Segmentation, SegmentedFolder
from napari_voxuda.app.live.view import LivePiece
from napari_voxuda.app.mask.refinement import MaskChoice
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError, RunFolderError


class FakeView:
    def __init__(self) -> None:
        self.inputs = AdaptRequest()
        self.choice = MaskChoice(threshold=0.5)
        self.calls: list[tuple] = []
        self.live = LiveRowFacts()

    def request(self):
        if isinstance(self.inputs, Exception):
            raise self.inputs
        return self.inputs

    def target_layer(self):
        return self.inputs.layer

    def target_layers(self):
        return list(self.inputs.layers)

    def mask_choice(self):
        return self.choice

    def run_folder(self):
        return self.inputs.run

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kw: self.calls.append((name, *args, *kw.values()))

    def of(self, name):
        return [call[1:] for call in self.calls if call[0] == name]

    @property
    def said(self):
        return self.of("say")[-1]


def _step(step, total, **changes):
    facts = {
        "losses": {"total": 1.0},
        "coverage": 0.5,
        "foreground": 0.1,
        "learning_rate": 1e-3,
        "seconds_per_step": 2.0,
    }
    return StepDone(step=step, total=total, **{**facts, **changes})


class FakeTasks:
    """Stand-ins for the real tasks, as the controller sees them."""

    def __init__(self, monkeypatch) -> None:
        self.jobs: list = []
        self.events: list = [_step(1, 2), _step(2, 2)]
        self.error: Exception | None = None
        self.on_adapt = lambda job: None
        monkeypatch.setattr("napari_voxuda.app.adapt.task.adapt_task", self.adapt)
        monkeypatch.setattr("napari_voxuda.app.segment.task.segment_task", self.segment)
        monkeypatch.setattr(
            "napari_voxuda.app.segment.folder.segment_folder_task", self.segment_folder
        )
        monkeypatch.setattr("napari_voxuda.app.adapt.controller.preflight_task", self.check)
        self.report = preflight()

    def adapt(self, job):
        self.jobs.append(job)
        self.on_adapt(job)
        job.out.mkdir(parents=True, exist_ok=True)
        (job.out / "run.json").write_text("{}")
        yield from self.events
        if self.error is not None:
            raise self.error
        (job.out / "model.safetensors").write_bytes(b"")
        return AdaptResult(run=job.out, steps=2)

    def check(self, job):
        self.jobs.append(job)
        yield Progress(stage="Trying a step", done=0, total=1)
        if self.error is not None:
            raise self.error
        return self.report

    def segment_folder(self, job):
        self.jobs.append(job)
        yield Progress(stage="Segmenting", done=0, total=2)
        job.out.mkdir()
        return SegmentedFolder(out=job.out, masks=(job.out / "a.mrc", job.out / "b.mrc"))

    def segment(self, job):
        self.jobs.append(job)
        yield Progress(stage="Segmenting", done=1, total=1)
        probability = np.linspace(0, 1, job.volume.data.size, dtype=np.float32)
        volume = job.volume.with_data(
            probability.reshape(job.volume.shape), name="tomo probability"
        )
        mask = volume.with_data((volume.data >= 0.5).astype(np.uint8), name="tomo mask")
        return Segmentation(probability=volume, mask=mask, particles=[])


@pytest.fixture
def view(scene, tomogram, tmp_path, comparison_view):
    view = FakeView()
    view.comparison = comparison_view
    key = scene.add_volume(tomogram)
    view.inputs = AdaptRequest(
        layer=key, voxel_size_angstrom=10.0, run=tmp_path / "run", place="thread"
    )
    return view


@pytest.fixture
def tasks(monkeypatch):
    return FakeTasks(monkeypatch)


@pytest.fixture
def controller(view, scene, executor, tasks):
    return AdaptController(view, scene, executor)


def _labels(scene):
    return [f["volume"] for f in scene.layers.values() if f["kind"] == "labels"]


def test_a_run_ends_with_mask_and_probability_on_the_target_s_grid(
    controller, view, scene, executor, tasks, tmp_path
):
    controller.start()
    executor.run_all()
    assert view.of("show_state") == [(JobState.RUNNING,), (JobState.DONE,)]
    (mask,) = _labels(scene)
    assert mask.grid == scene.volume(view.inputs.layer).grid
    assert [f["name"] for f in scene.layers.values()] == ["tomo", "tomo probability", "tomo mask"]
    assert tasks.jobs[0].out == tmp_path / "run"
    assert tasks.jobs[1].model == tmp_path / "run"
    assert view.said == ("Done. The mask is the layer “tomo mask”.",)
    assert view.of("show_result")[-1][0] is True
    assert view.of("show_run")[-1] == (tmp_path / "run", False, True)


def test_events_become_curves_words_and_previews(controller, view, executor, tasks):
    preview = Preview(step=1, image=np.zeros((2, 2)), probability=np.zeros((2, 2)))
    saved = CheckpointSaved(step=1, path=Path("x"))
    warning = Message(text="Careful.", level="warning")
    tasks.events = [_step(1, 100), preview, saved, warning]
    controller.start()
    executor.run_all()
    assert view.of("show_step") == [(tasks.events[0],)]
    assert view.of("show_preview") == [(preview,)]
    assert ("Careful.", "warning") in view.of("log")
    assert ("Checkpoint saved at step 1.",) in view.of("log")
    line = view.of("show_progress")[0][0]
    assert (line.text, line.done, line.total) == ("step 1 of 100, 3 min 10 s left", 1, 100)


def test_the_threshold_makes_the_labels_again_in_place(controller, view, scene, executor):
    controller.start()
    executor.run_all()
    before = int(_labels(scene)[0].data.sum())
    view.choice = MaskChoice(threshold=0.9)
    controller.mask_changed()
    executor.run_all()
    assert len(_labels(scene)) == 1
    assert 0 < int(_labels(scene)[0].data.sum()) < before


def test_a_mask_that_the_user_removed_comes_back_with_the_threshold(
    controller, view, scene, executor
):
    controller.start()
    executor.run_all()
    key = next(k for k, f in scene.layers.items() if f["kind"] == "labels")
    scene.remove(key)
    controller.mask_changed()
    executor.run_all()
    assert len(_labels(scene)) == 1


def test_a_target_removed_mid_run_still_gets_its_mask(controller, view, scene, executor):
    grid = scene.volume(view.inputs.layer).grid
    controller.start()
    scene.remove(view.inputs.layer)
    executor.run_all()
    assert _labels(scene)[0].grid == grid


@pytest.mark.parametrize("text", ["CUDA out of memory. Tried", "DefaultCPUAllocator: no memory"])
def test_running_out_of_memory_is_said_and_the_run_can_be_resumed(
    controller, view, executor, tasks, text
):
    tasks.error = RuntimeError(text)
    controller.start()
    executor.run_all()
    assert view.of("show_state")[-1] == (JobState.FAILED,)
    words, level = view.said
    assert words.startswith("Memory ran out")
    assert level == "error"
    assert view.of("show_run")[-1][1:] == (True, False)
    tasks.error = None
    controller.resume()
    executor.run_all()
    assert tasks.jobs[1].resume is True
    assert tasks.jobs[1].out == tasks.jobs[0].out
    assert view.of("show_state")[-1] == (JobState.DONE,)


def test_a_run_folder_in_use_is_said_as_it_is(controller, view, executor, tasks):
    tasks.error = RunFolderError("run: this folder already holds a run.")
    controller.start()
    executor.run_all()
    assert view.said == ("run: this folder already holds a run.", "error")


def test_stopping_says_how_to_go_on(controller, view, executor, tasks):
    (view.inputs.run).mkdir()
    (view.inputs.run / "run.json").write_text("{}")
    controller.start()
    controller.cancel()
    executor.run_all()
    assert view.of("show_state") == [(JobState.CANCELLED,)]
    assert "Resume goes on" in view.said[0]


def test_without_a_chosen_folder_each_run_gets_a_new_one(
    controller, view, executor, tasks, tmp_path, monkeypatch
):
    monkeypatch.setattr("napari_voxuda.app.runs.places.runs_folder", lambda: tmp_path / "data")
    view.inputs = replace(view.inputs, run=None)
    for _ in range(2):
        controller.start()
        executor.run_all()
    first, second = (job.out for job in tasks.jobs if hasattr(job, "out"))
    assert first != second
    assert first.parent == tmp_path / "data"


def test_the_job_carries_what_the_user_chose(controller, view, scene, executor, tasks):
    positions = np.array([[1.0, 2.0, 3.0]])
    picks = scene.add("points", name="picks", picks=Picks(positions=positions))
    settings = AdaptSettings.preset("fast", steps=7)
    view.inputs = replace(
        view.inputs, picks=picks, contrast="dark", settings=settings, device="cpu", seed=5
    )
    controller.start()
    executor.run_all()
    job = tasks.jobs[0]
    assert (job.contrast, job.settings, job.device, job.seed) == ("dark", settings, "cpu", 5)
    np.testing.assert_array_equal(job.picks.positions, positions)
    assert job.voxel_size_angstrom == 10.0


def test_an_empty_points_layer_is_refused(controller, view, scene, executor, no_picks):
    picks = scene.add("points", name="picks", picks=no_picks)
    view.inputs = replace(view.inputs, picks=picks)
    controller.start()
    assert not executor.waiting
    assert "Picks" in view.said[0]


def test_an_unknown_voxel_size_is_asked_for_and_given_to_the_layer(
    controller, view, scene, executor, tasks
):
    plain = Volume(data=np.random.default_rng(0).normal(size=(6, 8, 8)), name="plain")
    key = scene.add_volume(plain)
    view.inputs = replace(view.inputs, layer=key, voxel_size_angstrom=None)
    controller.start()
    assert not executor.waiting
    assert "the voxel size is unknown" in view.said[0]
    view.inputs = replace(view.inputs, voxel_size_angstrom=13.6)
    controller.start()
    executor.run_all()
    assert scene.volume(key).grid.voxel_size_angstrom == (13.6,) * 3
    assert tasks.jobs[0].target.grid.voxel_size_angstrom == (13.6,) * 3
    assert _labels(scene)[0].grid.voxel_size_angstrom == (13.6,) * 3


def test_choosing_a_target_shows_its_voxel_size_and_contrast(controller, view, executor):
    controller.target_changed()
    assert view.of("show_voxel_size") == [(10.0, "From the layer.")]
    executor.run_all()
    assert "Protein" in view.of("show_contrast")[-1][0]


def test_inputs_that_do_not_fit_are_said(controller, view, executor):
    view.inputs = InputError("snr: low, high was wanted.")
    controller.start()
    assert view.said == ("snr: low, high was wanted.", "error")
    assert not executor.waiting


def test_no_target_is_said(controller, view, executor):
    view.inputs = replace(view.inputs, layer=None)
    controller.start()
    assert "Open a tomogram" in view.said[0]


def test_the_masks_of_a_folder_become_files_in_the_run(
    controller, view, scene, executor, tasks, tmp_path
):
    choice = MaskChoice(threshold=0.4, roundness=0.5, min_size_angstrom3=9e3)
    view.inputs = replace(view.inputs, layer=None, folder=tmp_path, contrast="dark", mask=choice)
    controller.start()
    executor.run_all()
    adapted, segmented = tasks.jobs
    run = view.inputs.run
    assert adapted.target == tmp_path
    assert (segmented.folder, segmented.model, segmented.out) == (tmp_path, run, run / "masks")
    assert (segmented.voxel_size_angstrom, segmented.contrast) == (10.0, "dark")
    assert not segmented.overwrite
    assert segmented.settings == choice.for_files()
    assert _labels(scene) == []
    assert view.said[0] == f"Done. The 2 masks lie in {run / 'masks'}."
    assert view.of("show_result")[-1] == (False, f"The 2 masks lie in {run / 'masks'}.")
    controller.segment()
    executor.run_all()
    assert tasks.jobs[-1].out == run / "masks-2"
    assert tasks.jobs[-1].contrast == "dark"
    assert tasks.jobs[-1].settings == choice.for_files()
    assert len(tasks.jobs) == 3


def test_a_folder_does_not_touch_the_mask_in_the_viewer(
    controller, view, scene, executor, tasks, tmp_path
):
    controller.start()
    executor.run_all()
    view.inputs = replace(view.inputs, layer=None, folder=tmp_path)
    controller.segment()
    executor.run_all()
    assert len(_labels(scene)) == 1
    assert view.of("show_result")[-1][0] is True
    assert "The 2 masks lie in" in view.said[0]


def test_an_ome_zarr_image_is_no_folder_of_volumes(controller, view, executor, tmp_path):
    (tmp_path / ".zattrs").write_text("{}")
    view.inputs = replace(view.inputs, layer=None, folder=tmp_path)
    controller.start()
    assert "one OME-Zarr image" in view.said[0]
    assert not executor.waiting


def test_a_finished_run_segments_another_layer(controller, view, scene, executor, tasks):
    view.inputs.run.mkdir()
    for name in ("run.json", "model.safetensors"):
        (view.inputs.run / name).write_text("{}")
    controller.run_folder_changed()
    assert view.of("show_run")[-1] == (view.inputs.run, False, True)
    controller.segment()
    executor.run_all()
    assert tasks.jobs[0].model == view.inputs.run
    assert len(_labels(scene)) == 1


def test_segmenting_without_a_model_is_refused(controller, view, executor):
    controller.segment()
    assert "finished run" in view.said[0]
    assert not executor.waiting


def test_an_alarm_is_shown_and_told(controller, view, executor, tasks):
    alarm = Alarm(step=30, kind="all background", text="Step 30, all background.", restored_step=20)
    tasks.events = [_step(29, 90), alarm]
    controller.start()
    executor.run_all()
    assert view.of("show_alarm") == [(alarm,)]
    assert ("Step 30, all background.", "warning") in view.of("log")


def test_the_mask_is_offered_for_export_with_what_it_comes_from(controller, scene, executor):
    with pytest.raises(InputError, match="no mask layer"):
        controller.mask.offer()
    controller.start()
    executor.run_all()
    offer = controller.mask.offer()
    assert [scene.layers[key]["name"] for key in offer.layers] == ["tomo mask"]
    assert offer.probability.grid.origin_angstrom == (5.0, 6.0, 7.0)
    assert offer.provenance.task == "segment"
    assert "threshold" in offer.provenance.settings["shown"]


def test_a_file_that_cannot_be_opened_is_said(controller, view):
    controller.open(Path("none.mrc"))
    assert view.said == ("none.mrc: there is no such file.", "error")


def test_the_live_prediction_lies_on_the_target_and_goes_with_the_run(
    controller, view, scene, executor, tasks
):
    piece = LivePiece(step=1, data=np.full((1, 8, 8), 0.5, dtype=np.float32), offset=(2, 0, 0))
    tasks.events = [_step(1, 2), piece, _step(2, 2)]
    seen = []
    tasks.on_adapt = lambda job: seen.append(job.live.view)
    add = scene.add_image

    def noted(data, placement, *, name, **facts):
        seen.append((name, facts.get("offset"), placement))
        return add(data, placement, name=name, **facts)

    scene.add_image = noted
    controller.start()
    executor.run_all()
    volume = scene.volume(view.inputs.layer)
    assert seen[1] == scene.view
    assert seen[0] == ("Live prediction", (2, 0, 0), volume.grid)
    assert "Shown: the prediction after step 1." in view.live.notes
    assert view.live.note == ""  # it has gone with its layer
    names = [f["name"] for f in scene.layers.values()]
    assert names == ["tomo", "tomo probability", "tomo mask"]


def _boxes(scene):
    return [facts for facts in scene.layers.values() if facts["kind"] == "shapes"]


def test_a_check_shows_boxes_and_a_report_and_is_taken_away(
    controller, view, scene, executor, tasks, tmp_path
):
    controller.check()
    executor.run_all()
    assert tasks.jobs[0].out == tmp_path / "run"
    (boxes,) = _boxes(scene)
    assert (boxes["name"], boxes["box"], boxes["starts"]) == ("tomo boxes", 32, ((0, 0, 0),))
    assert view.of("show_check") == [(tasks.report,)]
    assert not (tmp_path / "run").exists()
    controller.check()
    assert _boxes(scene) == []
    assert view.of("show_check")[-1] == (None,)
    assert not executor.waiting


def test_a_start_takes_the_check_away(controller, view, scene, executor):
    controller.check()
    executor.run_all()
    controller.start()
    assert _boxes(scene) == []
    executor.run_all()
    assert view.of("show_check")[-1] == (None,)


def test_boxes_that_the_user_removed_are_no_trouble(controller, scene, executor):
    controller.check()
    executor.run_all()
    scene.remove(next(k for k, f in scene.layers.items() if f["kind"] == "shapes"))
    controller.check()
    assert _boxes(scene) == []


def test_a_check_of_a_folder_shows_no_boxes(controller, view, scene, executor, tasks, tmp_path):
    tasks.report = replace(tasks.report, starts=())
    view.inputs = replace(view.inputs, layer=None, folder=tmp_path)
    controller.check()
    executor.run_all()
    assert _boxes(scene) == []
    assert view.of("show_check") == [(tasks.report,)]


def test_a_check_that_is_stopped_or_fails_shows_nothing(controller, view, scene, executor, tasks):
    controller.check()
    controller.cancel()
    executor.run_all()
    assert view.said == ("The check was stopped.",)
    tasks.error = RuntimeError("CUDA out of memory")
    controller.check()
    executor.run_all()
    assert view.said[1] == "error"
    assert view.of("show_check") == []
    assert _boxes(scene) == []


def test_the_job_carries_a_labelled_tomogram_and_picks_of_a_file(
    controller, view, scene, executor, tasks, tomogram, tmp_path
):
    labels = scene.add("labels", name="drawn", volume=tomogram)
    image = view.inputs.layer
    layers = LabelledLayers(image=image, labels=labels, contrast="dark")
    view.inputs = replace(view.inputs, labelled=layers, picks_file=tmp_path / "picks.star")
    controller.start()
    executor.run_all()
    job = tasks.jobs[0]
    assert job.picks == tmp_path / "picks.star"
    assert (job.labelled.labels, job.labelled.contrast) == (tomogram, "dark")
    controller._run = view.inputs.run
    controller.resume()
    executor.run_all()
    assert tasks.jobs[-2].labelled is None  # the run keeps its own copy
    view.inputs = replace(view.inputs, labelled=replace(layers, labels=None))
    controller.start()
    assert "a labels layer was wanted" in view.said[0]

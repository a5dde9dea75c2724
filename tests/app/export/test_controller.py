from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_voxuda.app.export.choice import OFFERED, ExportChoice, ExportOffer
from napari_voxuda.app.export.controller import ExportController
from napari_voxuda.app.job import JobState
from napari_voxuda.app.provenance import Provenance
from napari_voxuda.data.volume import Volume
from napari_voxuda.io.mrc import read_mrc
from napari_voxuda.io.provenance import read_sidecar


class FakeView:
    def __init__(self, folder: Path) -> None:
        self.inputs = ExportChoice(
            layers=(),
            formats=("mrc",),
            folder=folder,
            name="",
            user="jane",
            session="1",
            object_name="ribosome",
        )
        self.said, self.states, self.ready = [], [], (False, "")

    def choice(self):
        return self.inputs

    def change(self, controller, executor, **values):
        self.inputs = replace(self.inputs, **values)
        controller.changed()
        executor.run_all()

    def show_layers(self, masks, probabilities):
        self.masks = [c.name for c in masks]
        self.probabilities = [c.name for c in probabilities]

    def show_offer(self, offer, folder, pixel):
        self.proposed_folder, self.pixel = folder, pixel
        chosen = OFFERED if offer.probability is not None else None
        self.inputs = replace(
            self.inputs, layers=offer.layers, formats=offer.formats, probability=chosen
        )

    def show_name(self, name, *, editable):
        self.name, self.editable = name, editable
        if not self.inputs.name:
            self.inputs = replace(self.inputs, name=name)

    def show_options(self, options):
        self.options = options

    def show_preview(self, preview):
        self.preview = preview

    def show_ready(self, ready, words):
        self.ready = (ready, words)

    def show_state(self, state):
        self.states.append(state)

    def show_progress(self, line):
        self.line = line

    def say(self, text, level="info"):
        self.said.append((text, level))


@pytest.fixture
def view(tmp_path):
    (tmp_path / "out").mkdir()
    return FakeView(tmp_path / "out")


@pytest.fixture
def mask(scene, tomogram):
    file = Volume(data=tomogram.data, grid=tomogram.grid, name="tomo", path=Path("/data/tomo.mrc"))
    scene.add_volume(file)
    data = np.zeros(tomogram.shape, np.uint16)
    data[1:3, 1:3, 1:3] = 3
    return scene.add_labels(data, tomogram.grid, name="tomo mask")


@pytest.fixture
def controller(view, scene, executor, tomogram, mask):
    probability = tomogram.with_data(np.full(tomogram.shape, 0.5, np.float32))
    offer = ExportOffer(
        layers=(mask,),
        formats=("mrc",),
        probability=probability,
        provenance=Provenance(task="segment", seed=4),
    )
    made = ExportController(view, scene, executor, offer)
    made.begin()
    executor.run_all()
    return made


def test_what_was_offered_is_previewed(controller, view):
    assert view.masks == ["tomo mask"]
    assert view.probabilities == ["tomo, of the run", "tomo"]
    assert (view.proposed_folder, view.pixel) == (Path("/data"), 10.0)
    assert (view.name, view.editable) == ("tomo mask", True)
    assert [f.planned.path.name for f in view.preview.files] == ["tomo mask.mrc"]
    assert view.ready[0]


def test_files_are_written_with_header_and_provenance(controller, view, executor, scene, mask):
    view.change(controller, executor, formats=("mrc", "csv"), particles_from="labels")
    assert "2 files, 1 particle" in view.ready[1]
    controller.export()
    executor.run_all()
    assert view.states == [JobState.RUNNING, JobState.DONE]
    assert "2 files" in view.said[-1][0]
    saved = read_mrc(view.inputs.folder / "tomo mask.mrc")
    np.testing.assert_array_equal(saved.data, scene.volume(mask).data)
    assert saved.grid.origin_angstrom == (5.0, 6.0, 7.0)
    record = read_sidecar(view.inputs.folder / "tomo mask.mrc")
    assert (record["task"], record["seed"]) == ("segment", 4)
    assert "0.5000" in (view.inputs.folder / "tomo mask.csv").read_text()


def test_nothing_is_replaced_without_a_word(controller, view, executor):
    controller.export()
    executor.run_all()
    assert view.ready == (
        False,
        "1 file exists. Choose another name or folder, or tick “Replace files that exist”.",
    )
    controller.export()  # by whatever way: the task refuses as well
    executor.run_all()
    assert "it exists" in view.said[-1][0]
    view.change(controller, executor, overwrite=True)
    assert view.ready[0]
    controller.export()
    executor.run_all()
    assert view.said[-1][0].startswith("Saved")


def test_the_preview_follows_the_mask_and_measures_each_state_once(
    controller, view, executor, scene, mask, monkeypatch
):
    from napari_voxuda.app.export import controller as export_controller

    measured = []
    real = export_controller.found_particles
    monkeypatch.setattr(
        export_controller, "found_particles", lambda job: measured.append(job) or real(job)
    )
    view.change(controller, executor, formats=("ndjson",))
    assert view.preview.particles == 1
    view.change(controller, executor, name="other")
    assert len(measured) == 1
    scene.edit_labels(mask, np.array([0]), np.array([1], np.uint16))
    executor.run_all()
    assert view.preview.particles == 2
    assert len(measured) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"formats": ()}, "at least one format"),
        ({"folder": None}, "folder to write into"),
        ({"layers": ()}, "at least one mask"),
        ({"formats": ("mrc-per-label",), "label_names": "x"}, "1=ribosome"),
        ({"formats": ("copick-picks",), "user": "_"}, "copick user"),
        ({"formats": ("zarr-in-image",)}, "needs an OME-Zarr image"),
        ({"formats": ("probability-mrc",), "probability": None}, "needs a probability"),
        ({"name": "///"}, "letters or digits"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_written(controller, view, executor, changes, words):
    view.change(controller, executor, **changes)
    assert not view.ready[0]
    assert words in view.ready[1]
    controller.export()
    executor.run_all()
    assert view.said[-1][1] == "error"
    assert not list(view.inputs.folder.iterdir()) if view.inputs.folder else True


def test_several_masks_keep_their_own_names(controller, view, executor, scene, tomogram, mask):
    other = scene.add_labels(np.ones(tomogram.shape, np.uint8), tomogram.grid, name="b")
    view.change(controller, executor, layers=(mask, other))
    assert not view.editable
    assert [f.planned.path.name for f in view.preview.files] == ["tomo mask.mrc", "b.mrc"]
    controller.export()
    executor.run_all()
    assert read_sidecar(view.inputs.folder / "b.mrc")["task"] == "export"  # not of this run
    assert read_sidecar(view.inputs.folder / "tomo mask.mrc")["task"] == "segment"


def test_a_file_that_the_viewer_shows_is_never_replaced(
    controller, view, executor, scene, tomogram
):
    path = view.inputs.folder / "raw.mrc"
    path.write_bytes(b"mine")
    scene.add_volume(Volume(data=tomogram.data, grid=tomogram.grid, name="raw", path=path))
    view.change(controller, executor, name="raw", overwrite=True)
    assert "this is an input" in view.ready[1]
    controller.export()
    executor.run_all()
    assert path.read_bytes() == b"mine"


def test_stopping_leaves_whole_files_only(controller, view, executor):
    controller.export()
    controller.work.cancel()
    executor.run_all()
    assert "Stopped" in view.said[-1][0]
    assert list(view.inputs.folder.iterdir()) == []


def test_a_mask_that_is_gone_is_said(controller, view, executor, scene, mask):
    scene.remove(mask)
    controller.layers_changed()
    view.change(controller, executor)
    assert "at least one mask" in view.ready[1]

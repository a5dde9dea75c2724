"""What is shown on the tomogram of a run, when, and that it stays away once it is removed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.app.conftest import LiveRowFacts

from napari_voxuda._params import to_dict
from napari_voxuda.adaptation.learner import Learner
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.adaptation.snapshots import keep_snapshot
from napari_voxuda.app.live.controller import LiveController
from napari_voxuda.app.live.view import LivePiece
from napari_voxuda.app.scene import SliceView
from napari_voxuda.errors import InputError
from napari_voxuda.networks.settings import NetworkSettings


@pytest.fixture
def row():
    return LiveRowFacts()


@pytest.fixture
def target(scene, tomogram):
    return scene.add_volume(tomogram)


@pytest.fixture
def live(row, scene, executor, target):
    return LiveController(row, scene, executor, lambda: target)


def piece(step=1, value=0.5, z=2):
    return LivePiece(step=step, data=np.full((1, 8, 8), value, dtype=np.float32), offset=(z, 0, 0))


def shown(scene):
    return {f["name"]: f for f in scene.layers.values() if f["name"] != "tomo"}


@pytest.fixture
def run(tmp_path):
    """A run folder with snapshots of steps 2, 4 and 6, each of other weights."""
    import torch

    settings = AdaptSettings(steps=6, network=NetworkSettings(stem=2, body=4))
    card = {
        "network": to_dict(settings.network),
        "contrast": "dark",
        "normalisation": "volume",
        "voxel_size_angstrom": 10.0,
        "weights": "teacher",
        "mirrors": True,
    }
    folder = tmp_path / "run"
    folder.mkdir()
    for step in (2, 4, 6):
        learner = Learner(settings, torch.device("cpu"), step)
        keep_snapshot(folder, step, learner.weights(), card)
    return folder


def begin(live, scene, target, run):
    return live.begin(target, scene.placement(target), run, 6)


def test_the_run_is_told_what_is_in_view(live, scene, target, tmp_path):
    wish = begin(live, scene, target, tmp_path)
    assert wish.view == scene.view
    scene.view = SliceView(axis=0, index=4, start=(4, 0, 0), stop=(5, 8, 8))
    live.view_changed()
    assert wish.view.index == 4
    scene.view = None  # 3-D
    live.view_changed()
    assert wish.view is None


def test_a_folder_of_subtomograms_has_none_and_says_so(live, row, tmp_path):
    assert live.begin(None, None, tmp_path, 6) is None
    assert "folder of subtomograms has no live prediction" in row.note
    live.show_piece(piece())
    live.view_changed()
    live.ended()


def test_one_layer_follows_the_run_and_goes_with_it(live, scene, target, row, tmp_path):
    begin(live, scene, target, tmp_path)
    live.show_piece(piece(1))
    live.show_piece(piece(3, 0.75, z=4))
    layer = shown(scene)["Live prediction"]
    assert layer["offset"] == (4, 0, 0)
    assert layer["volume"].data[0, 0, 0] == 0.75
    assert row.note.endswith("after step 3.")
    assert live.is_own(next(c for c in scene.choices("image") if c.name == "Live prediction"))
    live.ended()
    assert shown(scene) == {}
    live.show_piece(piece(4))  # it was on its way when the run was stopped
    assert shown(scene) == {}


def the_layer(scene):
    (key,) = (k for k, f in scene.layers.items() if f["name"] == "Live prediction")
    return key


def test_the_layer_comes_empty_with_the_click_and_not_in_the_run(live, scene, target, row, run):
    def is_empty(key):
        return not scene.layers[key]["volume"].data.any()

    begin(live, scene, target, run)
    first = the_layer(scene)
    assert is_empty(first)
    assert scene.layers[first]["offset"] == (2, 0, 0)
    live.show_piece(piece())
    assert the_layer(scene) == first
    for on in (False, True):
        row.on = on
        live.wanted_changed()
    assert is_empty(the_layer(scene))
    live.choose(0)
    live.choose(3)  # now
    assert is_empty(the_layer(scene))


def test_none_on_a_tomogram_that_cannot_hold_it_and_the_run_starts(
    live, scene, target, row, tmp_path, monkeypatch
):
    def refuse(*arguments, **keywords):
        raise InputError("preview: a layer without rotation was wanted.")

    monkeypatch.setattr(scene, "add_image", refuse)
    assert begin(live, scene, target, tmp_path) is None
    assert row.note.startswith("There is no live prediction. preview: a layer without rotation")
    live.show_piece(piece())
    assert shown(scene) == {}


def test_switching_off_removes_it_and_costs_the_run_nothing(live, scene, target, row, tmp_path):
    wish = begin(live, scene, target, tmp_path)
    live.show_piece(piece())
    row.on = False
    live.wanted_changed()
    assert shown(scene) == {}
    assert wish.view is None
    live.show_piece(piece(2))
    assert shown(scene) == {}
    row.on = True
    live.wanted_changed()
    assert wish.view == scene.view
    live.show_piece(piece(3))
    assert "Live prediction" in shown(scene)


def test_a_layer_that_the_user_removes_stays_away(live, scene, target, row, tmp_path):
    wish = begin(live, scene, target, tmp_path)
    live.show_piece(piece())
    scene.remove(next(k for k, f in scene.layers.items() if f["name"] == "Live prediction"))
    live.layers_changed()
    assert row.on is False
    assert wish.view is None
    live.show_piece(piece(2))
    live.ended()
    wish = begin(live, scene, target, tmp_path)
    assert wish.view is None, "also in the next run"


def test_without_its_tomogram_the_run_goes_on_unseen(live, scene, target, tmp_path):
    wish = begin(live, scene, target, tmp_path)
    scene.remove(target)
    live.layers_changed()
    assert wish.view is None
    live.show_piece(piece())
    live.ended()
    assert shown(scene) == {}


def test_snapshots_of_an_opened_run_are_predicted_on_the_view(
    live, scene, target, row, run, executor, tomogram
):
    live.show_run(run)
    assert row.moments == ["Step 2 of 6", "Step 4 of 6", "Step 6 of 6"]
    assert row.at == 2
    assert shown(scene) == {}
    pictures = []
    for position in (0, 1, 2):
        live.choose(position)
        executor.run_all()
        layer = shown(scene)["Snapshot prediction"]
        pictures.append(np.array(layer["volume"].data))
        assert layer["offset"] == (2, 0, 0)
        assert row.note == f"Shown: the prediction at step {(2, 4, 6)[position]}."
    assert pictures[0].shape == (1, 8, 8)
    assert not np.allclose(pictures[0], pictures[1])
    # any other view, at the same snapshot
    scene.view = SliceView(axis=1, index=5, start=(0, 5, 0), stop=(6, 6, 8))
    live.view_changed()
    executor.run_all()
    layer = shown(scene)["Snapshot prediction"]
    assert (layer["offset"], layer["volume"].data.shape) == ((0, 5, 0), (6, 1, 8))


def test_only_the_newest_moment_is_predicted(live, scene, row, run, executor):
    live.show_run(run)
    for position in (0, 1, 0, 1, 2):
        live.choose(position)
    assert len(executor.waiting) == 1
    executor.run_all()
    assert len(executor.jobs) == 2
    assert row.note.endswith("at step 6.")


def test_looking_back_while_the_run_goes_on_and_forward_again(
    live, scene, target, row, run, executor
):
    wish = begin(live, scene, target, run)
    live.show_piece(piece(5))
    assert row.moments[-1] == "Now"
    assert row.at == 3
    live.choose(0)
    assert wish.view is None, "the run is not asked for what is not shown"
    executor.run_all()
    assert list(shown(scene)) == ["Snapshot prediction"]
    live.show_piece(piece(6))
    assert list(shown(scene)) == ["Snapshot prediction"]
    live.snapshot_kept()
    assert row.at == 0
    live.choose(3)
    assert wish.view == scene.view
    assert not scene.layers[the_layer(scene)]["volume"].data.any(), "not the snapshot's picture"
    live.show_piece(piece(6))
    assert list(shown(scene)) == ["Live prediction"]
    live.choose(1)
    executor.run_all()
    live.ended()
    assert list(shown(scene)) == ["Snapshot prediction"], "what was looked at stays"
    assert (row.moments[-1], row.at) == ("Step 6 of 6", 1)


def test_a_damaged_snapshot_is_left_out_with_a_sentence(live, scene, row, run, executor):
    path = run / "snapshots" / "step-00000004.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    live.show_run(run)
    live.choose(1)
    executor.run_all()
    assert row.note.startswith("The snapshot of step 4 is damaged and left out.")
    assert row.moments == ["Step 2 of 6", "Step 6 of 6"]
    assert shown(scene) == {}
    live.choose(1)
    executor.run_all()
    assert row.note.endswith("at step 6.")


def test_without_a_tomogram_as_target_it_asks_for_one(row, scene, executor, run):
    live = LiveController(row, scene, executor, lambda: None)
    live.show_run(run)
    live.choose(0)
    assert "Choose the tomogram" in row.note
    assert executor.waiting == []


def test_another_run_takes_the_old_picture_away(live, scene, row, run, executor, tmp_path):
    live.show_run(run)
    live.choose(0)
    executor.run_all()
    live.show_run(tmp_path / "none")
    assert shown(scene) == {}
    assert row.moments == []
    live.show_run(None)
    live.close()


def test_a_tomogram_that_cannot_be_normalised_is_told(live, scene, target, row, run, executor):
    volume = scene.layers[target]["volume"]
    scene.layers[target]["volume"] = replace(volume, data=np.zeros_like(volume.data))
    live.show_run(run)
    live.choose(0)
    executor.run_all()
    assert row.note.startswith("The snapshot could not be shown.")
    assert row.moments[0] == "Step 2 of 6"

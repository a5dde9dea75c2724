from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.app.runs.test_history import step

from napari_voxuda._params import to_dict
from napari_voxuda.adaptation.run_folder import RunFolder
from napari_voxuda.adaptation.run_scores import add_comparison, write_expected_dice
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.runs.overview import known_folders, list_runs, remember_folder, summarise


def make_run(path: Path, **changes: Any) -> Path:
    record = {
        "settings": to_dict(AdaptSettings.preset("fast", **changes)),
        "target": {"path": "/data/tomo.mrc"},
    }
    RunFolder.create(path, record).close()
    return path


def test_a_run_is_told_in_a_few_words(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    assert summarise(run).state_words == "step 0 of 400"
    assert summarise(run).score_words == ""
    with RunFolder.open(run) as folder:
        folder.log(step(120, 400))
        told = summarise(run)
        assert (told.state, told.state_words) == ("running", "running, 120 of 400")
    assert summarise(run).state_words == "step 120 of 400"
    (run / "model.safetensors").touch()
    write_expected_dice(run, 0.834)
    told = summarise(run)
    assert (told.state_words, told.score_words) == ("finished", "≈ 0.83")
    add_comparison(run, "truth.mrc", dice=0.7, iou=0.5)
    told = summarise(run)
    assert told.score_words == "0.70"
    facts = dict(told.details)
    assert facts["Target"] == "tomo.mrc"
    assert facts["Settings"] == "fast"
    assert facts["Dice"] == "0.700 against truth.mrc (IoU 0.500)"
    assert facts["Folder"] == str(run)


def test_a_run_is_named_without_its_time(tmp_path: Path) -> None:
    run = make_run(tmp_path / "tomo_7-20261126-091200-2")
    name, began = summarise(run).name_words.splitlines()
    assert name == "tomo_7"
    assert len(began) == len("26 Nov 09:12")
    (run / "run.json").write_text("{")
    assert summarise(run).name_words == "tomo_7"


def test_changed_settings_are_named(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", steps=7, learning_rate=1e-4)
    assert summarise(run).preset == "fast, changed: steps, learning rate"


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 99}'])
def test_a_damaged_record_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    told = summarise(tmp_path)
    assert told.state == told.state_words == "damaged"
    assert "run.json" in dict(told.details)["Problem"]


def test_an_old_or_odd_record_is_listed_all_the_same(tmp_path: Path) -> None:
    odd = {
        "format": 1,
        "created": 3,
        "settings": {"steps": "x"},
        "target": {},
        "provenance": {"inputs": 1},
    }
    (tmp_path / "run.json").write_text(json.dumps(odd))
    told = summarise(tmp_path)
    assert (told.state_words, told.target, told.created) == ("step 0 of 0", "", None)


def test_runs_of_several_places_are_listed_once_the_newest_first(tmp_path: Path) -> None:
    first = make_run(tmp_path / "many" / "b")
    second = make_run(tmp_path / "many" / "a")
    (tmp_path / "many" / "no run").mkdir()
    broken = tmp_path / "many" / "broken"
    broken.mkdir()
    (broken / "run.json").write_text("{")
    listed = list_runs([tmp_path / "many", first, tmp_path / "gone"])
    assert [run.path for run in listed] == [second, first, broken]


def test_chosen_folders_are_known_in_the_next_session(tmp_path: Path, monkeypatch: Any) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("VOXUDA_RUNS", str(home))
    assert known_folders() == [home]
    remember_folder(home / "run")
    assert not home.exists()  # known anyway
    for name in ("x", "y", "x"):
        remember_folder(tmp_path / name)
    assert known_folders() == [home, tmp_path / "y", tmp_path / "x"]
    (home / "known_runs.json").write_text("{")
    assert known_folders() == [home]

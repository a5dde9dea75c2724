from __future__ import annotations

from datetime import datetime

from napari_voxuda.app.runs.places import (
    RUNS_VARIABLE,
    fresh_run_folder,
    has_model,
    is_resumable,
    runs_folder,
)

_NOW = datetime(2025, 1, 2, 3, 4, 5)


def test_a_fresh_folder_is_new_and_named_after_the_target(tmp_path):
    first = fresh_run_folder("my tomo: 1/2", parent=tmp_path, now=_NOW)
    assert first == tmp_path / "my_tomo_1_2-20250102-030405"
    first.mkdir()
    assert fresh_run_folder("my tomo: 1/2", parent=tmp_path, now=_NOW).name.endswith("-1")


def test_a_name_of_nothing_but_signs_still_gives_a_folder(tmp_path):
    assert fresh_run_folder("///", parent=tmp_path, now=_NOW).name.startswith("run-")


def test_runs_are_kept_in_the_user_s_data_folder(monkeypatch):
    monkeypatch.delenv(RUNS_VARIABLE, raising=False)
    assert runs_folder().parts[-2:] == ("napari-voxuda", "runs")


def test_a_run_is_resumable_until_it_has_a_model(tmp_path):
    assert not is_resumable(tmp_path)
    assert not has_model(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    assert is_resumable(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert not is_resumable(tmp_path)
    assert has_model(tmp_path)


def test_the_names_are_those_of_the_run_folder():
    from napari_voxuda.adaptation.run_folder import RECORD_FILE
    from napari_voxuda.app.runs import places as run_places
    from napari_voxuda.networks.checkpoint import MODEL_FILE

    assert (run_places._RECORD, run_places._MODEL) == (RECORD_FILE, MODEL_FILE)

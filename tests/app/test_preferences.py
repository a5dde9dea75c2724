from __future__ import annotations

from napari_voxuda.app.preferences import Preferences, preferences, set_preferences
from napari_voxuda.app.runs.places import RUNS_VARIABLE, runs_folder


def test_new_runs_are_kept_where_the_user_prefers(tmp_path, monkeypatch):
    monkeypatch.delenv(RUNS_VARIABLE, raising=False)
    before = preferences()
    assert before.remember
    try:
        set_preferences(Preferences(runs_folder=tmp_path))
        assert runs_folder() == tmp_path
        monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path / "other"))
        assert runs_folder() == tmp_path / "other"
    finally:
        set_preferences(before)

from __future__ import annotations

import pytest
from napari import settings

from napari_voxuda._napari import preferences as page
from napari_voxuda.app.preferences import Preferences, preferences, set_preferences


@pytest.fixture(autouse=True)
def _restored():
    before = preferences()
    yield
    set_preferences(before)


@pytest.mark.skipif(
    not hasattr(settings, "get_plugin_settings"), reason="this napari has no plugin settings"
)
def test_the_preferences_of_napari_are_in_force_at_once(make_napari_viewer, tmp_path):
    viewer = make_napari_viewer()
    dock = viewer.window.add_plugin_dock_widget("napari-voxuda", "Denoise (IBF)")[1]
    assert preferences() == Preferences()
    docks = settings.get_plugin_settings("napari-voxuda").docks
    try:
        docks.runs_folder = str(tmp_path)
        docks.remember = False
        assert preferences() == Preferences(runs_folder=tmp_path, remember=False)
    finally:
        docks.runs_folder = ""
        docks.remember = True
    assert preferences() == Preferences()
    assert dock is not None


def test_a_napari_without_plugin_settings_has_the_defaults(monkeypatch):
    monkeypatch.delattr(settings, "get_plugin_settings", raising=False)
    page.follow_preferences()
    assert preferences() == Preferences()

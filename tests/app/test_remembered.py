from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from napari_voxuda.app.remembered import CONFIG_VARIABLE, Remembered, config_file


@pytest.fixture
def kept(tmp_path):
    return Remembered(tmp_path / "deep" / "docks.json")


def test_choices_come_back_in_another_session(kept):
    kept.put("adapt", {"preset": "default", "steps": 12, "files": ["/a b"]})
    kept.put("denoise", {"method": "ngm"})
    again = Remembered(kept.file)
    assert again.get("adapt") == {"preset": "default", "steps": 12, "files": ["/a b"]}
    assert again.get("denoise") == {"method": "ngm"}
    assert again.note == ""


def test_without_a_file_nothing_is_remembered_and_nothing_is_said(kept):
    assert kept.get("adapt") == {}
    kept.forget("adapt")
    assert not kept.file.exists()
    assert kept.note == ""


def test_two_windows_do_not_take_each_others_choices(kept):
    other = Remembered(kept.file)
    kept.put("adapt", {"seed": 1})
    other.put("refine", {"seed": 2})
    assert kept.get("refine") == {"seed": 2}
    assert other.get("adapt") == {"seed": 1}


def test_forgetting_one_dock_leaves_the_others(kept):
    kept.put("adapt", {"seed": 1})
    kept.put("refine", {"seed": 2})
    kept.forget("adapt")
    assert Remembered(kept.file).get("adapt") == {}
    assert Remembered(kept.file).get("refine") == {"seed": 2}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[1]",
        '{"format": 2, "docks": {}}',
        '{"format": 1, "docks": []}',
        "\x00" * 40,
        " " * (1 << 20) + "{}",
    ],
)
def test_a_damaged_file_means_defaults_with_a_note_and_is_kept(kept, text):
    kept.file.parent.mkdir()
    kept.file.write_text(text)
    assert kept.get("adapt") == {}
    assert "defaults" in kept.note
    assert kept.file.with_name("docks.json.damaged").read_text() == text
    kept.put("adapt", {"seed": 1})
    assert Remembered(kept.file).get("adapt") == {"seed": 1}


def test_choices_of_a_wrong_kind_are_none(kept):
    kept.file.parent.mkdir()
    kept.file.write_text(json.dumps({"format": 1, "docks": {"adapt": 7}}))
    assert kept.get("adapt") == {}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="every folder can be written")
def test_a_folder_without_rights_is_told_and_raises_nothing(kept):
    kept.file.parent.mkdir(mode=0o500)
    kept.put("adapt", {"seed": 1})
    assert "cannot be kept" in kept.note


def test_a_place_that_is_no_folder_is_told_and_raises_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    kept = Remembered(tmp_path / "file" / "docks.json")
    kept.put("adapt", {"seed": 1})
    assert "cannot be kept" in kept.note


def test_the_variable_names_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path))
    assert config_file() == tmp_path / "docks.json"
    monkeypatch.delenv(CONFIG_VARIABLE)
    assert config_file().parent != tmp_path
    assert config_file() != Path("docks.json")

from __future__ import annotations

import errno
import os

import pytest

from napari_voxuda.errors import OutputError
from napari_voxuda.io.zarr_folder import is_zarr_folder, zarr_folder


def make(path, text="new", **keywords):
    with zarr_folder(path, **keywords) as part:
        (part / "sub").mkdir()
        (part / ".zgroup").write_text(text)
        assert part.parent == path.parent
        assert part.name.startswith(".")


def test_a_folder_appears_whole(tmp_path):
    path = tmp_path / "a.zarr"
    make(path)
    assert is_zarr_folder(path)
    assert (path / "sub").is_dir()
    assert os.listdir(tmp_path) == ["a.zarr"]


def test_after_an_error_nothing_is_there(tmp_path):
    path = tmp_path / "a.zarr"

    def fail():
        with zarr_folder(path) as part:
            (part / "x").write_text("x")
            raise ValueError("midway")

    with pytest.raises(ValueError, match="midway"):
        fail()
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_said(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"), zarr_folder(tmp_path / "a"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert os.listdir(tmp_path) == []


def test_what_exists_is_replaced_only_when_asked(tmp_path):
    path = tmp_path / "a.zarr"
    make(path, "old")
    with pytest.raises(OutputError, match="it exists"):
        make(path)
    assert (path / ".zgroup").read_text() == "old"
    make(path, "new", overwrite=True)
    assert (path / ".zgroup").read_text() == "new"
    assert os.listdir(tmp_path) == ["a.zarr"]


def test_the_old_one_stays_when_writing_the_new_one_fails(tmp_path, monkeypatch):
    path = tmp_path / "a.zarr"
    make(path, "old")
    with pytest.raises(ValueError, match="midway"), zarr_folder(path, overwrite=True):
        raise ValueError("midway")
    assert (path / ".zgroup").read_text() == "old"

    def replace(source, target):
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(OutputError, match="permission denied"):
        make(path, "new", overwrite=True)
    assert (path / ".zgroup").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.zarr"]


def test_only_a_zarr_folder_is_ever_replaced(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(OutputError, match="only a zarr folder may be replaced"):
        make(tmp_path / "photos", overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="this is a file"):
        make(tmp_path / "file", overwrite=True)
    with pytest.raises(OutputError, match="does not exist"):
        make(tmp_path / "none" / "a.zarr")


def test_what_came_there_meanwhile_is_not_replaced(tmp_path):
    path = tmp_path / "a.zarr"

    def be_overtaken():
        with zarr_folder(path):
            path.mkdir()
            (path / "theirs").write_text("")

    with pytest.raises(OutputError, match="it exists"):
        be_overtaken()
    assert os.listdir(path) == ["theirs"]
    assert os.listdir(tmp_path) == ["a.zarr"]

from __future__ import annotations

import os
import stat

import pytest

from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io.atomic import atomic_path


def test_the_file_appears_whole_at_the_end(tmp_path):
    target = tmp_path / "out.txt"
    with atomic_path(target) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")
        assert temporary.suffix == ".part"
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_removes_the_temporary_and_keeps_the_old_file(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_path(target) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_errors_of_the_block_pass_unchanged(tmp_path):
    for error in (InputError("a"), FileNotFoundError(2, "b"), OutputError("c"), OSError("d")):
        with pytest.raises(type(error)) as caught, atomic_path(tmp_path / "out"):
            raise error
        assert caught.value is error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [28, 30, 122, 27, 13])
def test_a_full_or_forbidden_disk_is_an_output_error(tmp_path, number):
    with (
        pytest.raises(OutputError, match=r"out: cannot be written \(.+\)\."),
        atomic_path(tmp_path / "out"),
    ):
        raise OSError(number, os.strerror(number))


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path, words in {
        tmp_path / "none" / "out": "does not exist; make it first",
        tmp_path / "file" / "out": "is a file, not a folder|cannot be written here",
        tmp_path: "a file was wanted, got a folder",
        tmp_path / ("n" * 300): "cannot be written",
        loop: "cannot be written",
    }.items():
        with pytest.raises(OutputError, match=words), atomic_path(path) as temporary:
            temporary.write_text("x")
    assert {p.name for p in tmp_path.iterdir()} == {"file", "loop"}


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_read_only_folder(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    with pytest.raises(OutputError, match="permission denied"), atomic_path(folder / "out"):
        pass


def test_links_are_followed_and_stay_links(tmp_path):
    (tmp_path / "data").mkdir()
    real = tmp_path / "data" / "real.txt"
    real.write_text("old")
    link = tmp_path / "link.txt"
    link.symlink_to(real)
    with atomic_path(link) as temporary:
        assert temporary.parent == real.parent
        temporary.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_new_files_have_the_usual_permissions(tmp_path):
    (tmp_path / "usual").write_text("")
    with atomic_path(tmp_path / "out") as temporary:
        temporary.write_text("")
    usual, got = ((tmp_path / n).stat().st_mode for n in ("usual", "out"))
    assert stat.S_IMODE(got) == stat.S_IMODE(usual)

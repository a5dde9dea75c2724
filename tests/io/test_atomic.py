from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys

import pytest

from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io import atomic
from napari_voxuda.io.atomic import atomic_folder, atomic_path, remove_parts


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
        pytest.raises(OutputError, match=r"out: cannot be written \(.+\)"),
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


def die_while_writing(path, *, folder=False):
    """Let a process be killed in the middle of writing an output."""
    script = (
        "import os, signal, sys\n"
        "from napari_voxuda.io.atomic import atomic_folder, atomic_path\n"
        f"with {'atomic_folder' if folder else 'atomic_path'}(sys.argv[1]) as part:\n"
        f"    {'(part / chr(97))' if folder else 'part'}.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.skipif(os.name != "posix", reason="signals and locks of POSIX")
def test_what_killed_processes_leave_does_not_grow(tmp_path):
    target = tmp_path / "out.mrc"
    target.write_text("old")
    for _ in range(2):
        die_while_writing(target)
        assert target.read_text() == "old"
        assert {p.name for p in tmp_path.iterdir()} == {"out.mrc", ".out.mrc.part"}
    with atomic_path(target) as temporary:
        assert temporary.name == ".out.mrc.part"
        assert temporary.read_text() == ""
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="locks of POSIX")
def test_two_writers_of_one_file_do_not_disturb_each_other(tmp_path):
    target = tmp_path / "out"
    with atomic_path(target) as first:
        first.write_text("first")
        with atomic_path(target) as second:
            assert second != first
            second.write_text("second")
        assert target.read_text() == "second"
    assert target.read_text() == "first"
    assert list(tmp_path.iterdir()) == [target]


def test_without_locks_every_writer_has_a_file_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "fcntl", None)
    with atomic_path(tmp_path / "out") as first, atomic_path(tmp_path / "out") as second:
        assert first != second
    with atomic_folder(tmp_path / "folder") as part:
        (part / "a").write_text("")
    assert {p.name for p in tmp_path.iterdir()} == {"out", "folder"}


def test_no_file_is_begun_that_the_disk_cannot_hold(tmp_path):
    (tmp_path / "out").write_text("old")
    words = r"no space left on device\): 1048576000000\.0 MiB are needed, [\d.]+ MiB are free in .*Make room"
    with (
        pytest.raises(OutputError, match=words),
        atomic_path(tmp_path / "out", needed_bytes=1_000_000 << 40),
    ):
        pytest.fail("nothing may be written")
    assert (tmp_path / "out").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt), atomic_folder(target) as part:  # noqa: PT012
        (part / "a").write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with atomic_folder(target) as part:
        (part / "a").write_text("whole")
        assert not target.exists()
    assert (target / "a").read_text() == "whole"
    with pytest.raises(OutputError, match="was something written there"), atomic_folder(target):
        pass
    assert (target / "a").read_text() == "whole"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="signals and locks of POSIX")
def test_a_folder_that_a_killed_process_left_is_taken_over(tmp_path):
    target = tmp_path / "out"
    die_while_writing(target, folder=True)
    assert [p.name for p in tmp_path.iterdir()] == [".out.part"]
    with atomic_folder(target) as part:
        assert list(part.iterdir()) == []
        (part / "b").write_text("")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert [p.name for p in target.iterdir()] == ["b"]


def test_only_parts_are_removed(tmp_path):
    for name in (".a.part", "b.part", ".hidden", "data.mrc"):
        (tmp_path / name).write_text("")
    assert remove_parts(tmp_path) == [".a.part"]
    assert {p.name for p in tmp_path.iterdir()} == {"b.part", ".hidden", "data.mrc"}
    assert remove_parts(tmp_path / "missing") == []

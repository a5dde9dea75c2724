from __future__ import annotations

from pathlib import Path

import pytest

from napari_voxuda.cli.outputs import check_new_file, check_new_folder
from napari_voxuda.errors import OutputError


def test_a_new_file_in_a_folder_is_fine_and_leaves_no_trace(tmp_path: Path) -> None:
    check_new_file(tmp_path / "out.mrc")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_needs_overwrite(tmp_path: Path) -> None:
    out = tmp_path / "out.mrc"
    out.write_text("kept")
    with pytest.raises(OutputError, match="exists; choose another name or add --overwrite"):
        check_new_file(out)
    check_new_file(out, overwrite=True)
    assert out.read_text() == "kept"


@pytest.mark.parametrize("alias", ["in.mrc", "../{}/in.mrc", "link.mrc", "hard.mrc"])
def test_an_input_is_never_an_output(tmp_path: Path, alias: str) -> None:
    source = tmp_path / "in.mrc"
    source.write_text("data")
    (tmp_path / "link.mrc").symlink_to(source)
    (tmp_path / "hard.mrc").hardlink_to(source)
    with pytest.raises(OutputError, match="this is an input"):
        check_new_file(tmp_path / alias.format(tmp_path.name), inputs=[source], overwrite=True)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"none does not exist; make it first"):
        check_new_file(tmp_path / "none" / "out.mrc")
    assert not (tmp_path / "none").exists()


def test_a_folder_is_no_output_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="a file was wanted as output"):
        check_new_file(tmp_path, overwrite=True)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that refuses files")
def test_a_folder_that_refuses_files_is_found_out() -> None:
    with pytest.raises(OutputError, match=r"the folder /proc cannot be written to"):
        check_new_file(Path("/proc/out.mrc"))
    with pytest.raises(OutputError, match=r"the folder /proc cannot be written to"):
        check_new_folder(Path("/proc/out/deep"))


def test_a_new_folder_may_have_missing_parents(tmp_path: Path) -> None:
    check_new_folder(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_fine_and_a_used_one_is_not(tmp_path: Path) -> None:
    check_new_folder(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="the folder is not empty"):
        check_new_folder(tmp_path)
    check_new_folder(tmp_path, may_exist=True)


def test_a_file_is_no_folder_nor_its_parent(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a folder was wanted as output, but this is a file"):
        check_new_folder(tmp_path / "file")
    with pytest.raises(OutputError, match="file is a file, not a folder"):
        check_new_folder(tmp_path / "file" / "deep" / "out")


def test_an_input_folder_is_no_output(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="this is an input"):
        check_new_folder(tmp_path, inputs=[tmp_path], may_exist=True)


def test_another_file_where_the_record_belongs_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out.mrc.json").write_text('{"mine": 1}')
    with pytest.raises(OutputError, match="another file has this name"):
        check_new_file(tmp_path / "out.mrc", overwrite=True)


def test_only_a_zarr_folder_is_taken_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(OutputError, match="this is a folder"):
        check_new_file(tmp_path / "a.zarr", overwrite=True)
    (tmp_path / "a.zarr" / "zarr.json").write_text("{}")
    check_new_file(tmp_path / "a.zarr", overwrite=True)
    with pytest.raises(OutputError, match="exists"):
        check_new_file(tmp_path / "a.zarr")


def test_an_input_that_has_just_gone_is_no_output(tmp_path: Path) -> None:
    (tmp_path / "out.mrc").write_text("kept")
    check_new_file(tmp_path / "out.mrc", inputs=[tmp_path / "gone.mrc"], overwrite=True)

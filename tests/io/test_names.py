from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io.names import child, copick_name, file_name


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("TS_01", "TS_01"),
        ("../x", "_x"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("/absolute", "_absolute"),
        ("C:\\data\\TS", "C__data_TS"),
        ("a\0b", "a_b"),
        (" .hidden. ", "hidden"),
        ("CON", "_CON"),
        ("nul.mrc", "_nul.mrc"),
        ("com1", "_com1"),
        ("console", "console"),
        ("größe µ", "größe µ"),
    ],
)
def test_names_of_files(text, wanted):
    assert file_name(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ribosome", "ribosome"),
        ("80S ribosome_2", "80S-ribosome-2"),
        ("../x_y", "x-y"),
        ("a\0b/c", "a-b-c"),
        ("NUL", "NUL-"),
    ],
)
def test_names_for_copick(text, wanted):
    assert copick_name(text) == wanted


@pytest.mark.parametrize("make", [file_name, copick_name])
@pytest.mark.parametrize("text", ["", ".", "..", "///", " ", "___", "\0"])
def test_nothing_left_is_refused(make, text):
    with pytest.raises(InputError, match="run name: a name with letters or digits was wanted"):
        make(text, what="run name")


def test_long_names_are_cut_at_a_character():
    assert file_name("µ" * 4000) == "µ" * 48
    assert len(copick_name("x" * 4000)) == 60


@given(st.text())
def test_no_name_leaves_its_folder(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp()
    for make in (file_name, copick_name):
        try:
            name = make(text)
        except InputError:
            continue
        assert child(folder, name).parent == folder


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/x", "a/b", "a\\b", "a\0", " a", "c:"])
def test_what_is_no_plain_name_is_refused(tmp_path, name):
    with pytest.raises(OutputError, match="a plain name in this folder"):
        child(tmp_path, "ok", name)


def test_a_link_that_leads_out_is_refused(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path)
    with pytest.raises(OutputError, match="leads out"):
        child(tmp_path / "in", "link", "x")

"""JSON of unknown origin: bounded in size and depth, and no name that the system cannot write."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_voxuda.errors import FileFormatError
from napari_voxuda.io._json_files import finite_numbers, is_path, parsed, read_bounded

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_what_is_nested_too_deep_is_refused(tmp_path: Path) -> None:
    nested = '{"a": ' + "[" * 63 + "]" * 63 + "}"
    assert parsed(nested, tmp_path)["a"]
    deeper = '{"a": ' + "[" * 70 + "]" * 70 + "}"
    with pytest.raises(FileFormatError, match="more than 64 levels"):
        parsed(deeper, tmp_path)
    with pytest.raises(FileFormatError, match="JSON was wanted"):
        parsed("[" * 100_000, tmp_path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    os.truncate(tmp_path / "a.json", 1 << 40)
    with pytest.raises(FileFormatError, match="up to 256 MiB"):
        read_bounded(tmp_path / "a.json")


@pytest.mark.parametrize("value", ["1" * 400, "1e999", "NaN", "null", '"a"', "[1]"])
def test_numbers_are_finite_or_refused(tmp_path: Path, value: str) -> None:
    holder = json.loads(f'{{"x": {value}}}')
    with pytest.raises(FileFormatError, match="numbers"):
        finite_numbers(holder, "x", tmp_path, " here")


def test_what_can_be_a_path() -> None:
    assert is_path("a/ü.mrc")
    assert is_path(os.fsdecode(b"\xff.mrc"))
    for value in ("", "a\0b", "\ud800", None, 3, ["a"]):
        assert not is_path(value)


@settings(max_examples=200, deadline=None)
@given(value=_VALUES)
def test_any_value_is_an_object_or_refused(value: object) -> None:
    text = json.dumps(value)
    if isinstance(value, dict):
        assert isinstance(parsed(text, Path("a.json")), dict)
        return
    with pytest.raises(FileFormatError):
        parsed(text, Path("a.json"))

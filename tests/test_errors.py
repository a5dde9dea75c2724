"""What the command line and napari rely on in the error tree."""

from __future__ import annotations

import inspect

import pytest

from napari_voxuda import errors
from napari_voxuda.errors import VoxUDAError

ALL = [e for name in errors.__all__ if inspect.isclass(e := getattr(errors, name))]


def test_all_lists_every_error_of_the_module() -> None:
    defined = {
        name
        for name, value in inspect.getmembers(errors, inspect.isclass)
        if value.__module__ == errors.__name__
    }
    assert defined == {error.__name__ for error in ALL}


@pytest.mark.parametrize("error", ALL)
def test_no_error_is_a_runtime_error(error: type[VoxUDAError]) -> None:
    # napari's generator workers swallow RuntimeError.
    assert issubclass(error, VoxUDAError)
    assert not issubclass(error, RuntimeError)


@pytest.mark.parametrize("error", ALL)
def test_the_message_is_the_sentence_given(error: type[VoxUDAError]) -> None:
    assert str(error("One sentence.")) == "One sentence."


def test_exit_codes_are_distinct_and_non_zero() -> None:
    codes = [error.exit_code for error in ALL]
    assert len(set(codes)) == len(codes)
    assert all(0 < code < 64 for code in codes)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.InputError, ValueError),
        (errors.OutputError, OSError),
        (errors.DependencyError, ImportError),
    ],
)
def test_errors_are_caught_as_the_builtin_they_refine(
    error: type[VoxUDAError], builtin: type[Exception]
) -> None:
    with pytest.raises(builtin):
        raise error("One sentence.")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("Two lines:\n  the second.", "Two lines: the second"),
        ("a\x00b\x1b[31mred", "a b [31mred"),
        (KeyError(), "KeyError"),
        ("long " * 200, ("long " * 200)[:300] + "…"),
    ],
)
def test_foreign_words_come_on_one_line(said: BaseException | str, line: str) -> None:
    assert errors.one_line(said) == line


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a.mrc: wanted 3, got 4.", "a.mrc: wanted 3, got 4."),
        ("two\nlines", "two\\nlines"),
        ("\ud800 \x1b[31m \u202e", "\\ud800 \\x1b[31m \\u202e"),
        ("got " + "9" * 5000 + ".", "got " + "9" * 200 + "…" + "9" * 199 + "."),
    ],
)
def test_a_sentence_can_be_shown_whatever_a_file_puts_into_it(text, wanted):
    assert str(errors.InputError(text)) == wanted
    assert str(errors.OutputError(text)) == wanted


def test_a_sentence_has_an_end():
    assert len(str(errors.FileFormatError("word " * 10_000))) < 1300

from __future__ import annotations

import pytest

from napari_voxuda.app.words import error_words, time_words
from napari_voxuda.errors import InputError, is_out_of_memory


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0 s"),
        (0.4, "0 s"),
        (59, "59 s"),
        (60, "1 min 0 s"),
        (137, "2 min 10 s"),
        (3000, "50 min"),
        (7261, "2 h 1 min"),
    ],
)
def test_a_duration_is_rounded_for_reading(seconds, words):
    assert time_words(seconds) == words


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried 1e12 bytes"),
        OSError("[Errno 12] Cannot allocate memory"),
    ],
)
def test_running_out_of_memory_is_recognised_and_advised_on(error):
    assert is_out_of_memory(error)
    words = error_words(error, doing="adapting", memory_advice="Take a smaller batch.")
    assert words == "Memory ran out while adapting. Take a smaller batch."


def test_an_error_of_ours_is_shown_as_it_is():
    assert error_words(InputError("a: b."), doing="x", memory_advice="") == "a: b."


def test_an_unexpected_error_names_itself_and_what_to_do():
    words = error_words(KeyError("name"), doing="adapting", memory_advice="")
    assert "KeyError: 'name'" in words
    assert "Try again" in words
    assert not is_out_of_memory(ValueError("out of memory"))


def test_an_error_without_text_is_named():
    words = error_words(RuntimeError(), doing="adapting", memory_advice="")
    assert "(RuntimeError)" in words

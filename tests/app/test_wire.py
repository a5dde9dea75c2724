from __future__ import annotations

import io

import numpy as np
import pytest

from napari_voxuda.app.wire import portable, receive, send


def _through(value):
    stream = io.BytesIO()
    send(stream, value)
    size = stream.tell()
    stream.seek(0)
    return receive(stream), size


def test_values_follow_one_another_unchanged():
    stream = io.BytesIO()
    array = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    for value in ("next", {"a": array, "b": array[:, ::-1]}, None):
        send(stream, value)
    stream.seek(0)
    assert receive(stream) == "next"
    got = receive(stream)
    np.testing.assert_array_equal(got["a"], array)
    np.testing.assert_array_equal(got["b"], array[:, ::-1])
    got["a"][0, 0, 0] = 7  # what arrives can be worked on
    assert receive(stream) is None


@pytest.mark.parametrize("size", [0, 4, 20])
def test_a_cut_off_value_is_the_end(size):
    stream = io.BytesIO()
    send(stream, "a value")
    with pytest.raises(EOFError):
        receive(io.BytesIO(stream.getvalue()[:size]))


@pytest.mark.parametrize(
    "part",
    [
        lambda a: a,
        lambda a: a[3:9, ::2, 5:],
        lambda a: a.transpose(2, 0, 1)[::-1],
        lambda a: a[4],
    ],
    ids=["whole", "slices", "turned and mirrored", "a section"],
)
@pytest.mark.parametrize("offset", [0, 1024, 8192 + 4])
def test_a_memory_map_travels_as_the_name_of_its_file(tmp_path, part, offset):
    path = tmp_path / "tomo.bin"
    values = np.random.default_rng(0).normal(size=(10, 40, 50)).astype(">f4")
    path.write_bytes(bytes(offset) + values.tobytes())
    mapped = np.memmap(path, dtype=">f4", mode="r", offset=offset, shape=values.shape)
    got, size = _through(part(mapped))
    assert size < 2000 < values.nbytes
    assert got.dtype == values.dtype
    np.testing.assert_array_equal(got, part(values))


def test_what_was_computed_from_a_memory_map_travels_as_it_is(tmp_path):
    path = tmp_path / "tomo.bin"
    path.write_bytes(np.ones(100, dtype=np.float32).tobytes())
    mapped = np.memmap(path, dtype=np.float32, mode="r")
    got, _ = _through(mapped + 1)
    np.testing.assert_array_equal(got, np.full(100, 2, dtype=np.float32))


def test_an_error_that_does_not_travel_arrives_in_words():
    class Odd(Exception):
        def __init__(self, a, b):
            super().__init__(a)

    got = portable(Odd("not portable", 2))
    assert type(got) is RuntimeError
    assert "Odd: not portable" in str(got)

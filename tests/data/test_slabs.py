from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_voxuda.data.slabs import ArraySink, release_pages
from napari_voxuda.errors import InputError


def resident_file_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssFile:"):
            return int(line.split()[1]) * 1024
    pytest.skip("the system does not tell")


def test_slices_come_together_in_order():
    sink = ArraySink((5, 2, 3))
    data = np.arange(30).reshape(5, 2, 3)
    sink.append(data[:2])
    sink.append(data[2:])
    np.testing.assert_array_equal(sink.array(), data)
    assert sink.array().dtype == np.float32


@pytest.mark.parametrize("shape", [(6, 2, 3), (5, 3, 2)])
def test_other_slices_are_refused(shape):
    with pytest.raises(InputError, match=r"slices 0 to \d of a volume of shape"):
        ArraySink((5, 2, 3)).append(np.zeros(shape))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system has no /proc")
def test_pages_of_a_map_that_was_read_are_given_back(tmp_path):
    size = 64 << 20
    (tmp_path / "a").write_bytes(b"\1" * size)
    mapped = np.memmap(tmp_path / "a", np.uint8, mode="r", shape=(64, 1024, 1024))
    view = mapped.transpose(2, 1, 0)[1:]
    before = resident_file_bytes()
    assert int(mapped.sum()) == size
    assert resident_file_bytes() - before > size * 0.9
    release_pages(view)
    assert resident_file_bytes() - before < size * 0.1
    assert int(mapped[5, 6, 7]) == 1


def test_changes_that_are_in_memory_only_stay(tmp_path):
    (tmp_path / "a").write_bytes(b"\1" * 8192)
    for mode in ("c", "r+"):
        mapped = np.memmap(tmp_path / "a", np.uint8, mode=mode)
        mapped[:] = 7
        release_pages(mapped)
        assert (mapped == 7).all()
    release_pages(np.zeros(3))

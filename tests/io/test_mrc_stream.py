"""Files that are written slab by slab are those of the whole volume."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io.mrc import read_mrc, write_mask, write_mrc
from napari_voxuda.io.mrc_stream import scratch_sink, stream_mrc

GRID = Grid(
    voxel_size_angstrom=(7.84, 7.9, 8.1), origin_angstrom=(-3.5, 20.25, 1e-3), nstart=(4, -5, 6)
)
SHAPE = (11, 6, 7)


def values(kind: str = "f4") -> np.ndarray:
    return (np.random.default_rng(0).normal(3, 40, SHAPE).clip(0, 120)).astype(kind)


@pytest.mark.parametrize("cuts", [[11], [1] * 11, [4, 7], [10, 1]])
@pytest.mark.parametrize("suffix", [".mrc", ".rec.gz", ".map.bz2"])
def test_bytes_are_those_of_the_whole_volume(tmp_path, cuts, suffix):
    whole, streamed = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    data = values()
    write_mrc(whole, Volume(data=data, grid=GRID), label="test")
    with stream_mrc(streamed, SHAPE, GRID, label="test") as sink:
        first = 0
        for count in cuts:
            sink.append(data[first : first + count])
            first += count
        np.testing.assert_array_equal(sink.array(), data)
    assert streamed.read_bytes() == whole.read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_labels_are_those_of_a_mask(tmp_path):
    data = values("u1")
    write_mask(tmp_path / "a.mrc", Volume(data=data, grid=GRID), label="particles")
    with stream_mrc(tmp_path / "b.mrc", SHAPE, GRID, dtype="<i1", label="particles") as sink:
        sink.append(data)
    assert (tmp_path / "b.mrc").read_bytes() == (tmp_path / "a.mrc").read_bytes()


@pytest.mark.parametrize("suffix", [".mrc", ".mrc.gz"])
@pytest.mark.parametrize(
    ("slabs", "words"),
    [
        ([np.zeros((10, 6, 7))], "11 slices were wanted, got 10"),
        ([np.zeros((12, 6, 7))], "slices 0 to 11 of a volume of shape"),
        ([np.zeros((10, 6, 7)), np.zeros((2, 6, 7))], "slices 10 to 11"),
        ([np.zeros((11, 7, 6))], "got an array of shape"),
        ([np.full((11, 6, 7), np.nan)], "finite values were wanted"),
        ([np.full((11, 6, 7), 1e39)], "finite values were wanted"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_what_is_refused_leaves_the_old_file(tmp_path, slabs, words, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text("old")
    with pytest.raises(InputError, match=words), stream_mrc(path, SHAPE, GRID) as sink:
        list(map(sink.append, slabs))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_other_suffixes_are_refused(tmp_path):
    with (
        pytest.raises(OutputError, match="a name ending in"),
        stream_mrc(tmp_path / "a.tif", SHAPE, GRID),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "ascontiguousarray", full)
    with (
        pytest.raises(OutputError, match="no space left"),
        stream_mrc(tmp_path / "a.mrc", SHAPE, GRID) as sink,
    ):
        sink.append(values())
    with pytest.raises(OutputError, match="interim file for tomo cannot be written"):  # noqa: SIM117
        with scratch_sink(tmp_path, SHAPE, name="tomo") as sink:
            sink.append(values())
    assert list(tmp_path.iterdir()) == []


def test_a_scratch_file_has_no_name_and_gives_back_what_came(tmp_path):
    with scratch_sink(tmp_path, SHAPE) as sink:
        sink.append(values())
        found = sink.array()
        np.testing.assert_array_equal(found, values())
        assert isinstance(found, np.memmap)
        assert list(tmp_path.iterdir()) == []
    with (
        pytest.raises(OutputError, match="interim file"),
        scratch_sink(tmp_path / "nowhere", SHAPE),
    ):
        pass


def test_memory_is_that_of_a_slab(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_voxuda.io._mrc_write._SLAB_BYTES", 1 << 20)
    shape = (64, 256, 256)
    slab = np.random.default_rng(0).random((4, 256, 256), dtype=np.float32)
    tracemalloc.start()
    with stream_mrc(tmp_path / "a.mrc", shape, GRID) as sink:
        for _ in range(16):
            sink.append(slab)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 << 20
    np.testing.assert_array_equal(read_mrc(tmp_path / "a.mrc").data[-4:], slab)

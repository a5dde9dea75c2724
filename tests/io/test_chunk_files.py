"""Chunks that go, change, are damaged or unpack without end while an image is read."""

from __future__ import annotations

import gzip
import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest

from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import FileFormatError, TargetChangedError
from napari_voxuda.io import ome_zarr
from napari_voxuda.io._chunk_files import ChunkFiles
from napari_voxuda.io.zarr_image import write_image_zarr

zarr = pytest.importorskip("zarr")
numcodecs = pytest.importorskip("numcodecs")
VERSIONS = ("0.4", "0.5")


@pytest.fixture
def on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that writes an image and reads it chunk by chunk."""
    monkeypatch.setattr(ome_zarr, "_IN_MEMORY_BYTES", 0)

    def make(version: str = "0.4") -> tuple[Path, Volume]:
        path = tmp_path / "a.zarr"
        data = np.random.default_rng(0).normal(size=(70, 8, 8)).astype(np.float32)
        volume = Volume(data=data, grid=Grid(voxel_size_angstrom=(10.0,) * 3))
        write_image_zarr(path, volume, version=version, levels=1)
        return path, ome_zarr.read_ome_zarr(path)

    return make


def chunk_files(path: Path) -> list[Path]:
    files = (p for p in sorted((path / "0").rglob("*")) if p.is_file())
    return [p for p in files if not p.name.startswith(".") and p.suffix != ".json"]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_taken_away_is_told_and_not_read_as_zeros(on_disk, version):
    path, volume = on_disk(version)
    assert volume.data[0].any()
    chunk_files(path)[-1].unlink()
    with pytest.raises(TargetChangedError, match=r"has gone while the image was read.*Put"):
        volume.data[69]
    shutil.rmtree(path)
    assert volume.data[0].any()  # this chunk was kept


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_written_over_or_cut_short_is_told(on_disk, version):
    path, volume = on_disk(version)
    last = chunk_files(path)[-1]
    last.write_bytes(chunk_files(path)[0].read_bytes())
    with pytest.raises(TargetChangedError, match="has changed while"):
        volume.data[69]
    last.write_bytes(last.read_bytes()[:20])
    with pytest.raises(TargetChangedError, match="has changed while"):
        volume.data[69]


def test_a_chunk_that_was_never_written_is_full_of_the_fill_value(tmp_path):
    array = zarr.create_array(tmp_path / "a.zarr", shape=(8, 8, 8), chunks=(4, 8, 8), dtype="f4")
    array[:4] = 2
    volume = ome_zarr.read_ome_zarr(tmp_path / "a.zarr")
    assert (volume.data[:4] == 2).all()
    assert not volume.data[4:].any()


def test_a_damaged_chunk_is_told_also_where_it_is_read_late(on_disk):
    path, _ = on_disk()
    chunk_files(path)[-1].write_bytes(b"no chunk")
    volume = ome_zarr.read_ome_zarr(path)
    with pytest.raises(FileFormatError, match=r"its values cannot be read \(chunk"):
        volume.data[69]


@pytest.mark.parametrize(("codec", "pack"), [("gzip", gzip.compress), ("zlib", zlib.compress)])
def test_a_chunk_that_unpacks_without_end_is_refused(on_disk, codec, pack, monkeypatch):
    monkeypatch.setattr(ome_zarr, "_LARGEST_CHUNK_BYTES", 1 << 20)
    path, _ = on_disk()
    metadata = path / "0" / ".zarray"
    content = json.loads(metadata.read_text())
    metadata.write_text(json.dumps({**content, "compressor": {"id": codec, "level": 1}}))
    chunk_files(path)[0].write_bytes(pack(bytes(1 << 26)))
    with pytest.raises(FileFormatError, match="unpacks to up to 1 MiB was wanted"):
        ome_zarr.read_ome_zarr(path).data[0]


def test_shards_are_the_files(tmp_path):
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=(8, 8, 8), chunks=(4, 4, 4), shards=(8, 4, 4), dtype="f4"
    )
    array[:] = 1
    files = ChunkFiles(array, tmp_path, 1 << 30)
    with files.reading((1, 1, 0)):
        pass
    (tmp_path / "a.zarr" / "c" / "0" / "1" / "0").unlink()
    with pytest.raises(TargetChangedError, match="has gone"), files.reading((1, 1, 0)):
        pass


BLOSC = {
    "format 2": {"zarr_format": 2, "compressors": numcodecs.Blosc()},
    "format 3": {"zarr_format": 3, "compressors": zarr.codecs.BloscCodec()},
    "shards": {"zarr_format": 3, "compressors": zarr.codecs.BloscCodec(), "shards": (8, 8, 8)},
}
DAMAGES = {
    "one byte less": lambda packed: packed[:-1],
    "half a header": lambda packed: packed[:10],
    "one byte more promised": lambda packed: (
        packed[:12] + (len(packed) + 1).to_bytes(4, "little") + packed[16:]
    ),
}


@pytest.mark.parametrize(
    ("form", "damage"),
    [
        *((form, damage) for form in ("format 2", "format 3") for damage in DAMAGES),
        ("shards", "one byte more promised"),  # a shorter one has lost its index already
    ],
)
def test_the_blosc_decoder_reads_no_byte_beyond_a_chunk(tmp_path, form, damage):
    path = tmp_path / "a.zarr"
    values = np.random.default_rng(0).normal(size=(8, 8, 8)).astype("<f4")
    array = zarr.create_array(path, shape=(8, 8, 8), chunks=(4, 8, 8), dtype="f4", **BLOSC[form])
    array[:] = values
    np.testing.assert_array_equal(ome_zarr.read_ome_zarr(path).data, values)
    file = next(p for p in path.rglob("*") if p.is_file() and p.name[0] in "0c")
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    with pytest.raises(FileFormatError, match=r"packed with blosc were wanted, got .* cut short"):
        ome_zarr.read_ome_zarr(path)

from __future__ import annotations

import json
import os
import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from napari_voxuda.data.lazy import LazyArray
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import DependencyError, FileFormatError, InputError
from napari_voxuda.io.ome_zarr import _lazy, open_ome_zarr, read_ome_zarr, zarr_stem
from napari_voxuda.io.zarr_image import write_image_zarr

zarr = pytest.importorskip("zarr")

VALUES = np.arange(6 * 5 * 4, dtype=np.float32).reshape(6, 5, 4)


def make(
    path, *, version="0.4", unit="angstrom", arrays=None, axes="zyx", own=(), whole=None, **more
):
    """Write an image with zarr alone, following the specification's text."""
    arrays = {"0": VALUES} if arrays is None else arrays
    group = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    for name, values in arrays.items():
        group.create_array(name, data=values, chunks=(2,) * values.ndim)
    kinds = {"c": "channel", "t": "time"}
    described = [{"name": a, "type": kinds.get(a, "space")} for a in axes]
    for axis in described:
        if axis["type"] == "space" and unit is not None:
            axis["unit"] = unit
    transforms = list(own) or [[{"type": "scale", "scale": [1.0] * len(axes)}]] * len(arrays)
    multiscale = {
        "axes": described,
        "datasets": [
            {"path": name, "coordinateTransformations": steps}
            for name, steps in zip(arrays, transforms, strict=True)
        ],
    }
    if whole is not None:
        multiscale["coordinateTransformations"] = whole
    if version == "0.4":
        group.attrs.update({"multiscales": [{"version": "0.4", **multiscale}], **more})
    else:
        group.attrs.update({"ome": {"version": "0.5", "multiscales": [multiscale], **more}})
    return path


def scale(*values):
    return {"type": "scale", "scale": list(values)}


def shift(*values):
    return {"type": "translation", "translation": list(values)}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_values_and_place_worked_by_hand(tmp_path, version):
    # Voxel (z, y, x) of 10 x 12 x 13.6 Å, the first one's centre at (5, -3, 120) Å.
    steps = [scale(1.0, 1.2, 1.36), shift(0.5, -0.3, 12.0)]
    path = make(tmp_path / "TS_01.ome.zarr", version=version, unit="nanometer", own=[steps])
    volume = read_ome_zarr(path)
    np.testing.assert_array_equal(volume.data, VALUES)
    np.testing.assert_allclose(volume.grid.voxel_size_angstrom, (10, 12, 13.6))
    np.testing.assert_allclose(volume.grid.origin_angstrom, (5, -3, 120))
    np.testing.assert_allclose(volume.grid.position_angstrom((2, 1, 3)), (25, 9, 160.8))
    assert (volume.name, volume.path) == ("TS_01", path)
    assert open_ome_zarr(path).version == version


def test_transformations_of_the_whole_come_after_those_of_the_level(tmp_path):
    own = [[scale(2, 2, 2), shift(1, 1, 1)]]
    path = make(tmp_path / "a.zarr", own=own, whole=[scale(5, 5, 5), shift(100, 0, 0)])
    grid = read_ome_zarr(path).grid
    assert grid.voxel_size_angstrom == (10, 10, 10)
    assert grid.origin_angstrom == (105, 5, 5)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("angstrom", 1), ("nanometer", 10), ("micrometer", 1e4), ("meter", 1e10), ("picometer", 0.01)],
)
def test_units(tmp_path, unit, factor):
    path = make(tmp_path / "a.zarr", unit=unit, own=[[scale(2, 2, 2)]])
    np.testing.assert_allclose(read_ome_zarr(path).grid.voxel_size_angstrom, 2 * factor)


def test_without_a_unit(tmp_path):
    volume = read_ome_zarr(make(tmp_path / "a.zarr", unit=None))
    assert volume.grid.voxel_size_angstrom is None
    assert "does not tell the voxel size" in volume.warnings[0]
    volume = read_ome_zarr(make(tmp_path / "b.zarr", unit=None, own=[[scale(7, 7, 7)]]))
    assert volume.grid.voxel_size_angstrom == (7, 7, 7)
    assert "taken as Å" in volume.warnings[0]
    volume = read_ome_zarr(make(tmp_path / "c.zarr", unit="pixel"))
    assert volume.grid.voxel_size_angstrom is None
    assert "'pixel' is no length" in volume.warnings[0]


def test_levels(tmp_path):
    arrays = {"full": VALUES, "half": VALUES[::2, ::2, ::2]}
    path = make(tmp_path / "a.zarr", arrays=arrays, own=[[scale(4, 4, 4)], [scale(8, 8, 8)]])
    image = open_ome_zarr(path)
    assert [level.data.shape for level in image.levels] == [(6, 5, 4), (3, 3, 2)]
    assert all(isinstance(level.data, LazyArray) for level in image.levels)
    coarse = read_ome_zarr(path, level=1)
    np.testing.assert_array_equal(coarse.data, VALUES[::2, ::2, ::2])
    assert coarse.grid.voxel_size_angstrom == (8, 8, 8)
    with pytest.raises(InputError, match=r"from 0 .* to 1 was wanted, got 2"):
        read_ome_zarr(path, level=2)


def test_a_large_image_stays_on_disk(tmp_path, monkeypatch):
    path = make(tmp_path / "a.zarr")
    assert isinstance(read_ome_zarr(path).data, np.ndarray)
    monkeypatch.setattr("napari_voxuda.io.ome_zarr._IN_MEMORY_BYTES", 100)
    data = read_ome_zarr(path).data
    assert isinstance(data, LazyArray)
    np.testing.assert_array_equal(data[1:3, 2], VALUES[1:3, 2])


def test_axes_in_another_order_and_channels(tmp_path):
    turned = np.stack([VALUES.transpose(2, 1, 0), VALUES.transpose(2, 1, 0) + 1])  # c, x, y, z
    path = make(tmp_path / "a.zarr", arrays={"0": turned}, axes="cxyz", own=[[scale(1, 3, 2, 4)]])
    volume = read_ome_zarr(path)
    np.testing.assert_array_equal(volume.data, VALUES)
    assert volume.grid.voxel_size_angstrom == (4, 2, 3)
    assert any("2 along c; the first is taken" in w for w in volume.warnings)


def test_a_plain_array_and_bioformats2raw(tmp_path):
    zarr.create_array(tmp_path / "plain.zarr", data=VALUES, chunks=(2, 2, 2))
    volume = read_ome_zarr(tmp_path / "plain.zarr")
    np.testing.assert_array_equal(volume.data, VALUES)
    assert volume.grid.voxel_size_angstrom is None
    root = zarr.open_group(tmp_path / "bf.zarr", mode="w", zarr_format=2)
    root.attrs["bioformats2raw.layout"] = 3
    make(tmp_path / "bf.zarr" / "0", own=[[scale(2, 2, 2)]])
    assert read_ome_zarr(tmp_path / "bf.zarr").name == "bf"


@pytest.mark.parametrize("where", ["../other", "/etc", "a/../../b", "", "..", "a\\b"])
def test_levels_outside_of_the_image_are_refused(tmp_path, where):
    path = make(tmp_path / "a.zarr")
    attributes = json.loads((path / ".zattrs").read_text())
    attributes["multiscales"][0]["datasets"][0]["path"] = where
    (path / ".zattrs").write_text(json.dumps(attributes))
    with pytest.raises(FileFormatError, match="a level within the image was wanted"):
        open_ome_zarr(path)


class Unpickler:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("place", ["filters", "compressor"])
def test_pickled_chunks_run_no_code(tmp_path, place):
    path = make(tmp_path / "a.zarr")
    file, codec = path / "0" / ".zarray", {"id": "pickle", "protocol": 5}
    change = {place: [codec] if place == "filters" else codec}
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    for chunk in (p for p in (path / "0").rglob("*") if p.is_file() and p != file):
        if chunk.name != ".zattrs":
            chunk.write_bytes(pickle.dumps(Unpickler(tmp_path / "made")))
    with pytest.raises(FileFormatError):
        read_ome_zarr(path)
    assert not (tmp_path / "made").exists()


def test_pickle_is_refused_whatever_zarr_makes_of_it(tmp_path):
    array = zarr.create_array(tmp_path / "a.zarr", data=VALUES, chunks=(2, 2, 2))
    metadata = SimpleNamespace(to_dict=lambda: {"filters": [{"id": "pickle"}]})
    stand_in = SimpleNamespace(
        shape=array.shape, dtype=array.dtype, chunks=array.chunks, metadata=metadata
    )
    with pytest.raises(FileFormatError, match="could run code"):
        _lazy(stand_in, tuple("zyx"), tmp_path)


def test_a_promise_of_terabytes_takes_no_memory(tmp_path):
    path = make(tmp_path / "a.zarr")
    file = path / "0" / ".zarray"
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"shape": [10**6] * 3}))
    data = read_ome_zarr(path).data
    assert isinstance(data, LazyArray)
    file.write_text(json.dumps(content | {"shape": [10**6] * 3, "chunks": [10**6] * 3}))
    with pytest.raises(FileFormatError, match="GiB"):
        read_ome_zarr(path)


@pytest.mark.parametrize(
    "change",
    [
        {"multiscales": []},
        {"multiscales": [{}]},
        {"multiscales": "text"},
        {"multiscales": [{"axes": [{"name": "y"}, {"name": "x"}], "datasets": [{"path": "0"}]}]},
        {"multiscales": [{"axes": list("zyx"), "datasets": []}]},
        {"multiscales": [{"axes": list("zyx"), "datasets": [{"path": "missing"}]}]},
        {"multiscales": [{"axes": list("tzyx"), "datasets": [{"path": "0"}]}]},
    ],
    ids=str,
)
def test_damaged_metadata_are_refused_in_words(tmp_path, change):
    path = make(tmp_path / "a.zarr")
    (path / ".zattrs").write_text(json.dumps(change))
    with pytest.raises(FileFormatError, match=r"a\.zarr"):
        open_ome_zarr(path)


@pytest.mark.parametrize("value", [-1.0, 0.0, "x", float("nan")])
def test_impossible_scales_are_refused(tmp_path, value):
    path = make(tmp_path / "a.zarr")
    text = (path / ".zattrs").read_text()
    content = json.loads(text)
    dataset = content["multiscales"][0]["datasets"][0]
    dataset["coordinateTransformations"][0]["scale"][0] = value
    (path / ".zattrs").write_text(json.dumps(content))
    with pytest.raises(FileFormatError, match="cannot be understood"):
        open_ome_zarr(path)


def test_a_damaged_chunk_is_told(tmp_path):
    path = make(tmp_path / "a.zarr")
    chunk = next(p for p in (path / "0").rglob("*") if p.is_file() and not p.name.startswith("."))
    chunk.write_bytes(b"nonsense")
    with pytest.raises(FileFormatError, match="values cannot be read"):
        read_ome_zarr(path)


def test_what_is_no_image_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        open_ome_zarr(tmp_path / "none.zarr")
    with pytest.raises(FileFormatError, match="neither a group nor an array"):
        open_ome_zarr(tmp_path)
    root = zarr.open_group(tmp_path / "root.zarr", mode="w", zarr_format=3)
    root.create_group("inside")
    with pytest.raises(FileFormatError, match="found none; open one of the groups in it: inside"):
        open_ome_zarr(tmp_path / "root.zarr")
    (tmp_path / "bad.zarr").mkdir()
    (tmp_path / "bad.zarr" / "zarr.json").write_text("{")
    with pytest.raises(FileFormatError, match="cannot be read"):
        open_ome_zarr(tmp_path / "bad.zarr")


def test_a_missing_package_names_the_extra(tmp_path, monkeypatch):
    path = make(tmp_path / "a.zarr")
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(DependencyError, match=r'pip install "napari-voxuda\[zarr\]"'):
        read_ome_zarr(path)


@pytest.mark.parametrize(
    ("name", "stem"), [("a.zarr", "a"), ("a.ome.zarr", "a"), ("b", "b"), (".zarr", ".zarr")]
)
def test_stems(tmp_path, name, stem):
    assert zarr_stem(tmp_path / name) == stem


def test_damaged_metadata_are_told_by_us_alone(tmp_path):
    path = tmp_path / "a.zarr"
    write_image_zarr(path, Volume(data=np.ones((8, 8, 8), np.float32)), version="0.5", levels=1)
    content = json.loads((path / "zarr.json").read_text())
    (path / "zarr.json").write_text(json.dumps({**content, "attributes": {}}))
    (path / "0" / "zarr.json").write_text("{}")
    with pytest.raises(FileFormatError, match=r"found none|cannot be read"):
        open_ome_zarr(path)  # warnings are errors here

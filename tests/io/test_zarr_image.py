from __future__ import annotations

import json
import os

import numpy as np
import pytest

from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io.ome_zarr import open_ome_zarr, read_ome_zarr
from napari_voxuda.io.zarr_image import write_image_zarr, write_label_zarr

zarr = pytest.importorskip("zarr")

GRID = Grid(voxel_size_angstrom=(10.0, 12.0, 13.6), origin_angstrom=(5.0, -3.0, 0.0))
VERSIONS = pytest.mark.parametrize("version", ["0.4", "0.5"])


@pytest.fixture
def labels():
    data = np.zeros((5, 6, 7), np.uint16)
    data[1, 2, 3], data[4, 5, 6], data[2, 2, 2] = 1, 300, 7
    return Volume(data=data, grid=GRID, name="mask")


def attributes(path):
    """Return an image's own metadata as they stand on disk."""
    if (path / ".zattrs").exists():
        assert json.loads((path / ".zgroup").read_text()) == {"zarr_format": 2}
        return json.loads((path / ".zattrs").read_text())
    node = json.loads((path / "zarr.json").read_text())
    assert (node["zarr_format"], node["node_type"]) == (3, "group")
    return node["attributes"]["ome"]


@VERSIONS
def test_labels_come_back(tmp_path, labels, version):
    path = tmp_path / "mask.zarr"
    write_label_zarr(path, labels, version=version)
    volume = read_ome_zarr(path)
    np.testing.assert_array_equal(volume.data, labels.data)
    assert volume.data.dtype == np.uint16
    assert volume.grid == GRID
    image = open_ome_zarr(path)
    assert image.is_label
    assert image.version == version
    assert os.listdir(tmp_path) == ["mask.zarr"]


@VERSIONS
def test_the_metadata_are_those_of_the_specification(tmp_path, labels, version):
    path = tmp_path / "mask.zarr"
    write_label_zarr(path, labels, version=version, names={1: "ribosome"})
    found = attributes(path)
    (multiscale,) = found["multiscales"]
    assert [a["name"] for a in multiscale["axes"]] == ["z", "y", "x"]
    assert {(a["type"], a["unit"]) for a in multiscale["axes"]} == {("space", "angstrom")}
    (dataset,) = multiscale["datasets"]
    assert dataset["coordinateTransformations"] == [
        {"type": "scale", "scale": [10.0, 12.0, 13.6]},
        {"type": "translation", "translation": [5.0, -3.0, 0.0]},
    ]
    described = found["image-label"]
    assert [c["label-value"] for c in described["colors"]] == [1, 7, 300]
    assert all(len(c["rgba"]) == 4 for c in described["colors"])
    assert described["properties"] == [{"label-value": 1, "name": "ribosome"}]
    if version == "0.4":
        assert multiscale["version"] == described["version"] == "0.4"
        array = json.loads((path / "0" / ".zarray").read_text())
        assert array["dimension_separator"] == "/"
    else:
        assert found["version"] == "0.5"
        assert "version" not in multiscale
        array = json.loads((path / "0" / "zarr.json").read_text())
        assert array["dimension_names"] == ["z", "y", "x"]


def test_coarser_labels_are_every_second_voxel_at_its_own_place(tmp_path, labels):
    path = tmp_path / "a.zarr"
    write_label_zarr(path, labels, levels=3)
    image = open_ome_zarr(path)
    assert [level.data.shape for level in image.levels] == [(5, 6, 7), (3, 3, 4), (2, 2, 2)]
    for n, level in enumerate(image.levels):
        step = 2**n
        np.testing.assert_array_equal(np.asarray(level.data), labels.data[::step, ::step, ::step])
        # Voxel (1, 1, 1) of a level is voxel (step, step, step) of the finest.
        assert level.grid.position_angstrom((1, 1, 1)) == GRID.position_angstrom((step,) * 3)


def test_coarser_images_are_means_whose_middle_is_theirs(tmp_path):
    data = np.arange(4 * 4 * 5, dtype=np.float64).reshape(4, 4, 5)
    write_image_zarr(tmp_path / "p.zarr", Volume(data=data, grid=GRID), levels=3)
    fine, half, quarter = open_ome_zarr(tmp_path / "p.zarr").levels
    assert fine.data.dtype == np.float32
    values = np.asarray(half.data)
    assert values.shape == (2, 2, 3)
    assert values[0, 0, 0] == data[:2, :2, :2].mean()
    assert values[1, 1, 2] == data[2:, 2:, 4].mean()  # the odd last one is repeated
    # The mean of voxels 0 and 1 lies between them, that of 0 to 3 at 1.5.
    assert half.grid.position_angstrom((0, 0, 0)) == GRID.position_angstrom((0.5, 0.5, 0.5))
    assert quarter.grid.position_angstrom((0, 0, 0)) == GRID.position_angstrom((1.5, 1.5, 1.5))


def test_levels_go_down_to_128_voxels(tmp_path):
    write_label_zarr(tmp_path / "a.zarr", Volume(data=np.zeros((2, 3, 300), np.uint8)))
    assert [level.data.shape[2] for level in open_ome_zarr(tmp_path / "a.zarr").levels] == [
        300,
        150,
        75,
    ]


def test_a_volume_of_several_chunks_is_written_in_layers(tmp_path, monkeypatch):
    for name in ("_CHUNK", "_IMAGE_CHUNK"):
        monkeypatch.setattr(f"napari_voxuda.io.zarr_image.{name}", 3)
    data = np.random.default_rng(0).integers(0, 9, (8, 7, 10)).astype(np.uint8)
    write_label_zarr(tmp_path / "a.zarr", Volume(data=data), levels=2)
    full, half = open_ome_zarr(tmp_path / "a.zarr").levels
    np.testing.assert_array_equal(np.asarray(full.data), data)
    np.testing.assert_array_equal(np.asarray(half.data), data[::2, ::2, ::2])
    write_image_zarr(tmp_path / "b.zarr", Volume(data=data.astype(np.float32)), levels=2)
    wanted = np.pad(data, ((0, 0), (0, 1), (0, 0)), mode="edge").astype(np.float32)
    wanted = wanted.reshape(4, 2, 4, 2, 5, 2).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(
        np.asarray(open_ome_zarr(tmp_path / "b.zarr").levels[1].data), wanted
    )


def test_without_a_voxel_size_there_is_no_unit(tmp_path, labels):
    write_label_zarr(tmp_path / "a.zarr", Volume(data=labels.data), levels=2)
    (multiscale,) = attributes(tmp_path / "a.zarr")["multiscales"]
    assert all("unit" not in axis for axis in multiscale["axes"])
    assert multiscale["datasets"][1]["coordinateTransformations"] == [
        {"type": "scale", "scale": [2.0, 2.0, 2.0]}
    ]
    assert read_ome_zarr(tmp_path / "a.zarr").grid.voxel_size_angstrom is None


def test_what_is_no_label_or_no_number_is_refused_and_leaves_nothing(tmp_path, labels):
    path = tmp_path / "a.zarr"
    for data, words in [
        (labels.data - 1.5, "fractions"),
        (labels.data.astype(np.int32) - 1, "at least 0"),
        (labels.data.astype(np.int64) * 10**8, "below 2"),
    ]:
        with pytest.raises(InputError, match=words):
            write_label_zarr(path, Volume(data=data))
    with pytest.raises(InputError, match="labels up to 127 fit int8, got 300"):
        write_label_zarr(path, labels, dtype=np.int8)
    bad = np.zeros((3, 3, 3), np.float32)
    bad[1, 1, 1] = np.nan
    with pytest.raises(InputError, match="finite"):
        write_image_zarr(path, Volume(data=bad))
    with pytest.raises(InputError, match="real values"):
        write_image_zarr(path, Volume(data=bad.astype(complex)))
    assert os.listdir(tmp_path) == []


def test_what_exists_is_replaced_only_when_asked(tmp_path, labels):
    path = tmp_path / "a.zarr"
    write_label_zarr(path, labels)
    with pytest.raises(OutputError, match="it exists"):
        write_label_zarr(path, labels)
    write_label_zarr(path, labels.with_data(labels.data * 0), overwrite=True)
    assert read_ome_zarr(path).data.max() == 0
    assert os.listdir(tmp_path) == ["a.zarr"]

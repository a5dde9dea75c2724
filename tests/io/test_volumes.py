from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import FileFormatError, InputError
from napari_voxuda.io.mrc import write_mrc
from napari_voxuda.io.volumes import is_volume_folder, is_volume_name, read_volume, volume_stem

DATA = np.arange(60, dtype=np.float32).reshape(3, 4, 5)


def em_bytes():
    header = bytearray(512)
    header[0], header[3] = 6, 5
    struct.pack_into("<3i", header, 4, 5, 4, 3)
    return bytes(header) + DATA.tobytes()


def write(path):
    if ".zarr" in path.name:
        pytest.importorskip("zarr")
        from napari_voxuda.io.zarr_image import write_image_zarr

        write_image_zarr(
            path, Volume(data=DATA, grid=Grid(voxel_size_angstrom=(2.0,) * 3)), levels=2
        )
    elif ".tif" in path.name.lower():
        pytest.importorskip("tifffile").imwrite(path, DATA, photometric="minisblack")
    elif ".em" in path.name:
        path.write_bytes(em_bytes())
    else:
        write_mrc(path, Volume(data=DATA))


NAMES = [
    "TS_1.mrc",
    "TS_1.rec.gz",
    "TS_1.em",
    "TS_1.tif",
    "TS_1.TIFF",
    "TS_1.ome.zarr",
    "TS_1.zarr",
]


@pytest.mark.parametrize("name", NAMES)
def test_each_format_gives_the_same_volume(tmp_path, name):
    write(tmp_path / name)
    volume = read_volume(tmp_path / name)
    np.testing.assert_array_equal(volume.data, DATA)
    assert volume.name == volume_stem(tmp_path / name) == "TS_1"
    assert volume.path == tmp_path / name
    assert is_volume_name(name)
    assert is_volume_folder(tmp_path / name) == name.endswith("zarr")


def test_content_counts_more_than_the_name(tmp_path):
    write(tmp_path / "a.tif")
    (tmp_path / "a.tif").rename(tmp_path / "a.mrc")
    np.testing.assert_array_equal(read_volume(tmp_path / "a.mrc").data, DATA)
    write(tmp_path / "b.mrc")
    (tmp_path / "b.mrc").rename(tmp_path / "b.em")
    np.testing.assert_array_equal(read_volume(tmp_path / "b.em").data, DATA)


def test_levels(tmp_path):
    write(tmp_path / "a.zarr")
    assert read_volume(tmp_path / "a.zarr", level=1).shape == (2, 2, 3)
    write(tmp_path / "a.mrc")
    with pytest.raises(InputError, match="level 0 was wanted, got 1"):
        read_volume(tmp_path / "a.mrc", level=1)


def test_a_copick_project_stands_for_its_one_tomogram(tmp_path):
    place = tmp_path / "ExperimentRuns" / "TS_01" / "VoxelSpacing2.000"
    place.mkdir(parents=True)
    project = tmp_path / "project.json"
    project.write_text(json.dumps({"overlay_root": ".", "pickable_objects": []}))
    with pytest.raises(InputError, match="found none"):
        read_volume(project)
    write(place / "wbp.zarr")
    np.testing.assert_array_equal(read_volume(project).data, DATA)
    write(place / "denoised.zarr")
    with pytest.raises(InputError, match=r"2 tomograms; give the folder of one: .*denoised\.zarr"):
        read_volume(project)


def test_what_cannot_be_read_is_said(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_volume(tmp_path / "none.mrc")
    with pytest.raises(FileFormatError, match="zarr"):
        read_volume(tmp_path)
    (tmp_path / "a.em").write_bytes(b"text" * 200)
    with pytest.raises(FileFormatError, match="an EM file was wanted"):
        read_volume(tmp_path / "a.em")
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(FileFormatError, match="text"):
        read_volume(tmp_path / "a.json")


@pytest.mark.parametrize(
    "name",
    [
        "EMD-3001.map",
        "EMD-3197.map",
        "rec3D.rec",
        "ribosome_unscaled.em",
        "float16_mode12_stack.mrcs",
    ],
)
def test_real_files(shared_data, name):
    volume = read_volume(shared_data / "formats" / name)
    assert min(volume.shape) > 1
    assert np.isfinite(volume.data[0]).all()


def test_the_metadata_file_of_a_zarr_folder_stands_for_the_folder(tmp_path):
    write(tmp_path / "a.zarr")
    for name in (".zattrs", ".zgroup"):
        np.testing.assert_array_equal(read_volume(tmp_path / "a.zarr" / name).data, DATA)

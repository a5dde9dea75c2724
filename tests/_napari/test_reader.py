from __future__ import annotations

import shutil

import numpy as np
import pytest

from napari_voxuda._napari.layers import layer_volume
from napari_voxuda._napari.reader import get_reader, is_mask
from napari_voxuda.data.lazy import LazyArray
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.io.mrc import write_mask


def test_only_names_of_volumes_are_claimed():
    assert get_reader("a.mrc") is not None
    assert get_reader(["a.mrc", "b.REC"]) is not None
    assert get_reader("a.mrc.gz") is not None
    assert get_reader("a.em") is not None
    assert get_reader("folder/a.zarr/") is not None
    assert get_reader("a.png") is None
    assert get_reader(["a.mrc", "b.png"]) is None


def test_a_file_stays_on_disk(tomogram_file):
    ((data, keywords, kind),) = get_reader(str(tomogram_file))(str(tomogram_file))
    assert kind == "image"
    assert isinstance(data, np.memmap)
    assert keywords["contrast_limits"][0] < keywords["contrast_limits"][1]


def test_dropping_a_file_on_the_viewer_shows_it_in_angstrom(make_napari_viewer, tomogram_file):
    viewer = make_napari_viewer()
    viewer.window._qt_viewer._qt_open([str(tomogram_file)], stack=False, plugin="napari-voxuda")
    (layer,) = viewer.layers
    assert layer.name == "tomo"
    np.testing.assert_allclose(layer.scale, 12.0)
    np.testing.assert_allclose(layer.translate, (120.0, -36.0, 24.0))
    assert isinstance(layer.data, np.memmap)


def test_a_mask_opens_as_labels(make_napari_viewer, tmp_path):
    mask = np.zeros((4, 5, 6), np.uint8)
    mask[1, 2, 3] = 1
    write_mask(tmp_path / "tomo_mask.mrc", Volume(data=mask))
    viewer = make_napari_viewer()
    (layer,) = viewer.open(tmp_path / "tomo_mask.mrc", plugin="napari-voxuda")
    assert layer._type_string == "labels"
    layer.data_setitem((np.array([0]), np.array([0]), np.array([0])), 2)  # it can be painted on


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("tomo_mask", [0, 1], True),
        ("labels", [0, 40], True),
        ("tomo", [0, 1], False),
        ("mask", [-5, 1], False),
        ("mask", [0.0, 1.0], False),
    ],
)
def test_what_counts_as_a_mask(name, values, expected):
    data = np.array(values).reshape(1, 1, 2)
    assert is_mask(Volume(data=data, name=name)) is expected


def test_doubts_about_the_header_are_shown(make_napari_viewer, shared_data, capsys):
    viewer = make_napari_viewer()
    path = shared_data / "formats" / "vesicles_simulated_voxel0.mrc"
    (layer,) = viewer.open(path, plugin="napari-voxuda")
    assert [str(u) for u in layer.units] == ["pixel"] * 3
    assert layer.metadata["napari_voxuda"]["warnings"]


def test_a_damaged_file_says_so(make_napari_viewer, tomogram_file):
    from napari_voxuda.errors import FileFormatError

    cut = tomogram_file.with_name("cut.mrc")
    shutil.copy(tomogram_file, cut)
    with cut.open("r+b") as file:
        file.truncate(5000)
    viewer = make_napari_viewer()
    with pytest.raises(FileFormatError, match="truncated"):
        viewer.open(cut, plugin="napari-voxuda")


@pytest.fixture
def pyramid(tmp_path):
    pytest.importorskip("zarr", reason="OME-Zarr needs the optional package zarr")
    from napari_voxuda.io.zarr_image import write_image_zarr

    data = np.random.default_rng(0).normal(size=(20, 24, 28)).astype(np.float32)
    grid = Grid(voxel_size_angstrom=(12.0,) * 3, origin_angstrom=(120.0, -36.0, 24.0))
    write_image_zarr(tmp_path / "TS_01.zarr", Volume(data=data, grid=grid), levels=3)
    return tmp_path / "TS_01.zarr", data


def test_a_zarr_folder_is_shown_as_a_lazy_pyramid_at_its_place(make_napari_viewer, pyramid):
    path, values = pyramid
    viewer = make_napari_viewer()
    (layer,) = viewer.open(path, plugin="napari-voxuda")
    assert layer.multiscale
    assert [level.shape for level in layer.data] == [(20, 24, 28), (10, 12, 14), (5, 6, 7)]
    assert all(isinstance(level, LazyArray) for level in layer.data)
    np.testing.assert_allclose(layer.scale, 12.0)
    np.testing.assert_allclose(layer.translate, (120.0, -36.0, 24.0))
    viewer.dims.ndisplay = 3
    viewer.dims.ndisplay = 2
    viewer.dims.set_current_step(0, 7)
    volume = layer_volume(layer)
    assert isinstance(volume.data, LazyArray)
    assert volume.path == path
    assert volume.grid.origin_angstrom == (120.0, -36.0, 24.0)
    np.testing.assert_array_equal(np.asarray(volume.data), values)


def test_labels_in_zarr_can_be_painted_on(make_napari_viewer, tmp_path):
    pytest.importorskip("zarr", reason="OME-Zarr needs the optional package zarr")
    from napari_voxuda.io.zarr_image import write_label_zarr

    data = np.zeros((4, 5, 6), np.uint8)
    data[1, 2, 3] = 3
    write_label_zarr(tmp_path / "x.zarr", Volume(data=data), levels=2)
    viewer = make_napari_viewer()
    (layer,) = viewer.open(tmp_path / "x.zarr", plugin="napari-voxuda")
    assert layer._type_string == "labels"
    np.testing.assert_array_equal(layer.data, data)
    layer.data_setitem((np.array([0]), np.array([0]), np.array([0])), 2)


def test_the_file_of_a_layer_is_known_until_it_may_have_changed(make_napari_viewer, tomogram_file):
    viewer = make_napari_viewer()
    (layer,) = viewer.open(tomogram_file, plugin="napari-voxuda")
    assert layer_volume(layer).path == tomogram_file
    layer.data = np.array(layer.data)
    assert layer_volume(layer).path is None


def test_an_em_file_opens(make_napari_viewer, shared_data):
    viewer = make_napari_viewer()
    path = shared_data / "formats" / "ribosome_unscaled.em"
    (layer,) = viewer.open(path, plugin="napari-voxuda")
    assert layer.data.shape == (48, 48, 48)


def test_a_big_endian_file_is_shown_in_the_machines_byte_order(tmp_path):
    import mrcfile

    data = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    with mrcfile.new(tmp_path / "big.mrc") as file:
        file.set_data(data.astype(">f4"))
    (shown, _, kind), *_ = get_reader(str(tmp_path / "big.mrc"))(str(tmp_path / "big.mrc"))
    assert shown.dtype == np.float32
    assert shown.dtype.isnative
    assert kind == "image"
    np.testing.assert_array_equal(shown, data)

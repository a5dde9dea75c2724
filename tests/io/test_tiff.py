from __future__ import annotations

import sys

import numpy as np
import pytest

from napari_voxuda.errors import DependencyError, FileFormatError, InputError
from napari_voxuda.io.tiff import is_tiff, read_tiff

tifffile = pytest.importorskip("tifffile")


@pytest.fixture
def stack():
    return np.arange(3 * 20 * 17, dtype=np.float32).reshape(3, 20, 17)


def test_an_uncompressed_stack_is_mapped(tmp_path, stack):
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack")
    volume = read_tiff(tmp_path / "a.tif")
    np.testing.assert_array_equal(volume.data, stack)
    assert isinstance(volume.data, np.memmap)
    assert not volume.data.flags.writeable
    assert volume.grid.voxel_size_angstrom is None
    assert "does not tell the voxel size" in volume.warnings[0]
    assert is_tiff((tmp_path / "a.tif").read_bytes())


@pytest.mark.parametrize(
    "keywords", [{"compression": "zlib"}, {"byteorder": ">"}, {"bigtiff": True}], ids=str
)
def test_other_stacks_have_the_same_values(tmp_path, stack, keywords):
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack", **keywords)
    volume = read_tiff(tmp_path / "a.tif")
    np.testing.assert_array_equal(volume.data, stack)
    assert volume.data.dtype == np.float32
    assert volume.data.dtype.isnative


@pytest.mark.parametrize(
    ("unit", "factor"), [("nm", 10), ("\\u00B5m", 1e4), ("angstrom", 1), ("micron", 1e4)]
)
def test_the_voxel_size_of_imagej(tmp_path, stack, unit, factor):
    tifffile.imwrite(
        tmp_path / "a.tif",
        stack,
        imagej=True,
        resolution=(4, 2),  # pixels per unit, x and y
        metadata={"spacing": 0.75, "unit": unit, "axes": "ZYX"},
    )
    volume = read_tiff(tmp_path / "a.tif")
    np.testing.assert_allclose(
        volume.grid.voxel_size_angstrom, (0.75 * factor, 0.5 * factor, 0.25 * factor)
    )
    assert volume.warnings == ()
    assert isinstance(volume.data, np.memmap) or sys.byteorder == "little"  # ImageJ is big-endian


def test_imagej_without_a_length_is_unknown(tmp_path, stack):
    tifffile.imwrite(
        tmp_path / "a.tif", stack, imagej=True, resolution=(4, 2), metadata={"axes": "ZYX"}
    )
    assert read_tiff(tmp_path / "a.tif").grid.voxel_size_angstrom is None


@pytest.mark.parametrize(("unit", "factor"), [("nm", 10.0), ("µm", 1e4), (None, 1e4)])
def test_the_voxel_size_of_ome(tmp_path, stack, unit, factor):
    metadata = {"axes": "ZYX", "PhysicalSizeX": 1.5, "PhysicalSizeY": 2.5, "PhysicalSizeZ": 3.5}
    if unit is not None:
        metadata |= {f"PhysicalSize{a}Unit": unit for a in "XYZ"}
    tifffile.imwrite(tmp_path / "a.ome.tif", stack, ome=True, metadata=metadata)
    volume = read_tiff(tmp_path / "a.ome.tif")
    np.testing.assert_allclose(
        volume.grid.voxel_size_angstrom, (3.5 * factor, 2.5 * factor, 1.5 * factor)
    )
    assert volume.name == "a"


def test_what_is_no_volume_is_refused(tmp_path, stack):
    tifffile.imwrite(tmp_path / "flat.tif", stack[0])
    with pytest.raises(FileFormatError, match=r"a stack of grey slices .* got YX \(20, 17\)"):
        read_tiff(tmp_path / "flat.tif")
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((5, 6, 7, 3), np.uint8), photometric="rgb")
    with pytest.raises(FileFormatError, match="a stack of grey slices"):
        read_tiff(tmp_path / "rgb.tif")
    tifffile.imwrite(tmp_path / "c.tif", stack.astype(np.complex64), photometric="minisblack")
    with pytest.raises(FileFormatError, match="real values were wanted"):
        read_tiff(tmp_path / "c.tif")
    with pytest.raises(InputError, match="no such file"):
        read_tiff(tmp_path / "none.tif")
    (tmp_path / "text.tif").write_text("no image")
    with pytest.raises(FileFormatError, match="cannot be read"):
        read_tiff(tmp_path / "text.tif")


def test_a_truncated_stack_is_refused(tmp_path, stack):
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack")
    whole = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(whole[:-40])
    with pytest.raises(FileFormatError, match="truncated"):
        read_tiff(tmp_path / "a.tif")


def test_what_does_not_fit_into_memory_is_refused(tmp_path, stack, monkeypatch):
    monkeypatch.setattr("napari_voxuda.io._in_memory.machine_memory_bytes", lambda: 100)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack", compression="zlib")
    with pytest.raises(InputError, match="more than half"):
        read_tiff(tmp_path / "a.tif")


def test_a_missing_package_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(DependencyError, match=r'pip install "napari-voxuda\[tiff\]"'):
        read_tiff(tmp_path / "a.tif")


def test_a_real_file(shared_data):
    path = shared_data / "formats" / "tif3D.tif"
    try:
        import imagecodecs  # noqa: F401
    except ImportError:
        with pytest.raises(DependencyError, match=r"imagecodecs.*napari-voxuda\[tiff\]"):
            read_tiff(path)
        return
    volume = read_tiff(path)
    assert volume.shape == (78, 64, 32)
    assert volume.data.dtype == np.uint8
    assert volume.data.min() < volume.data.max()

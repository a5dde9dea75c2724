"""Reading: headers made by hand, and what mrcfile says of the same files."""

from __future__ import annotations

import bz2
import gzip
import struct
import tracemalloc
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_voxuda.errors import FileFormatError, InputError
from napari_voxuda.io.mrc import is_mrc_name, mrc_stem, read_header, read_mrc

IMOD_STAMP = 1146047817


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("mode", "dtype"), [(0, "i1"), (1, "i2"), (2, "f4"), (6, "u2"), (12, "f2")]
)
def test_every_mode_in_both_byte_orders(raw_mrc, save, ramp, mode, dtype, order):
    data = ramp - ramp.min() if mode == 6 else ramp
    volume = read_mrc(save(raw_mrc(data, mode, order).bytes()))
    np.testing.assert_array_equal(volume.data, data)
    assert volume.data.dtype == np.dtype(dtype).newbyteorder(order)
    assert isinstance(volume.data, np.memmap)
    assert not volume.data.flags.writeable
    assert volume.warnings == ()


def test_grid_of_a_plain_header(raw_mrc, save, ramp):
    raw = raw_mrc(
        ramp, 1, nxstart=-5, nystart=6, nzstart=7, xorg=1.5, yorg=-2.5, zorg=3.25, zlen=3 * 10.52
    )
    grid = read_mrc(save(raw.bytes())).grid
    assert grid.voxel_size_angstrom == (10.52, 10.0, 10.0)
    assert grid.origin_angstrom == (3.25, -2.5, 1.5)
    assert grid.nstart == (7, 6, -5)
    assert grid.cell_angstrom == (float(np.float32(31.56)), 40.0, 50.0)
    assert grid.sampling == (3, 4, 5)


@pytest.mark.parametrize("size", [10.52, 13.6, 1.35, 7.84, 2.17, 9.87, 1.667, 6.8, 3.42])
@pytest.mark.parametrize("count", [94, 463, 1023])
def test_voxel_size_is_the_decimal_that_was_meant(raw_mrc, save, size, count):
    raw = raw_mrc(np.zeros((1, 1, 2)), mx=count, my=count, mz=count, xlen=size * count,
                  ylen=size * count, zlen=size * count)  # fmt: skip
    assert read_mrc(save(raw.bytes())).grid.voxel_size_angstrom == (size,) * 3


def test_plain_files_are_mapped_and_compressed_ones_are_equal(raw_mrc, save, ramp):
    content = raw_mrc(ramp, 1).bytes()
    plain = read_mrc(save(content, "a.mrc"))
    assert isinstance(plain.data, np.memmap)
    for name, packed in {
        "b.mrc.gz": gzip.compress(content),
        "c.rec.bz2": bz2.compress(content),
    }.items():
        volume = read_mrc(save(packed, name))
        np.testing.assert_array_equal(volume.data, ramp)
        assert volume.grid == plain.grid
        assert volume.name == name[0]
        assert not volume.data.flags.writeable


def test_compression_is_known_by_content_not_by_name(raw_mrc, save, ramp):
    content = raw_mrc(ramp, 1).bytes()
    np.testing.assert_array_equal(read_mrc(save(gzip.compress(content), "a.mrc")).data, ramp)
    np.testing.assert_array_equal(read_mrc(save(content, "b.mrc.gz")).data, ramp)


@pytest.mark.parametrize(
    ("mapc", "mapr", "maps"), [(1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)]
)
def test_axis_permutation_is_undone(raw_mrc, save, ramp, mapc, mapr, maps):
    raw = raw_mrc(ramp, 1, mapc=mapc, mapr=mapr, maps=maps, nxstart=10, nystart=20, nzstart=30)
    volume = read_mrc(save(raw.bytes()))
    spatial = {maps: 3, mapr: 4, mapc: 5}  # axis -> its length in the file
    assert volume.shape == (spatial[3], spatial[2], spatial[1])
    for (section, row, column), value in np.ndenumerate(ramp):
        at = {maps: section, mapr: row, mapc: column}
        assert volume.data[at[3], at[2], at[1]] == value
    starts = {mapc: 10, mapr: 20, maps: 30}
    assert volume.grid.nstart == (starts[3], starts[2], starts[1])


def test_axis_permutation_agrees_with_the_deposited_map(shared_data):
    volume = read_mrc(shared_data / "formats" / "EMD-3001.map")
    raw = mrcfile.read(shared_data / "formats" / "EMD-3001.map")
    assert raw.shape == (25, 43, 73)  # sections y, rows x, columns z
    assert volume.data[70, 20, 40] == raw[20, 40, 70]


def test_unnamed_axes_are_x_y_z_with_a_warning(raw_mrc, save, ramp):
    for axes in [(0, 0, 0), (1, 1, 3), (-5, 2, 9)]:
        raw = raw_mrc(ramp, 1, mapc=axes[0], mapr=axes[1], maps=axes[2])
        volume = read_mrc(save(raw.bytes()))
        np.testing.assert_array_equal(volume.data, ramp)
        assert "no permutation of 1, 2, 3" in volume.warnings[0]


@pytest.mark.parametrize("claimed", [-8, 80, 2**30])
def test_length_of_the_extended_header_is_believed_only_if_it_fits(raw_mrc, save, ramp, claimed):
    content = raw_mrc(ramp, 1, nsymbt=claimed).bytes()
    for path in (save(content, "a.mrc"), save(gzip.compress(content), "b.mrc.gz")):
        volume = read_mrc(path)
        np.testing.assert_array_equal(volume.data, ramp)
        assert len(volume.warnings) == 1
        assert f"claims {claimed} bytes of extended header" in volume.warnings[0]


@pytest.mark.parametrize("claimed", [-8, 80])
def test_wrong_length_of_the_extended_header_is_refused_otherwise(raw_mrc, save, ramp, claimed):
    content = raw_mrc(ramp, 1, nsymbt=claimed).bytes() + b"\0"
    for path in (save(content, "a.mrc"), save(gzip.compress(content), "b.mrc.gz")):
        with pytest.raises(FileFormatError, match=r"length of the extended header|truncated"):
            read_mrc(path)


def test_extended_header_is_skipped(raw_mrc, save, ramp):
    extended = b"\xff" * 160
    raw = raw_mrc(ramp, 1, nsymbt=len(extended), exttyp=b"CCP4")
    np.testing.assert_array_equal(read_mrc(save(raw.bytes(extended))).data, ramp)
    packed = save(gzip.compress(raw.bytes(extended)), "a.mrc.gz")
    np.testing.assert_array_equal(read_mrc(packed).data, ramp)


@pytest.mark.parametrize(
    ("changes", "dtype"),
    [
        ({}, "i1"),
        ({"imodstamp": IMOD_STAMP, "imodflags": 1}, "i1"),
        ({"imodstamp": IMOD_STAMP, "imodflags": 0}, "u1"),
        ({"imodstamp": IMOD_STAMP, "imodflags": 4}, "u1"),
        ({"imodstamp": IMOD_STAMP, "imodflags": 5}, "i1"),
        ({"dmin": 141.0, "dmax": 163.0}, "u1"),
        ({"dmin": 0.0, "dmax": 255.0}, "u1"),
        ({"dmin": -128.0, "dmax": 127.0}, "i1"),
        ({"dmin": 0.0, "dmax": 1.0}, "i1"),
        ({"dmin": float("nan"), "dmax": float("nan")}, "i1"),
        ({"imodstamp": IMOD_STAMP, "imodflags": 1, "dmin": 0.0, "dmax": 255.0}, "i1"),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_sign_of_bytes(raw_mrc, save, changes, dtype, order):
    data = np.array([[[0, 1, 127, -1, -128]]], np.int8)
    volume = read_mrc(save(raw_mrc(data, 0, order, **changes).bytes()))
    assert volume.data.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(volume.data, data.view(dtype))
    assert any("unsigned" in w for w in volume.warnings) == (dtype == "u1")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"xlen": 0.0, "ylen": 0.0, "zlen": 0.0}, "is 0, that is unknown"),
        ({"xlen": 5.0, "ylen": 4.0, "zlen": 3.0}, "exactly 1, which most often means unknown"),
        ({"xlen": float("nan")}, "makes no sense"),
        ({"ylen": float("inf")}, "makes no sense"),
        ({"zlen": -30.0}, "makes no sense"),
        ({"mx": 0}, "makes no sense"),
        ({"mz": -3}, "makes no sense"),
        ({"xlen": 1e20, "ylen": 1e20, "zlen": 1e20}, "implausible"),
        ({"xlen": 1e-6, "ylen": 1e-6, "zlen": 1e-6}, "implausible"),
    ],
)
def test_doubtful_voxel_sizes_are_unknown_and_said_so(raw_mrc, save, ramp, changes, words):
    volume = read_mrc(save(raw_mrc(ramp, 1, **changes).bytes()))
    assert volume.grid.voxel_size_angstrom is None
    assert len(volume.warnings) == 1
    assert words in volume.warnings[0]
    assert "set it in Å" in volume.warnings[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ispg": 0}, "image stack (space group 0)"),
        ({"ispg": 4}, "crystal symmetry is not applied"),
        ({"beta": 94.3}, "treated as rectangular"),
        ({"xorg": float("nan")}, "origin in the header is not finite"),
        ({"zlen": 60.0}, "The voxels are not cubes: 20 x 10 x 10 Å"),
        ({"machst": b"\0\0\0\0"}, "the order was inferred"),
        ({"machst": b"\x11\x11\0\0"}, "byte-order stamp is wrong"),
    ],
)
def test_doubtful_values_are_read_with_one_warning(raw_mrc, save, ramp, changes, words):
    volume = read_mrc(save(raw_mrc(ramp, 1, **changes).bytes()))
    np.testing.assert_array_equal(volume.data, ramp)
    assert len(volume.warnings) == 1
    assert words in volume.warnings[0]


def test_an_image_is_a_volume_of_one_slice_without_warning(raw_mrc, save):
    volume = read_mrc(save(raw_mrc(np.ones((1, 4, 5)), ispg=0).bytes()))
    assert volume.shape == (1, 4, 5)
    assert volume.warnings == ()


def test_longer_file_is_read_with_a_warning(raw_mrc, save, ramp):
    content = raw_mrc(ramp, 1).bytes() + b"\0"
    for path in (save(content, "a.mrc"), save(gzip.compress(content), "b.mrc.gz")):
        volume = read_mrc(path)
        np.testing.assert_array_equal(volume.data, ramp)
        assert "longer than its header says" in volume.warnings[0]


def test_old_file_without_stamps(raw_mrc, save, ramp):
    raw = raw_mrc(ramp, 1, map=b"\0\0\x91E", machst=b"\0\0\0\0", xorg=5.0)
    volume = read_mrc(save(raw.bytes()))
    np.testing.assert_array_equal(volume.data, ramp)
    assert volume.grid.origin_angstrom == (0.0, 0.0, 0.0)
    assert "no 'MAP' stamp" in volume.warnings[0]


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (3, "complex 16-bit integers"),
        (4, "complex floats"),
        (16, "RGB colours"),
        (101, "4-bit integers"),
        (7, "32-bit integers"),
        (9, "the unknown mode 9"),
        (-1, "the unknown mode -1"),
    ],
)
def test_modes_that_are_refused(raw_mrc, save, ramp, mode, words):
    with pytest.raises(FileFormatError, match=words):
        read_mrc(save(raw_mrc(ramp, mode).bytes() + bytes(1000)))


def test_bytes_that_hold_two_voxels_are_refused(raw_mrc, save):
    raw = raw_mrc(np.zeros((1, 2, 2)), 0, imodstamp=IMOD_STAMP, imodflags=16)
    with pytest.raises(FileFormatError, match="4-bit integers packed in bytes"):
        read_mrc(save(raw.bytes()))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ispg": 401}, "stack of volumes .space group 401.; write each volume"),
        ({"nx": 0}, "sizes .x, y, z. between 1 and"),
        ({"ny": -4}, "got .5, -4, 3."),
        ({"nz": 2**31 - 1}, "sizes .x, y, z. between 1 and"),
        ({"nx": 2**20, "ny": 2**20, "nz": 2**20}, "truncated: its header says 2305843009213694976"),
    ],
)
def test_headers_that_are_refused(raw_mrc, save, ramp, changes, words):
    path = save(raw_mrc(ramp, 1, **changes).bytes())
    with pytest.raises(FileFormatError, match=words) as caught:
        read_mrc(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_compressed_header_that_promises_terabytes_takes_no_memory(raw_mrc, save, pack):
    raw = raw_mrc(np.zeros((1, 1, 4)), nx=2**14, ny=2**14, nz=2**14)
    path = save(pack(raw.bytes()), "a.mrc.gz")
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"16384\.0 GiB, more than half"):
            read_mrc(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 << 20


def test_only_what_the_header_promises_is_decompressed(raw_mrc, save):
    content = raw_mrc(np.ones((1, 2, 2))).bytes() + bytes(1 << 28)
    volume = read_mrc(save(gzip.compress(content, 1), "bomb.mrc.gz"))
    assert volume.data.nbytes == 16
    assert "longer than its header" in volume.warnings[0]


@pytest.mark.parametrize("keep", [1023, 1024, 1025, 1143])
def test_truncated_files(raw_mrc, save, ramp, keep):
    content = raw_mrc(ramp, 1).bytes()[:keep]
    for path in (save(content, "a.mrc"), save(gzip.compress(content), "b.mrc.gz")):
        with pytest.raises(FileFormatError, match=r"truncated|has only 1023 bytes"):
            read_mrc(path)


def test_damaged_compression(raw_mrc, save, ramp):
    packed = bytearray(gzip.compress(raw_mrc(np.random.default_rng(0).random((9, 9, 9))).bytes()))
    for path in (
        save(packed[:-1200], "cut.mrc.gz"),
        save(packed[:-8] + b"\1\2\3\4" + packed[-4:], "checksum.mrc.gz"),
        save(b"\x1f\x8b" + b"\xff" * 50, "rubbish.mrc.gz"),
        save(b"BZh9" + b"\xff" * 50, "rubbish.mrc.bz2"),
    ):
        with pytest.raises(FileFormatError, match="the compressed file is damaged"):
            read_mrc(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"II*\0" + bytes(2000), "a TIFF image .convert it"),
        (b"MM\0*" + bytes(2000), "a TIFF image"),
        (b"\x89HDF\r\n\x1a\n" + bytes(2000), "an HDF5 file"),
        (b"ATOM      1  N   ALA A   1\n" * 60, "a text file"),
        (b"hello", "a text file"),
        (b"\x06\0\0\5" + struct.pack("<3i", 48, 48, 48) + bytes(4000), "an EM file"),
        (bytes(range(256)) * 8, "are no MRC header"),
        (bytes(4000), "are no MRC header"),
        (b"\xff" * 4000, "are no MRC header"),
    ],
)
def test_files_that_are_not_mrc_are_named(save, content, words):
    with pytest.raises(FileFormatError, match=f"an MRC file was wanted, .*{words}"):
        read_mrc(save(content))


def test_missing_file_folder_and_forbidden_file(tmp_path, save, monkeypatch):
    with pytest.raises(InputError, match="there is no such file"):
        read_mrc(tmp_path / "none.mrc")
    with pytest.raises(FileFormatError, match="got a folder"):
        read_mrc(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = save(b"x")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"cannot be read \(permission denied\)"):
        read_mrc(path)


def test_header_alone_is_read_without_the_data(raw_mrc, save, ramp):
    raw = raw_mrc(ramp, 1, ispg=0, dmin=-7.0, dmax=52.0, dmean=22.5, rms=17.3, nlabl=1,
                  label=b"made by hand \0\0")  # fmt: skip
    header = read_header(save(raw.header))
    assert (header.shape, header.mode, header.offset, header.space_group) == ((3, 4, 5), 1, 1024, 0)
    assert header.dtype == np.dtype("<i2")
    assert header.data_bytes == 120
    assert header.statistics == pytest.approx((-7, 52, 22.5, 17.3))
    assert header.labels == ("made by hand",)
    assert header.grid.voxel_size_angstrom == (10.0, 10.0, 10.0)
    assert len(header.warnings) == 1


def test_read_agrees_with_mrcfile_and_warns_nobody(shared_data):
    for path in sorted((shared_data / "tomograms").glob("*.mrc")):
        volume = read_mrc(path)
        with mrcfile.mmap(path) as reference:
            np.testing.assert_array_equal(volume.data, reference.data)
            voxel = [float(reference.voxel_size[axis]) for axis in "zyx"]
            assert volume.grid.voxel_size_angstrom == pytest.approx(voxel, rel=1e-6)


SYMMETRY = "Space group 4: crystal symmetry is not applied."
FORMATS = {
    "rec3D.rec": (
        (78, 64, 32), 0, "u1", (23.2, 23.19995, 23.19995), (0, 0, 0),
        ["The header has no 'MAP' stamp", "image stack (space group 0)", "read as unsigned"],
    ),
    "float16_mode12_stack.mrcs": (
        (37, 32, 32), 12, "<f2", (12.0, 12.0, 12.0), (0, 0, 0), ["image stack (space group 0)"],
    ),
    "vesicles_simulated_voxel0.mrc": (
        (100, 100, 100), 2, "<f4", None, (0, 0, 0), ["is 0, that is unknown; set it in Å."],
    ),
    "EMD-3001.map": (
        (73, 25, 43), 2, "<f4", (0.45875, 0.3925, 0.44825), (0, -12, -21),
        [SYMMETRY, "The cell angles are 90°, 94.326°, 90°", "The voxels are not cubes"],
    ),
    "EMD-3197.map": ((20, 20, 20), 2, "<f4", (11.4, 11.4, 11.4), (0, 0, -2), []),
    "ribosome_unscaled.em": "got an EM file (convert it to MRC",
    "tif3D.tif": "got a TIFF image (convert it",
    "relion5_particles.star": "got a text file",
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_awkward_files_open_or_are_refused_with_a_reason(shared_data, name):
    path = shared_data / "formats" / name
    expected = FORMATS[name]
    if isinstance(expected, str):
        with pytest.raises(FileFormatError) as caught:
            read_mrc(path)
        assert expected in str(caught.value)
        return
    volume, header = read_mrc(path), read_header(path)
    shape, mode, dtype, voxel, start, warnings = expected
    assert (volume.shape, header.mode, volume.data.dtype) == (shape, mode, np.dtype(dtype))
    assert isinstance(volume.data, np.memmap)
    assert volume.name == name.split(".")[0]
    assert volume.grid.voxel_size_angstrom == voxel
    assert volume.grid.origin_angstrom == (0.0, 0.0, 0.0)
    assert volume.grid.nstart == start
    assert len(volume.warnings) == len(warnings)
    for sentence, words in zip(volume.warnings, warnings, strict=True):
        assert words in sentence


def test_no_awkward_file_is_left_out(shared_data):
    assert {p.name for p in (shared_data / "formats").iterdir()} == set(FORMATS)


def test_unsigned_bytes_of_an_old_tomogram_have_the_range_of_its_header(shared_data):
    path = shared_data / "formats" / "rec3D.rec"
    data = read_mrc(path).data
    low, high, _, _ = read_header(path).statistics
    assert (data.min(), data.max()) == (low, high) == (141, 163)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.mrc", "a"),
        ("TS_1.5.MRC", "TS_1.5"),
        ("x/b.rec.gz", "b"),
        ("c.preali.BZ2", "c"),
        ("d.st", "d"),
        ("e.map", "e"),
        ("f.gz", None),
        ("g.tif", None),
        (".mrc", None),
        ("mrc", None),
    ],
)
def test_names(name, stem):
    assert mrc_stem(name) == stem
    assert is_mrc_name(name) == (stem is not None)


edits = st.lists(
    st.tuples(st.integers(0, 239), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(edits=edits, keep=st.integers(1, 2000), packed=st.booleans(), order=st.sampled_from("<>"))
def test_mutated_files_open_or_are_refused(raw_mrc, tmp_path, edits, keep, packed, order):
    raw = bytearray(raw_mrc(np.arange(60).reshape(3, 4, 5), 2, order).bytes(b"\0" * 40))
    for offset, patch in edits:
        raw[offset : offset + len(patch)] = patch
    content = bytes(raw[:keep])
    path = tmp_path / "mutated.mrc"
    path.write_bytes(gzip.compress(content, 1) if packed else content)
    message, volume = "", None
    try:
        volume = read_mrc(path)
    except (FileFormatError, InputError) as error:
        message = str(error)
    path.unlink()
    if volume is None:
        assert message.startswith(str(path))
        assert "\n" not in message
    else:
        assert volume.data.size <= 2000
        assert float(volume.data.reshape(-1)[0]) is not None

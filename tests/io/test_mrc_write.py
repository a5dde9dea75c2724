"""Writing: bytes of the header, and how other programs read them."""

from __future__ import annotations

import bz2
import gzip
import io
import threading
import tracemalloc

import mrcfile
import numpy as np
import pytest

from napari_voxuda import __version__
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io import _mrc_write
from napari_voxuda.io.mrc import MRC_SUFFIXES, read_mrc, write_mask, write_mrc


def volume_of(values, **grid) -> Volume:
    return Volume(data=np.asarray(values), grid=Grid(**grid), name="test")


@pytest.mark.parametrize(
    ("largest", "mode"), [(0, 0), (1, 0), (127, 0), (128, 1), (32767, 1), (32768, 6), (65535, 6)]
)
@pytest.mark.parametrize("dtype", ["u4", "i8", "f4", "f8"])
def test_type_of_a_mask_follows_its_largest_label(tmp_path, read_field, largest, mode, dtype):
    data = np.array([[[0, largest]]], dtype)
    path = tmp_path / "labels.mrc"
    write_mask(path, volume_of(data))
    content = path.read_bytes()
    assert read_field(content, "mode") == mode
    assert len(content) == 1024 + 2 * (1 if mode == 0 else 2)
    np.testing.assert_array_equal(read_mrc(path).data, data)
    np.testing.assert_array_equal(mrcfile.read(path), data)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0, -1], "labels of at least 0 were wanted, got -1"),
        ([0, 65536], "at most 65535 labels fit an MRC file, got label 65536"),
        ([0.0, 0.5], "whole-numbered labels were wanted, got fractions"),
        ([0.0, np.nan], "finite values were wanted"),
        ([0.0, np.inf], "finite values were wanted"),
        ([0j, 1j], "real numbers were wanted for an MRC file, got complex128"),
        (["a", "b"], "real numbers were wanted"),
    ],
)
def test_masks_that_are_refused_leave_nothing(tmp_path, values, words):
    with pytest.raises(InputError, match=words):
        write_mask(tmp_path / "mask.mrc", volume_of([[values]]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("dtype", "values", "mode"),
    [
        ("f2", [0.5, -1], 2),
        ("f4", [0.1, -3e38], 2),
        ("f8", [0.5, 2], 2),
        ("?", [0, 1], 0),
        ("i1", [-128, 127], 0),
        ("u1", [0, 127], 0),
        ("u1", [0, 255], 6),
        ("i2", [-32768, 32767], 1),
        ("i2", [0, 1], 1),
        ("u2", [0, 65535], 6),
        ("u2", [0, 1], 6),
        ("i4", [-5, 32767], 1),
        ("i8", [0, 65535], 6),
        ("u4", [0, 1 << 24], 2),
        ("i4", [-70000, 3], 2),
    ],
)
def test_values_are_kept_in_a_mode_that_holds_them(tmp_path, read_field, dtype, values, mode):
    data = np.array([[values]], dtype)
    path = tmp_path / "volume.mrc"
    write_mrc(path, volume_of(data))
    assert read_field(path.read_bytes(), "mode") == mode
    expected = data.astype(np.float32) if dtype.startswith("f") else data
    np.testing.assert_array_equal(read_mrc(path).data, expected)
    np.testing.assert_array_equal(mrcfile.read(path), expected)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([0, (1 << 24) + 1], np.int64), "whole numbers within ±16777216"),
        (np.array([0, 1e39]), "values within ±3.4e\\+38"),
        (np.array([0, np.nan]), "finite values were wanted for an MRC file, got NaN"),
        (np.array([0, -np.inf], np.float32), "finite values"),
        (np.array([1j, 0]), "real numbers"),
    ],
)
def test_values_that_no_mode_holds_are_refused(tmp_path, values, words):
    with pytest.raises(InputError, match=words):
        write_mrc(tmp_path / "volume.mrc", volume_of(values[None, None]))
    assert list(tmp_path.iterdir()) == []


def test_header_field_by_field(tmp_path, read_field):
    data = np.random.default_rng(1).normal(3, 2, (3, 4, 5)).astype(np.float32)
    grid = {
        "voxel_size_angstrom": (1.5, 2.5, 3.5),
        "origin_angstrom": (-1.0, 2.0, 3.5),
        "nstart": (7, -8, 9),
    }
    path = tmp_path / "volume.mrc"
    write_mrc(path, volume_of(data, **grid), label="probability of protein")
    raw = path.read_bytes()
    expected = {
        "nx": 5, "ny": 4, "nz": 3, "mode": 2, "nxstart": 9, "nystart": -8, "nzstart": 7,
        "mx": 5, "my": 4, "mz": 3, "xlen": 17.5, "ylen": 10.0, "zlen": 4.5,
        "alpha": 90.0, "beta": 90.0, "gamma": 90.0, "mapc": 1, "mapr": 2, "maps": 3,
        "ispg": 1, "nsymbt": 0, "exttyp": bytes(4), "nversion": 20141, "imodstamp": 0,
        "xorg": 3.5, "yorg": 2.0, "zorg": -1.0, "map": b"MAP ", "machst": b"DD\0\0", "nlabl": 1,
    }  # fmt: skip
    assert {name: read_field(raw, name) for name in expected} == expected
    assert read_field(raw, "dmin") == data.min()
    assert read_field(raw, "dmax") == data.max()
    assert read_field(raw, "dmean") == pytest.approx(data.mean(dtype=float), rel=1e-6)
    assert read_field(raw, "rms") == pytest.approx(data.std(dtype=float), rel=1e-6)
    label = f"napari-voxuda {__version__}: probability of protein"
    assert read_field(raw, "label") == label.encode().ljust(80)
    assert raw[304:1024] == bytes(720)
    assert raw[1024:] == data.tobytes()
    assert mrcfile.validate(path, print_file=io.StringIO())


def test_label_is_one_line_of_80_ascii_bytes(tmp_path, read_field):
    path = tmp_path / "volume.mrc"
    write_mrc(path, volume_of(np.ones((1, 1, 2))), label="Å\n" + "long " * 30)
    label = read_field(path.read_bytes(), "label")
    assert len(label) == 80
    assert label.startswith(f"napari-voxuda {__version__}: ? long long".encode())


def test_statistics_do_not_depend_on_slabs(tmp_path, read_field, monkeypatch):
    data = np.random.default_rng(2).normal(1e6, 1e-1, (9, 4, 5))
    headers = []
    for size in (1, 320, 1 << 25):
        monkeypatch.setattr(_mrc_write, "_SLAB_BYTES", size)
        write_mrc(tmp_path / "volume.mrc", volume_of(data))
        headers.append((tmp_path / "volume.mrc").read_bytes())
    assert headers[0] == headers[1] == headers[2]
    assert read_field(headers[0], "rms") == pytest.approx(
        data.astype("f4").std(dtype=float), rel=1e-6
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"xlen": 52.600002, "ylen": 42.08, "zlen": 31.559999, "xorg": 100.5, "nxstart": 3},
        {"mx": 40, "my": 12, "mz": 72, "xlen": 17.93},
        {"xlen": 0.0, "ylen": 0.0, "zlen": 0.0},
        {"xlen": 5.0, "ylen": 4.0, "zlen": 3.0},
        {"mx": 1, "my": 1, "mz": 1, "zlen": 0.0},
        {"xlen": 67.123459, "ylen": 41.000004, "zlen": 1.1754944e-38, "xorg": -0.0},
        {"xorg": 1.0000001, "yorg": -16777217.0, "zorg": 3.4028235e38, "nzstart": -(2**31)},
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("write", [write_mask, write_mrc])
def test_a_derived_file_repeats_the_header_to_the_bit(
    raw_mrc, save, tmp_path, ramp, changes, order, write
):
    source = raw_mrc(ramp, 1, order, **changes).bytes()
    volume = read_mrc(save(source, "tomogram.mrc"))
    write(tmp_path / "derived.mrc", volume.with_data((ramp > 20).astype(np.float32)))
    written = (tmp_path / "derived.mrc").read_bytes()
    swap = slice(None, None, 1 if order == "<" else -1)
    for first in [*range(16, 52, 4), *range(196, 208, 4)]:  # nstart, sampling, cell, origin
        assert written[first : first + 4] == source[first : first + 4][swap]


@pytest.mark.parametrize(("mapc", "mapr", "maps"), [(1, 3, 2), (2, 1, 3), (3, 1, 2), (3, 2, 1)])
def test_a_permuted_source_keeps_cell_and_origin_and_turns_its_starts(
    raw_mrc, save, tmp_path, ramp, read_field, mapc, mapr, maps
):
    source = raw_mrc(ramp, 1, ">", mapc=mapc, mapr=mapr, maps=maps, mx=7, my=11, mz=13,
                     xlen=10.1, ylen=20.3, zlen=30.7, xorg=0.1, yorg=0.2, zorg=0.3,
                     nxstart=10, nystart=20, nzstart=30).bytes()  # fmt: skip
    volume = read_mrc(save(source, "tomogram.mrc"))
    write_mask(tmp_path / "mask.mrc", volume.with_data((volume.data > 20).astype(np.uint8)))
    mask = (tmp_path / "mask.mrc").read_bytes()
    for name in ("mx", "my", "mz", "xlen", "ylen", "zlen", "xorg", "yorg", "zorg"):
        assert read_field(mask, name) == read_field(source, name, ">")
    starts = {mapc: 10, mapr: 20, maps: 30}
    assert [read_field(mask, f"n{axis}start") for axis in "xyz"] == [starts[k] for k in (1, 2, 3)]


def test_real_headers_are_repeated_to_the_bit(shared_data, tmp_path):
    paths = [
        *(shared_data / "tomograms").glob("*.mrc"),
        *(shared_data / "microtubule").glob("*.mrc"),
        shared_data / "formats" / "vesicles_simulated_voxel0.mrc",
        shared_data / "formats" / "EMD-3197.map",
    ]
    for path in paths:
        write_mrc(tmp_path / "copy.mrc", read_mrc(path))
        source, copy = path.read_bytes()[:1024], (tmp_path / "copy.mrc").read_bytes()[:1024]
        assert copy[:12] == source[:12]
        assert copy[16:52] == source[16:52]
        assert copy[64:76] == source[64:76]
        assert copy[196:208] == source[196:208]


def test_permuted_source_is_written_in_plain_order(raw_mrc, save, tmp_path, ramp):
    volume = read_mrc(
        save(raw_mrc(ramp, 1, mapc=3, mapr=1, maps=2, nxstart=9).bytes(), "source.mrc")
    )
    write_mrc(tmp_path / "copy.mrc", volume)
    copy = read_mrc(tmp_path / "copy.mrc")
    np.testing.assert_array_equal(copy.data, volume.data)
    assert copy.grid == volume.grid
    assert copy.warnings == ()


@pytest.mark.parametrize(
    ("changes", "cell"), [({"xlen": float("nan")}, 0.0), ({"mx": -2}, 0.0), ({"zlen": -5.0}, 0.0)]
)
def test_nonsense_is_not_repeated(raw_mrc, save, tmp_path, ramp, read_field, changes, cell):
    volume = read_mrc(save(raw_mrc(ramp, 1, **changes).bytes(), "source.mrc"))
    write_mrc(tmp_path / "copy.mrc", volume)
    raw = (tmp_path / "copy.mrc").read_bytes()
    assert [read_field(raw, k) for k in ("xlen", "ylen", "zlen")] == [cell] * 3
    assert [read_field(raw, k) for k in ("mx", "my", "mz")] == [5, 4, 3]


def test_voxel_size_set_by_the_user_is_written(raw_mrc, save, tmp_path, ramp):
    source = read_mrc(save(raw_mrc(ramp, 1, xlen=0.0, ylen=0.0, zlen=0.0).bytes(), "source.mrc"))
    volume = Volume(data=source.data, grid=source.grid.with_voxel_size(7.84))
    write_mrc(tmp_path / "copy.mrc", volume)
    assert read_mrc(tmp_path / "copy.mrc").grid.voxel_size_angstrom == (7.84, 7.84, 7.84)


def test_unknown_voxel_size_stays_unknown(tmp_path):
    write_mrc(tmp_path / "volume.mrc", volume_of(np.ones((2, 2, 2))))
    volume = read_mrc(tmp_path / "volume.mrc")
    assert volume.grid.voxel_size_angstrom is None
    assert "unknown" in volume.warnings[0]


@pytest.mark.parametrize(("suffix", "unpack"), [(".gz", gzip.decompress), (".bz2", bz2.decompress)])
def test_compressed_output_is_the_plain_file_packed(tmp_path, suffix, unpack):
    volume = volume_of(np.random.default_rng(3).random((5, 6, 7)), voxel_size_angstrom=(10.0,) * 3)
    write_mrc(tmp_path / "a.mrc", volume)
    write_mrc(tmp_path / f"b.mrc{suffix}", volume)
    packed = (tmp_path / f"b.mrc{suffix}").read_bytes()
    assert unpack(packed) == (tmp_path / "a.mrc").read_bytes()
    write_mrc(tmp_path / f"c.mrc{suffix}", volume)
    assert (tmp_path / f"c.mrc{suffix}").read_bytes() == packed  # no name inside
    assert suffix == ".bz2" or packed[4:8] == bytes(4)  # no time either


@pytest.mark.parametrize("suffix", MRC_SUFFIXES)
def test_every_suffix_that_is_read_is_written(tmp_path, suffix):
    write_mrc(tmp_path / f"volume{suffix}", volume_of(np.eye(3)[None]))
    assert read_mrc(tmp_path / f"volume{suffix}").shape == (1, 3, 3)


@pytest.mark.parametrize("name", ["volume.tif", "volume", "volume.gz", ".mrc"])
def test_other_suffixes_are_refused(tmp_path, name):
    with pytest.raises(OutputError, match=r"a name ending in one of \.mrc, .* was wanted"):
        write_mrc(tmp_path / name, volume_of(np.ones((1, 1, 2))))
    assert list(tmp_path.iterdir()) == []


def test_a_file_can_be_written_over_its_own_memory_map(raw_mrc, save, ramp):
    path = save(raw_mrc(ramp, 1).bytes())
    volume = read_mrc(path)
    write_mrc(path, volume.with_data(volume.data * 2))
    np.testing.assert_array_equal(read_mrc(path).data, ramp * 2)
    np.testing.assert_array_equal(volume.data, ramp)  # the open map still sees the old file


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "volume.mrc"
    write_mrc(path, volume_of(np.ones((2, 2, 2))))
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "ascontiguousarray", full)
    with pytest.raises(OutputError, match=r"cannot be written \(no space left on device\)"):
        write_mrc(path, volume_of(np.zeros((2, 2, 2))))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_no_second_copy_of_the_volume_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(_mrc_write, "_SLAB_BYTES", 1 << 20)
    data = np.lib.stride_tricks.as_strided(
        np.ones(1), (64, 256, 256), (0, 0, 0)
    )  # 32 MiB, none used
    tracemalloc.start()
    write_mrc(tmp_path / "volume.mrc", volume_of(data))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 << 20
    assert (tmp_path / "volume.mrc").stat().st_size == 1024 + 4 * data.size


def test_readers_never_see_half_a_file(tmp_path):
    path = tmp_path / "volume.mrc"
    write_mrc(path, volume_of(np.zeros((4, 32, 32))))
    stop, sizes = threading.Event(), set()

    def watch() -> None:
        while not stop.is_set():
            sizes.add(path.stat().st_size)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(20):
        write_mrc(path, volume_of(np.ones((4, 32, 32))))
    stop.set()
    watcher.join()
    assert sizes == {1024 + 4 * 4096}

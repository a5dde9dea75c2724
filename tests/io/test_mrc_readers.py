"""What mrcfile, IMOD and ChimeraX make of the files that are written.

Their rules are emulated from what they document: the readers below share no code with the library.
"""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.io.mrc import read_mrc, write_mask, write_mrc

IMOD_STAMP = 1146047817
GRID = Grid(
    voxel_size_angstrom=(7.84, 7.9, 8.1), origin_angstrom=(-3.5, 20.25, 1e-3), nstart=(4, -5, 6)
)


def mrc2014(path: Path) -> np.ndarray:
    """Read as mrcfile does: by the MRC2014 standard alone.

    Mode 0 is int8, 1 int16, 2 float32, 6 uint16 and 12 float16; no flag and no suffix changes it.
    """
    content = path.read_bytes()
    types = {0: "i1", 1: "<i2", 2: "<f4", 6: "<u2", 12: "<f2"}
    mode, extended = (struct.unpack_from("<i", content, at)[0] for at in (12, 92))
    return np.frombuffer(content, types[mode], offset=1024 + extended).astype(np.float64)


def imod(path: Path) -> np.ndarray:
    """Read as IMOD does (its mrc_format.txt, and the manual of its environment variables).

    Mode 0: with the stamp 1146047817 at byte 152, bit 1 of the flags at 156 says that bytes are
    signed. Without it the header's range decides: signed for a negative minimum with a maximum below
    128, unsigned for a minimum from 0 on, and in between whichever side is further out. Signed
    bytes are shifted to 0 to 255 by adding 128. The other modes are those of the standard.
    """
    content = path.read_bytes()
    (mode,) = struct.unpack_from("<i", content, 12)
    if mode != 0:
        return mrc2014(path)
    stamp, flags = struct.unpack_from("<2i", content, 152)
    low, high = struct.unpack_from("<2f", content, 76)
    if stamp == IMOD_STAMP:
        signed = bool(flags & 1)
    elif low < 0 and high >= 128:
        signed = -low > high - 128
    else:
        signed = low < 0 and high < 128
    if signed:
        return np.frombuffer(content, np.int8, offset=1024).astype(np.float64) + 128
    return np.frombuffer(content, np.uint8, offset=1024).astype(np.float64)


def chimerax(path: Path) -> np.ndarray:
    """Read as ChimeraX does (its user guide, "MRC map format", and release notes).

    Mode 0: with IMOD's stamp its flag decides; without, bytes are unsigned in files named .rec and in
    those without the word MAP at byte 208, and signed otherwise. The byte order is guessed
    from the number of columns, which has to be below 65536.
    """
    content = path.read_bytes()
    columns, _, _, mode = struct.unpack_from("<4i", content, 0)
    assert 0 < columns < 65536
    if mode != 0:
        return mrc2014(path)
    stamp, flags = struct.unpack_from("<2i", content, 152)
    if stamp == IMOD_STAMP:
        unsigned = not flags & 1
    else:
        unsigned = path.suffix == ".rec" or content[208:212] != b"MAP "
    kind = np.uint8 if unsigned else np.int8
    return np.frombuffer(content, kind, offset=1024).astype(np.float64)


READERS = [mrc2014, imod, chimerax]
SUFFIXES = [".mrc", ".rec", ".map", ".st"]


def test_the_emulated_readers_differ_where_the_programs_do(tmp_path, raw_mrc):
    """A file of bytes below 0 without a stamp is one that they read in three ways."""
    path = tmp_path / "bytes.rec"
    path.write_bytes(raw_mrc(np.array([[[-1, 3]]]), 0, dmin=-1.0, dmax=3.0).bytes())
    assert [read(path).tolist() for read in READERS] == [[-1, 3], [127, 131], [255, 3]]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("largest", [0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535])
def test_masks_and_labels_mean_the_same_to_every_reader(tmp_path, read, suffix, largest):
    data = (np.arange(60).reshape(3, 4, 5) % (largest + 1)).astype(np.uint16)
    data[2, 3, 4] = largest
    path = tmp_path / f"mask{suffix}"
    write_mask(path, Volume(data=data, grid=GRID, name="mask"))
    np.testing.assert_array_equal(read(path), data.ravel())
    np.testing.assert_array_equal(mrcfile.read(path), data)
    np.testing.assert_array_equal(read_mrc(path).data, data)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", ["u1", "?", "f2", "f4"])
def test_bytes_and_probabilities_mean_the_same_to_every_reader(tmp_path, read, suffix, kind):
    data = np.random.default_rng(0).random((3, 4, 5)) * (255 if kind == "u1" else 1)
    data = (data > 0.5) if kind == "?" else data.astype(kind)
    path = tmp_path / f"volume{suffix}"
    write_mrc(path, Volume(data=data, grid=GRID, name="volume"))
    np.testing.assert_array_equal(read(path), data.ravel())
    np.testing.assert_array_equal(mrcfile.read(path), data)


def test_every_reader_gets_the_voxel_size_and_the_place(tmp_path):
    path = tmp_path / "mask.mrc"
    write_mask(path, Volume(data=np.eye(4, dtype=np.uint8)[None], grid=GRID, name="mask"))
    with mrcfile.open(path) as file:
        size, origin, start = file.voxel_size, file.header.origin, file.nstart
        assert [float(size[k]) for k in "zyx"] == pytest.approx((7.84, 7.9, 8.1), rel=1e-6)
        assert [float(origin[k]) for k in "zyx"] == pytest.approx((-3.5, 20.25, 1e-3), rel=1e-6)
        assert [int(start[k]) for k in "zyx"] == [4, -5, 6]
        assert mrcfile.validate(path)


def imod_origin_sign(content: bytes) -> int:
    """Return 1 where IMOD takes the origin as MRC2014 defines it, -1 where it turns the sign.

    It takes the standard's sign where the header has a version number of the standard, or IMOD's
    stamp and bit 4 of its flags ("origin is stored with sign inverted").
    """
    (version,) = struct.unpack_from("<i", content, 108)
    stamp, flags = struct.unpack_from("<2i", content, 152)
    return 1 if version > 0 or (stamp == IMOD_STAMP and flags & 4) else -1


@pytest.mark.parametrize(
    "changes",
    [
        {"nversion": 20140},
        {"nversion": 0},
        {"nversion": 0, "imodstamp": IMOD_STAMP, "imodflags": 5},
        {"nversion": 0, "imodstamp": IMOD_STAMP, "imodflags": 1},
    ],
)
def test_imod_places_a_mask_where_it_places_its_tomogram(raw_mrc, save, tmp_path, ramp, changes):
    source = raw_mrc(ramp, 1, xorg=-120.5, yorg=3.25, **changes).bytes()
    volume = read_mrc(save(source, "tomogram.mrc"))
    write_mask(tmp_path / "mask.mrc", volume.with_data((ramp > 20).astype(np.uint8)))
    mask = (tmp_path / "mask.mrc").read_bytes()
    assert mask[196:208] == source[196:208]
    assert imod_origin_sign(mask) == imod_origin_sign(source)


def test_a_source_without_origin_gives_a_standard_header(raw_mrc, save, tmp_path, ramp):
    volume = read_mrc(save(raw_mrc(ramp, 1, nversion=0).bytes(), "tomogram.mrc"))
    write_mrc(tmp_path / "copy.mrc", volume)
    assert imod_origin_sign((tmp_path / "copy.mrc").read_bytes()) == 1


@pytest.mark.parametrize("kind", ["i1", "u2", "f4"])
def test_statistics_are_those_of_the_values_in_the_file(tmp_path, kind, read_field):
    data = (np.random.default_rng(1).random((5, 6, 7)) * 100).astype(kind)
    write_mrc(tmp_path / "a.mrc", replace(Volume(data=data), name="a"))
    content = (tmp_path / "a.mrc").read_bytes()
    stored = mrc2014(tmp_path / "a.mrc")
    assert (read_field(content, "dmin"), read_field(content, "dmax")) == (
        stored.min(),
        stored.max(),
    )
    assert read_field(content, "dmean") == pytest.approx(stored.mean(), rel=1e-6)
    assert math.isclose(read_field(content, "rms"), stored.std(), rel_tol=1e-6)
    assert read_field(content, "nlabl") == 1

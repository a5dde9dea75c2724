from __future__ import annotations

import struct

import numpy as np
import pytest

from napari_voxuda.errors import FileFormatError, InputError
from napari_voxuda.io.em import looks_like_em, read_em, read_em_header

TYPES = {"i1": 1, "i2": 2, "i4": 4, "f4": 5, "f8": 9}


def em(data, order="<", machine=None, pixel_size=0, comment=b"made by hand", kind=None):
    """Return an EM file byte by byte, from the format's description."""
    nz, ny, nx = data.shape
    dtype = data.dtype.str[1:]
    header = bytearray(512)
    header[0] = (6 if order == "<" else 5) if machine is None else machine
    header[3] = TYPES[dtype] if kind is None else kind
    struct.pack_into(order + "3i", header, 4, nx, ny, nz)
    header[16 : 16 + len(comment)] = comment
    struct.pack_into(order + "i", header, 120, pixel_size)
    return bytes(header) + data.astype(order + dtype).tobytes()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", sorted(TYPES))
def test_every_type_in_both_byte_orders(ramp, save, dtype, order):
    path = save(em(ramp.astype(dtype), order), "map.em")
    volume = read_em(path)
    np.testing.assert_array_equal(volume.data, ramp)
    assert volume.shape == (3, 4, 5)
    assert volume.data.dtype == np.dtype(dtype)
    assert isinstance(volume.data, np.memmap) == (order == "<" or dtype == "i1")
    assert not volume.data.flags.writeable
    assert (volume.name, volume.grid.voxel_size_angstrom) == ("map", None)
    assert read_em_header(path).comment == "made by hand"


def test_a_wrong_machine_is_seen_by_the_files_size(ramp, save):
    data = np.tile(ramp.astype("f4"), (1, 1, 60))
    volume = read_em(save(em(data, "<", machine=5)))
    np.testing.assert_array_equal(volume.data, data)
    assert "does not fit" in volume.warnings[0]


def test_the_pixel_size_is_told_and_not_guessed(ramp, save):
    (text,) = read_em(save(em(ramp.astype("f4"), pixel_size=1350))).warnings
    assert "13.5 Å by the format and 1.35 Å" in text
    (text,) = read_em(save(em(ramp.astype("f4")))).warnings
    assert "does not tell the voxel size" in text


def test_what_is_refused(ramp, save, tmp_path):
    whole = em(ramp.astype("f4"))
    with pytest.raises(FileFormatError, match=r"truncated: its header says 752 bytes, it has 751"):
        read_em(save(whole[:-1]))
    with pytest.raises(FileFormatError, match="none of EM's"):
        read_em(save(whole[:511]))
    with pytest.raises(FileFormatError, match="complex"):
        read_em(save(em(ramp.astype("f4"), kind=8)))
    with pytest.raises(FileFormatError, match="VAX"):
        read_em(save(em(ramp.astype("f4"), machine=1)))
    huge = bytearray(whole)
    struct.pack_into("<3i", huge, 4, 60000, 60000, 60000)
    with pytest.raises(FileFormatError, match="truncated"):
        read_em(save(bytes(huge)))
    with pytest.raises(InputError, match="no such file"):
        read_em(tmp_path / "none.em")
    with pytest.raises(InputError, match="cannot be read"):
        read_em(tmp_path)


def test_other_files_do_not_look_like_em(raw_mrc, ramp):
    assert looks_like_em(em(ramp.astype("f4")))
    assert not looks_like_em(raw_mrc(ramp).bytes())
    assert not looks_like_em(b"II*\0" + bytes(600))
    assert not looks_like_em(b"a text that is long enough " * 40)
    assert not looks_like_em(bytes(600))


def test_a_real_file(shared_data):
    volume = read_em(shared_data / "formats" / "ribosome_unscaled.em")
    raw = (shared_data / "formats" / "ribosome_unscaled.em").read_bytes()
    assert volume.shape == (48, 48, 48)
    assert volume.data.dtype == np.float32
    x, y, z = 7, 11, 13
    (wanted,) = struct.unpack_from("<f", raw, 512 + 4 * (x + 48 * (y + 48 * z)))
    assert volume.data[z, y, x] == np.float32(wanted)
    assert volume.data.min() < -1e11

"""MRC files made byte by byte, without the library and without mrcfile."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

# Byte offset and struct code of the header's fields, from the MRC2014 paper.
FIELDS = {
    "nx": (0, "i"),
    "ny": (4, "i"),
    "nz": (8, "i"),
    "mode": (12, "i"),
    "nxstart": (16, "i"),
    "nystart": (20, "i"),
    "nzstart": (24, "i"),
    "mx": (28, "i"),
    "my": (32, "i"),
    "mz": (36, "i"),
    "xlen": (40, "f"),
    "ylen": (44, "f"),
    "zlen": (48, "f"),
    "alpha": (52, "f"),
    "beta": (56, "f"),
    "gamma": (60, "f"),
    "mapc": (64, "i"),
    "mapr": (68, "i"),
    "maps": (72, "i"),
    "dmin": (76, "f"),
    "dmax": (80, "f"),
    "dmean": (84, "f"),
    "ispg": (88, "i"),
    "nsymbt": (92, "i"),
    "exttyp": (104, "4s"),
    "nversion": (108, "i"),
    "imodstamp": (152, "i"),
    "imodflags": (156, "i"),
    "xorg": (196, "f"),
    "yorg": (200, "f"),
    "zorg": (204, "f"),
    "map": (208, "4s"),
    "machst": (212, "4s"),
    "rms": (216, "f"),
    "nlabl": (220, "i"),
    "label": (224, "80s"),
}
MODES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}


class RawMrc:
    """A header and voxels as plain bytes."""

    def __init__(
        self, data: np.ndarray, mode: int = 2, order: str = "<", **changes: object
    ) -> None:
        nz, ny, nx = data.shape
        values: dict[str, object] = {
            "nx": nx,
            "ny": ny,
            "nz": nz,
            "mode": mode,
            "mx": nx,
            "my": ny,
            "mz": nz,
            "xlen": 10.0 * nx,
            "ylen": 10.0 * ny,
            "zlen": 10.0 * nz,
            "alpha": 90.0,
            "beta": 90.0,
            "gamma": 90.0,
            "mapc": 1,
            "mapr": 2,
            "maps": 3,
            "ispg": 1,
            "nversion": 20140,
            "map": b"MAP ",
            "machst": b"DD\0\0" if order == "<" else b"\x11\x11\0\0",
            **changes,
        }
        header = bytearray(1024)
        for name, value in values.items():
            offset, code = FIELDS[name]
            struct.pack_into(order + code, header, offset, value)
        dtype = np.dtype(MODES.get(mode, "u1")).newbyteorder(order)
        self.header = bytes(header)
        self.body = np.ascontiguousarray(data).astype(dtype).tobytes()

    def bytes(self, extended: bytes = b"") -> bytes:
        return self.header + extended + self.body


def field(raw: bytes, name: str, order: str = "<") -> object:
    """Read one field of a header."""
    offset, code = FIELDS[name]
    return struct.unpack_from(order + code, raw, offset)[0]


@pytest.fixture
def raw_mrc() -> type[RawMrc]:
    return RawMrc


@pytest.fixture
def read_field() -> Callable[..., object]:
    return field


@pytest.fixture
def ramp() -> np.ndarray:
    """Return (3, 4, 5) whole numbers, all different, so that every axis swap shows."""
    return np.arange(60, dtype=np.int16).reshape(3, 4, 5) - 7


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes bytes to a new file and returns its path."""

    def _save(content: bytes, name: str = "volume.mrc") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return _save

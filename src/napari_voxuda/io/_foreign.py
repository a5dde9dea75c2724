"""Recognise files that are not MRC, so that the message can say what they are."""

from __future__ import annotations

import struct

__all__ = ["foreign_kind"]

_MAGIC = {
    b"II*\0": "a TIFF image (convert it with IMOD's tif2mrc)",
    b"MM\0*": "a TIFF image (convert it with IMOD's tif2mrc)",
    b"II+\0": "a TIFF image (convert it with IMOD's tif2mrc)",
    b"\x89HDF": "an HDF5 file (convert it to MRC first)",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"PK\x03\x04": "a ZIP archive (unpack it first)",
    b"%PDF": "a PDF document",
    b"\x93NUMPY": "a NumPy array file",
    b"7z\xbc\xaf": "a 7z archive (unpack it first)",
    b"\xfd7zXZ": "an XZ archive (unpack it first)",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive (unpack it first)",
}
_EM_ITEM_BYTES = {1: 1, 2: 2, 4: 4, 5: 4, 8: 8, 9: 8}


def foreign_kind(raw: bytes) -> str | None:
    """Name the format of a file that is not MRC, or return None when it is not recognised.

    Parameters
    ----------
    raw : bytes
        The first bytes of the file.
    """
    if not raw:
        return "an empty file (copy or download it again)"
    for magic, kind in _MAGIC.items():
        if raw.startswith(magic):
            return kind
    if _is_em(raw):
        return "an EM file (convert it to MRC, for example with EMAN2's e2proc3d.py)"
    if _is_text(raw):
        return "a text file"
    return None


def _is_em(raw: bytes) -> bool:
    """Whether this is the 512-byte header of an EM file (TOM, AV3, Dynamo)."""
    if len(raw) < 16 or raw[0] > 6 or raw[3] not in _EM_ITEM_BYTES:
        return False
    for order in "<>":
        edges = struct.unpack(f"{order}3i", raw[4:16])
        if all(0 < n <= 1 << 16 for n in edges) and raw[1:3] in (b"\0\0", b"\1\0"):
            return True
    return False


def _is_text(raw: bytes) -> bool:
    """Whether all bytes are printable."""
    printable = set(range(32, 127)) | {9, 10, 12, 13}
    try:
        return all(ord(c) in printable or ord(c) > 159 for c in raw[:512].decode("utf-8", "strict"))
    except UnicodeDecodeError:
        return all(b in printable for b in raw[:512])

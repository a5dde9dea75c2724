"""The sidecar beside an output: a JSON file that tells where it comes from.

``mask.mrc`` has ``mask.mrc.json`` beside it, a folder ``mask.zarr`` has ``mask.zarr.json``. Of a JSON
file, ``picks.json``, it is ``picks.json.provenance``: copick takes every ``*.json`` for picks. The output itself holds no times, so that the same input gives the same bytes; they stand here.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_voxuda.errors import FileFormatError, InputError, OutputError
from napari_voxuda.io._json_files import read_json_object
from napari_voxuda.io.atomic import atomic_path

__all__ = [
    "SCHEMA",
    "SIDECAR_SUFFIXES",
    "Hashing",
    "check_sidecar_place",
    "finished",
    "hash_files",
    "hash_path",
    "hash_values",
    "is_sidecar",
    "read_sidecar",
    "sidecar_path",
    "write_sidecar",
]

SCHEMA = 1
SIDECAR_SUFFIXES = (".json", ".provenance")
_FORMAT = "napari-voxuda provenance"
_BLOCK_BYTES = 1 << 22
_SLAB_BYTES = 1 << 24
_MOST_BYTES = 1 << 26

Hashing = Generator[int, None, str]
"""Yields the bytes hashed so far and returns the SHA-256 in hexadecimal digits."""


def sidecar_path(output: Path) -> Path:
    """Return the place of an output's sidecar."""
    is_json = output.suffix.lower() == ".json"
    return output.with_name(f"{output.name}{'.provenance' if is_json else '.json'}")


def hash_path(path: Path) -> Hashing:
    """Hash a file in blocks, or all files of a folder.

    Parameters
    ----------
    path : pathlib.Path
        A file; of a folder the names of its files (with ``/``) and their hashes are hashed, in the
        order of their names.

    Yields
    ------
    int
        Bytes hashed so far.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    if path.is_dir():
        return (yield from hash_files(path, _files_in(path)))
    return (yield from _hash_file(path, 0))


def hash_files(folder: Path, files: Iterable[Path]) -> Hashing:
    """Hash the names of files within a folder together with their content; see `hash_path`."""
    total, done = hashlib.sha256(), 0
    for file in files:
        digest = yield from _hash_file(file, done)
        done += file.stat().st_size
        total.update(f"{file.relative_to(folder).as_posix()}\0{digest}\n".encode())
    return total.hexdigest()


def hash_values(data: Any) -> Hashing:
    """Hash the values of an array (z, y, x) in C order, little-endian, a slab at a time."""
    digest, done = hashlib.sha256(), 0
    depth = max(1, _SLAB_BYTES // max(1, data.nbytes // len(data)))
    for start in range(0, len(data), depth):
        slab = np.ascontiguousarray(data[start : start + depth])
        digest.update(slab.astype(slab.dtype.newbyteorder("<"), copy=False).data)
        done += slab.nbytes
        yield done
    return digest.hexdigest()


def finished(hashing: Hashing) -> str:
    """Run a hashing to its end and return the hash."""
    while True:
        try:
            next(hashing)
        except StopIteration as stop:
            return str(stop.value)


def check_sidecar_place(output: Path) -> None:
    """Refuse an output whose sidecar would replace another kind of file.

    Raises
    ------
    OutputError
        When a file that is no sidecar has its name.
    """
    path = sidecar_path(output)
    if path.exists() and not is_sidecar(path):
        raise OutputError(
            f"{path}: the record of where {output.name} comes from belongs here, but another file has "
            "this name; move it away or choose another output."
        )


def write_sidecar(output: Path, record: Mapping[str, Any]) -> Path:
    """Write the sidecar of an output and return its place.

    Parameters
    ----------
    output : pathlib.Path
        The file or folder that it is about.
    record : mapping
        JSON-able values; the format and its schema are added.

    Raises
    ------
    OutputError
        When it cannot be written, or another kind of file has its name.
    """
    path = sidecar_path(output)
    check_sidecar_place(output)
    content = {"format": _FORMAT, "schema": SCHEMA, **record}
    with atomic_path(path) as temporary:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        # The name of a file need not be text; JSON has an escape sequence for what is none.
        temporary.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    return path


def is_sidecar(path: Path) -> bool:
    """Whether a file is a sidecar."""
    if path.suffix.lower() not in SIDECAR_SUFFIXES or not path.is_file():
        return False
    try:
        return read_json_object(path, _MOST_BYTES).get("format") == _FORMAT
    except InputError:
        return False


def read_sidecar(output: Path) -> dict[str, Any] | None:
    """Return what the sidecar of an output says; None where it has none.

    Raises
    ------
    FileFormatError
        When it is of a schema that is not known.
    """
    path = sidecar_path(output)
    if not is_sidecar(path):
        return None
    record = read_json_object(path, _MOST_BYTES)
    if record.get("schema") != SCHEMA:
        raise FileFormatError(
            f"{path}: a record of schema {SCHEMA} was wanted, got {record.get('schema')!r}; use the "
            "version of napari-voxuda that wrote it."
        )
    return record


def _hash_file(path: Path, done: int) -> Hashing:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
                done += len(block)
                yield done
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read ({error.strerror}).") from error
    return digest.hexdigest()


def _files_in(folder: Path) -> list[Path]:
    found = [Path(place) / name for place, _, names in os.walk(folder) for name in names]
    return sorted(found, key=lambda file: file.relative_to(folder).as_posix())

"""Read JSON files of a bounded size, with errors in words."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from napari_voxuda.errors import FileFormatError, InputError

__all__ = [
    "MOST_JSON_BYTES",
    "check_depth",
    "finite_numbers",
    "is_path",
    "parsed",
    "read_bounded",
    "read_json_object",
]

MOST_JSON_BYTES = 1 << 28
_DEEPEST = 64


def read_bounded(path: Path, most: int = MOST_JSON_BYTES) -> str:
    """Return the text of a file.

    Raises
    ------
    InputError
        When there is no such file or it cannot be read.
    FileFormatError
        When it is larger than `most` bytes or no UTF-8.
    """
    try:
        with path.open("rb") as stream:  # a file that is too large is not read at all
            too_large = os.fstat(stream.fileno()).st_size > most
            raw = b"" if too_large else stream.read(most + 1)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file.") from error
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read ({error.strerror}).") from error
    if too_large or len(raw) > most:
        raise FileFormatError(f"{path}: a file of up to {most >> 20} MiB was wanted; it is larger.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"{path}: a text file (UTF-8) was wanted, got binary data."
        ) from error


def parsed(text: str, path: Path, where: str = "") -> dict[str, Any]:
    """Return a JSON object.

    Raises
    ------
    FileFormatError
        When the text is no JSON object.
    """
    try:
        value = json.loads(text)
        check_depth(value)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{path}: JSON was wanted{where}: {error}.") from error
    if not isinstance(value, dict):
        raise FileFormatError(
            f"{path}: a JSON object was wanted{where}, got {type(value).__name__}."
        )
    return value


def check_depth(value: Any) -> None:
    """Refuse lists and objects that are nested so deep that walking through them would fail.

    Raises
    ------
    ValueError
        When there are more than 64 levels.
    """
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise ValueError(f"more than {_DEEPEST} levels of lists and objects within each other")


def read_json_object(path: Path, most: int = MOST_JSON_BYTES) -> dict[str, Any]:
    """Return the JSON object in a file; raises as `read_bounded` and `parsed` do."""
    return parsed(read_bounded(path, most), path)


def is_path(value: Any) -> bool:
    """Whether a value can be the path of a file on this system, there or not."""
    if not isinstance(value, str) or not value or "\0" in value:
        return False
    try:
        os.fsencode(value)
    except UnicodeEncodeError:  # half of a character
        return False
    return True


def finite_numbers(holder: Any, names: str, path: Path, where: str) -> list[float]:
    """Return the numbers of an object by their names, for example ``"zyx"``.

    Raises
    ------
    FileFormatError
        When one is missing or no finite number.
    """
    try:
        values = [float(holder[name]) for name in names]
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise FileFormatError(f"{path}: numbers {', '.join(names)} were wanted{where}.") from error
    if not all(abs(v) < float("inf") for v in values):
        raise FileFormatError(f"{path}: finite numbers were wanted{where}, got NaN or infinity.")
    return values

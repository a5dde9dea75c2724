"""Check what the record of a run says before anything is done with it: it is a file like any other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_voxuda.errors import FileFormatError
from napari_voxuda.io._json_files import is_path

__all__ = ["check_places", "checked_seed"]


def checked_seed(value: Any) -> int:
    """Return a seed that PyTorch takes.

    Raises
    ------
    ValueError
        When it is no whole number from 0 to 2^63 - 1.
    """
    if not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise ValueError(f"a seed from 0 to 2^63 - 1 was wanted, got {value!r}")
    return value


def check_places(record: Mapping[str, Any]) -> None:
    """Make sure that the target and the picks of a run are names of files.

    Raises
    ------
    FileFormatError
        When one of them can be no path, or the level of the target is no number.
    """
    target = record.get("target") or {}
    try:
        several = [("target", part["path"]) for part in target.get("tomograms", ())]
    except (KeyError, TypeError) as error:
        raise FileFormatError(
            f"run.json: the target's tomograms are incomplete or damaged ({error})."
        ) from error
    places = [("target", target.get("path")), ("picks", record.get("picks")), *several]
    for name, value in places:
        if value is not None and not is_path(value):
            raise FileFormatError(
                f"run.json: the path of a file was wanted as {name}, got {value!r}."
            )
    level = target.get("level", 0)
    if not isinstance(level, int) or level < 0:
        raise FileFormatError(
            f"run.json: a level of the target from 0 on was wanted, got {level!r}."
        )

"""Read what a user calls a source: ``phantom``, a folder, or files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from napari_voxuda.errors import InputError
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["STRUCTURE_SUFFIXES", "source_settings_from_words"]

STRUCTURE_SUFFIXES = (".pdb", ".ent", ".cif", ".mmcif")
"""Suffixes of structure files; each may be followed by ``.gz``."""

_MAP_SUFFIXES = (".mrc", ".map", ".rec", ".st", ".ali", ".preali", ".mrcs")
_ACCEPTED = (
    "'phantom', one folder of subtomogram/mask pairs, structure files "
    f"({' '.join(STRUCTURE_SUFFIXES)}) or density maps ({' '.join(_MAP_SUFFIXES)})"
)


def source_settings_from_words(words: Sequence[str], **changes: Any) -> SourceSettings:
    """Return the settings of the source that `words` name.

    Parameters
    ----------
    words : sequence of str
        ``["phantom"]``, one folder, or one or more files of one kind.
    **changes
        Other fields of `SourceSettings` by name.

    Returns
    -------
    SourceSettings
        With `kind` and `files` set.

    Raises
    ------
    InputError
        When a word is neither, a file is missing, or kinds are mixed.
    """
    if not words:
        raise InputError(f"source: {_ACCEPTED} was wanted, got nothing.")
    if list(words) == ["phantom"]:
        return SourceSettings(kind="phantom", files=(), **changes)
    kinds = [_kind(word) for word in words]
    for word, kind in zip(words, kinds, strict=True):
        if kind != kinds[0]:
            raise InputError(
                f"source: words of one kind were wanted, got {words[0]!r} ({kinds[0]}) "
                f"and {word!r} ({kind}); give {_ACCEPTED}."
            )
    if kinds[0] in ("folder", "phantom") and len(words) > 1:
        raise InputError(f"source: one {kinds[0]} was wanted, got {len(words)}; give {_ACCEPTED}.")
    return SourceSettings(kind=kinds[0], files=tuple(str(word) for word in words), **changes)


def _kind(word: str) -> Literal["phantom", "folder", "structures", "maps"]:
    if word == "phantom":
        return "phantom"
    path = Path(word)
    if path.is_dir():
        return "folder"
    suffix = Path(path.stem).suffix if path.suffix.lower() in (".gz", ".bz2") else path.suffix
    suffix = suffix.lower()
    if suffix not in STRUCTURE_SUFFIXES + _MAP_SUFFIXES:
        raise InputError(f"source: {word!r} is none of {_ACCEPTED}.")
    if not path.is_file():
        raise InputError(f"source: file {word!r} does not exist.")
    return "structures" if suffix in STRUCTURE_SUFFIXES else "maps"

"""Read what a user calls a source: ``phantom``, identifiers, a paper's group, a folder, or files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_voxuda.errors import InputError
from napari_voxuda.io.pdb_entries import is_entry_identifier
from napari_voxuda.simulation.entries import PAPER_ENTRIES
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["STRUCTURE_SUFFIXES", "kind_of_word", "source_settings_from_words"]

STRUCTURE_SUFFIXES = (".pdb", ".ent", ".cif", ".mmcif")
"""Suffixes of structure files; each may be followed by ``.gz``."""

_MAP_SUFFIXES = (".mrc", ".map", ".rec", ".st", ".ali", ".preali", ".mrcs")
_ACCEPTED = (
    "'phantom', one folder of subtomogram/mask pairs, structure files "
    f"({' '.join(STRUCTURE_SUFFIXES)}), density maps ({' '.join(_MAP_SUFFIXES)}), PDB identifiers "
    "such as 1bxn, 'paper-A' or 'paper-B'"
)
_PAPER = {f"paper-{group}".lower(): group for group in PAPER_ENTRIES}


def source_settings_from_words(words: Sequence[str], **changes: Any) -> SourceSettings:
    """Return the settings of the source that `words` name.

    Parameters
    ----------
    words : sequence of str
        ``["phantom"]``, ``["paper-A"]`` or ``["paper-B"]``, one folder, one or more PDB
        identifiers, or one or more files of one kind.
    **changes
        Other fields of `SourceSettings` by name.

    Returns
    -------
    SourceSettings
        With `kind` and `files` set; for the paper's groups, `SourceSettings.paper`.

    Raises
    ------
    InputError
        When a word is neither, a file is missing, or kinds are mixed.

    Notes
    -----
    A file or folder that is there wins over an identifier of the same name; the identifier's long
    form, ``pdb_00001bxn``, still means the entry. ``phantom`` and the paper's groups win over files.
    """
    if not words:
        raise InputError(f"source: {_ACCEPTED} was wanted, got nothing.")
    if list(words) == ["phantom"]:
        return SourceSettings(kind="phantom", files=(), **changes)
    if len(words) == 1 and (group := _PAPER.get(words[0].lower())):
        files = PAPER_ENTRIES[group]
        return SourceSettings.paper(**{"group": group, **changes, "kind": "pdb", "files": files})
    kinds = [kind_of_word(word) for word in words]
    for word, kind in zip(words, kinds, strict=True):
        if kind != kinds[0]:
            raise InputError(
                f"source: words of one kind were wanted, got {words[0]!r} ({kinds[0]}) "
                f"and {word!r} ({kind}); give {_ACCEPTED}."
            )
    if kinds[0] in ("folder", "phantom", "paper's group") and len(words) > 1:
        raise InputError(f"source: one {kinds[0]} was wanted, got {len(words)}; give {_ACCEPTED}.")
    known: Any = kinds[0]
    return SourceSettings(kind=known, files=tuple(str(word) for word in words), **changes)


def kind_of_word(word: str) -> str:
    """Return what kind of source one word names.

    Raises
    ------
    InputError
        When it is none, or names a file that does not exist.
    """
    if word == "phantom":
        return "phantom"
    if word.lower() in _PAPER:
        return "paper's group"
    path = Path(word)
    if path.is_dir():
        return "folder"
    if is_entry_identifier(word):
        if path.exists():
            raise InputError(
                f"source: {word!r} is a file here, and its name tells no format. Give it a suffix; "
                f"the entry of the Protein Data Bank is pdb_0000{word[-4:]}."
            )
        return "pdb"
    suffix = Path(path.stem).suffix if path.suffix.lower() in (".gz", ".bz2") else path.suffix
    suffix = suffix.lower()
    if suffix not in STRUCTURE_SUFFIXES + _MAP_SUFFIXES:
        raise InputError(f"source: {word!r} is none of {_ACCEPTED}.")
    if not path.is_file():
        raise InputError(f"source: file {word!r} does not exist.")
    return "structures" if suffix in STRUCTURE_SUFFIXES else "maps"

"""Molecules from the Protein Data Bank, among them the two groups of the paper's source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari_voxuda.errors import DownloadError
from napari_voxuda.io.pdb_entries import entry_identifier, fetch_entry
from napari_voxuda.simulation.molecules import Molecule
from napari_voxuda.simulation.structures import read_structure

__all__ = ["PAPER_ENTRIES", "entry_file", "molecule_from_entry"]

PAPER_ENTRIES: dict[str, tuple[str, ...]] = {
    "A": ("1bxn", "1f1b", "1yg6"),
    "B": ("2byu", "2h12", "2ldb"),
}
"""The structures of the paper's two sources."""


def entry_file(word: str) -> Path:
    """Return the file of an entry of the Protein Data Bank, fetched unless it is in the cache.

    Parameters
    ----------
    word : str
        An identifier.

    Returns
    -------
    pathlib.Path
        A gzipped mmCIF file.

    Raises
    ------
    InputError
        When no such entry exists.
    DownloadError
        When it can be had nowhere; the message names the phantoms that can stand in.
    OutputError
        When the cache folder cannot be written to.
    """
    try:
        return fetch_entry(word)
    except DownloadError as error:
        raise DownloadError(f"{error} {_stand_in(entry_identifier(word))}") from error


def molecule_from_entry(word: str) -> Molecule:
    """Return the first biological assembly of an entry, named after its identifier.

    Raises
    ------
    InputError
        When no such entry exists, or it cannot be used.
    DownloadError
        When it is not in the cache and can be had nowhere.
    OutputError
        When the cache folder cannot be written to.
    """
    return replace(read_structure(entry_file(word)), name=entry_identifier(word))


def _stand_in(identifier: str) -> str:
    """Return what can be done without the entry."""
    for group, entries in PAPER_ENTRIES.items():
        if identifier in entries:
            return (
                f"Phantoms of the same symmetry, mass and size as the paper's group {group} need no "
                f"network: built-in phantoms, variety fixed, group {group} (--source phantom "
                f"--source-variety fixed --source-group {group}; with simulate: --variety fixed "
                f"--group {group})."
            )
    return "The built-in phantoms need no network (--source phantom)."

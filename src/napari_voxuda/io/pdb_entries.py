"""Entries of the Protein Data Bank by identifier: fetched once, checked, kept in a cache folder."""

from __future__ import annotations

import gzip
import io
import os
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from napari_voxuda.errors import DownloadError, InputError, OutputError
from napari_voxuda.io._https import Bounds, MissingError, get
from napari_voxuda.io.atomic import atomic_path

__all__ = [
    "ARCHIVE",
    "CACHE_VARIABLE",
    "Archive",
    "Site",
    "cached_entry",
    "entry_identifier",
    "entry_path",
    "fetch_entry",
    "is_entry_identifier",
]

CACHE_VARIABLE = "VOXUDA_CACHE"
"""Environment variable that moves the cache folder."""

_IDENTIFIER = re.compile(r"(?:pdb_0000)?([0-9][a-z0-9]{3})", re.IGNORECASE | re.ASCII)
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where entries can be had.

    Parameters
    ----------
    name : str
        What a user calls it.
    address : str
        HTTPS address of a gzipped mmCIF file; ``{entry}`` stands for the identifier and
        ``{middle}`` for its second and third character.
    allow_http : bool
        Whether the address may be plain HTTP: for a stand-in on the same machine.
    """

    name: str
    address: str
    allow_http: bool = False


@dataclass(frozen=True, kw_only=True)
class Archive:
    """The sites that are asked, in this order, and what a download may take."""

    sites: tuple[Site, ...] = (
        Site(name="RCSB", address="https://files.rcsb.org/download/{entry}.cif.gz"),
        Site(
            name="PDBe",
            address="https://ftp.ebi.ac.uk/pub/databases/pdb/data/structures/divided/mmCIF/"
            "{middle}/{entry}.cif.gz",
        ),
    )
    bounds: Bounds = field(default_factory=Bounds)


ARCHIVE = Archive()
"""What is asked when no other archive is given."""


def is_entry_identifier(word: str) -> bool:
    """Whether `word` has the form of an identifier: ``1bxn`` or ``pdb_00001bxn``."""
    return _IDENTIFIER.fullmatch(word) is not None


def entry_identifier(word: str) -> str:
    """Return an identifier in its short form in lower case.

    Raises
    ------
    InputError
        When `word` is no identifier.
    """
    found = _IDENTIFIER.fullmatch(word)
    if found is None:
        raise InputError(
            f"source: a PDB identifier was wanted, such as 1bxn or pdb_00001bxn, got {word!r}."
        )
    return found[1].lower()


def entry_path(word: str) -> Path:
    """Return where the file of an entry is kept, whether it is there or not.

    Parameters
    ----------
    word : str
        An identifier.

    Returns
    -------
    pathlib.Path
        ``structures/1bxn.cif.gz`` in the folder that `CACHE_VARIABLE` names, or in the
        platform's cache folder.

    Raises
    ------
    InputError
        When `word` is no identifier.
    """
    import platformdirs

    chosen = os.environ.get(CACHE_VARIABLE)
    folder = Path(chosen or platformdirs.user_cache_dir("napari-voxuda", appauthor=False))
    return folder.expanduser().absolute() / "structures" / f"{entry_identifier(word)}.cif.gz"


def cached_entry(word: str, *, archive: Archive | None = None) -> Path | None:
    """Return the file of an entry that was fetched earlier; the network is not touched.

    Parameters
    ----------
    word : str
        An identifier.
    archive : Archive or None
        Gives the bounds; `ARCHIVE` without.

    Returns
    -------
    pathlib.Path or None
        None where there is no file, or a damaged one.

    Raises
    ------
    InputError
        When `word` is no identifier.
    """
    path, bounds = entry_path(word), (archive or ARCHIVE).bounds
    try:
        if path.stat().st_size > bounds.download_bytes:
            return None
        _check(path.read_bytes(), entry_identifier(word), bounds)
    except (OSError, DownloadError):
        return None
    return path


def fetch_entry(word: str, *, archive: Archive | None = None) -> Path:
    """Return the file of an entry, from the cache or else from the first site that has it.

    Parameters
    ----------
    word : str
        An identifier.
    archive : Archive or None
        The sites and bounds; `ARCHIVE` without.

    Returns
    -------
    pathlib.Path
        A gzipped mmCIF file that was read and holds atoms of this entry.

    Raises
    ------
    InputError
        When `word` is no identifier, or no site knows it.
    DownloadError
        When no site could be reached or sent a file that can be used.
    OutputError
        When the cache folder cannot be written to.

    Notes
    -----
    A file gets its name in the cache only when it is complete and checked, in one step, so that
    processes which fetch the same entry at once do not disturb each other.
    """
    archive = archive or ARCHIVE
    identifier, path = entry_identifier(word), entry_path(word)
    cached = cached_entry(word, archive=archive)
    if cached is not None:
        return cached
    reasons = []
    unknown = bool(archive.sites)
    for site in archive.sites:
        address = site.address.format(entry=identifier, middle=identifier[1:3])
        try:
            content = get(address, archive.bounds, allow_http=site.allow_http)
            _check(content, identifier, archive.bounds)
        except DownloadError as error:
            reasons.append(f"{site.name}: {error}")
            unknown = unknown and isinstance(error, MissingError)
        else:
            _keep(content, path)
            return path
    told = "; ".join(reasons)
    if unknown:
        raise InputError(
            f"{identifier}: the Protein Data Bank has no such entry ({told}). Check the identifier; "
            "the entry may have been withdrawn or replaced."
        )
    raise DownloadError(
        f"{identifier}: the structure is not in the cache and could not be fetched ({told}). Try "
        f"again with a connection, or put {path.name} into {path.parent}."
    )


def _check(content: bytes, identifier: str, bounds: Bounds) -> None:
    """Raise `DownloadError`, with a reason in a few words, unless this is the entry's file."""
    import gemmi

    text = _unpacked(content, bounds)
    try:
        block = gemmi.cif.read_string(text).sole_block()
        named = gemmi.cif.as_string(block.find_value("_entry.id") or "")
        structure = gemmi.make_structure_from_block(block)
    except (RuntimeError, ValueError, IndexError) as error:
        raise DownloadError("what it sent is no mmCIF file") from error
    if not is_entry_identifier(named):
        raise DownloadError("what it sent is no mmCIF file of an entry")
    if entry_identifier(named) != identifier:
        raise DownloadError(f"it sent another entry, {named}")
    if not any(model.count_atom_sites() for model in structure):
        raise DownloadError("what it sent holds no atoms")


def _unpacked(content: bytes, bounds: Bounds) -> bytes:
    text = bytearray()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            while part := stream.read(_CHUNK):
                text += part
                if len(text) > bounds.unpacked_bytes:
                    mib = bounds.unpacked_bytes / _CHUNK
                    raise DownloadError(f"what it sent unpacks to more than {mib:.4g} MiB")
    except (OSError, EOFError, zlib.error) as error:
        raise DownloadError("what it sent is no whole gzipped file") from error
    return bytes(text)


def _keep(content: bytes, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path.parent}: the cache folder cannot be made ({error.strerror or error}). Name "
            f"another with the environment variable {CACHE_VARIABLE}."
        ) from error
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)

"""Which tomogram the rows of a STAR file belong to."""

from __future__ import annotations

import re
from pathlib import Path

from napari_voxuda.errors import InputError
from napari_voxuda.io._star_table import StarTable

__all__ = ["of_one_tomogram", "row_names", "star_name"]

_NAMES = ("rlnTomoName", "rlnMicrographName")
_SUFFIXES = (".gz", ".bz2", ".tomostar", ".mrc", ".rec", ".st", ".map", ".mrcs", ".xml")


def row_names(table: StarTable) -> list[str]:
    """Return the tomogram's name of each row; empty when the table names none."""
    column = next((c for c in _NAMES if table.has((c,))), None)
    return [] if column is None else table.texts(column)


def of_one_tomogram(table: StarTable, path: Path, wanted: str | None) -> StarTable:
    """Return the rows of one tomogram."""
    names = row_names(table)
    known = list(dict.fromkeys(names))
    shown = ", ".join(known[:5]) + (", …" if len(known) > 5 else "")
    if wanted is None:
        if len(known) > 1:
            raise InputError(
                f"{path}: holds picks of {len(known)} tomograms ({shown}); say which tomogram's."
            )
        return table
    if not known:
        return table
    chosen = _match(known, wanted)
    if chosen is None:
        raise InputError(f"{path}: picks of tomogram {wanted!r} were wanted, it holds {shown}.")
    return table.rows([i for i, name in enumerate(names) if name == chosen])


def _match(known: list[str], wanted: str) -> str | None:
    """Return the one name that means the wanted tomogram: equal, equal core, or its beginning."""
    if wanted in known:
        return wanted
    core = _core(wanted)
    equal = [name for name in known if _core(name) == core]
    begins = [
        n for n in known if core.startswith(_core(n)) and not core[len(_core(n)) :][:1].isalnum()
    ]
    longest = max((len(_core(n)) for n in begins), default=0)
    found = equal or [n for n in begins if len(_core(n)) == longest]
    return found[0] if len(found) == 1 else None


def _core(name: str) -> str:
    """Return a tomogram's name without folder and known suffix, in lower case."""
    core = _plain(name.replace("\\", "/").rsplit("/", 1)[-1]).lower()
    for suffix in _SUFFIXES:
        core = core.removesuffix(suffix)
    return core


def star_name(name: str) -> str:
    """Return a tomogram's name as RELION can read it: without spaces, quotes and accents.

    Raises
    ------
    InputError
        When nothing is left of it.
    """
    plain = _plain(name)
    if not plain:
        raise InputError(f"tomogram name: a name such as TS_01 was wanted, got {name!r}.")
    return plain


def _plain(name: str) -> str:
    """Return a name in which nothing has a meaning in STAR files."""
    plain = re.sub(r"[^!-~]", "_", "_".join(re.sub("[\"']", "", name).split())).lstrip("_#$[];")
    return re.sub(r"(?i)^(data|loop|save|stop|global)_", r"\1-", plain)

"""Which tomogram the rows of a STAR file belong to."""

from __future__ import annotations

from pathlib import Path

from napari_voxuda.errors import InputError
from napari_voxuda.io._star_table import StarTable

__all__ = ["of_one_tomogram", "row_names", "star_name"]

_NAMES = ("rlnTomoName", "rlnMicrographName")
_STAR_SIGNS = "_#$[];"


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
    core = "_".join(name.replace("\\", "/").rsplit("/", 1)[-1].lower().split()).lstrip(_STAR_SIGNS)
    for suffix in (".gz", ".bz2", ".tomostar", ".mrc", ".rec", ".st", ".map", ".mrcs", ".xml"):
        core = core.removesuffix(suffix)
    return core


def star_name(name: str) -> str:
    """Return a tomogram's name as a STAR value, for RELION without quotes and spaces."""
    cleaned = "_".join(name.split()).translate(dict.fromkeys(map(ord, "\"'"))).lstrip(_STAR_SIGNS)
    if not cleaned or not cleaned.isprintable() or cleaned.lower() in ("loop_", "stop_", "global_"):
        raise InputError(f"tomogram name: a name such as TS_01 was wanted, got {name!r}.")
    return cleaned

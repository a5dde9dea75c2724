"""The particle table of a STAR file, with its optics table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_voxuda.errors import FileFormatError, InputError

__all__ = ["StarTable", "read_particle_table"]


_MOST_BYTES = 1 << 30


class StarTable:
    """Columns of text, and the optics settings that belong to their rows.

    Parameters
    ----------
    path : pathlib.Path
        Named in the messages.
    columns : dict of list of str
        Values by tag, without the leading underscore.
    optics : dict of list of str
        The same for the optics table; empty when there is none.
    """

    def __init__(
        self, path: Path, columns: dict[str, list[str]], optics: dict[str, list[str]]
    ) -> None:
        self._path = path
        self._columns = columns
        self._optics = optics

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()), []))

    def has(self, tags: Sequence[str]) -> bool:
        """Whether all these columns are there."""
        return all(tag in self._columns for tag in tags)

    def texts(self, tag: str) -> list[str]:
        """Return a column as it stands."""
        return self._columns[tag]

    def numbers(self, tags: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return (rows, tags) float64 values; raise `FileFormatError` where one is no number."""
        return np.stack([self._as_numbers(tag, self._columns[tag]) for tag in tags], axis=1)

    def rows(self, indices: Sequence[int]) -> StarTable:
        """Return a table of some of the rows."""
        columns = {tag: [values[i] for i in indices] for tag, values in self._columns.items()}
        return StarTable(self._path, columns, self._optics)

    def setting(self, tag: str) -> npt.NDArray[np.float64] | None:
        """Return a number per row from the particles or the optics table, None if in neither."""
        if tag in self._columns:
            return self._as_numbers(tag, self._columns[tag])
        if tag not in self._optics:
            return None
        values = self._as_numbers(tag, self._optics[tag])
        groups = self._optics.get("rlnOpticsGroup")
        if groups is not None and "rlnOpticsGroup" in self._columns:
            by_group = dict(zip(groups, values.tolist(), strict=True))
            missing = set(self._columns["rlnOpticsGroup"]) - by_group.keys()
            if missing:
                raise FileFormatError(
                    f"{self._path}: optics group {min(missing)} of the particles is not in the optics "
                    "table."
                )
            return np.array([by_group[g] for g in self._columns["rlnOpticsGroup"]])
        if len(set(values.tolist())) == 1:
            return np.full(len(self), values[0])
        raise FileFormatError(
            f"{self._path}: the optics table has several values of {tag}, and the particles do not "
            "name their optics group."
        )

    def _as_numbers(self, tag: str, values: list[str]) -> npt.NDArray[np.float64]:
        try:
            numbers = np.array([float(v) for v in values], dtype=np.float64)
        except ValueError as error:
            raise FileFormatError(
                f"{self._path}: numbers were wanted in {tag}: {error}."
            ) from error
        if not np.isfinite(numbers).all():
            raise FileFormatError(
                f"{self._path}: finite numbers were wanted in {tag}, got NaN or infinity."
            )
        return numbers


def read_particle_table(path: Path, wanted: Sequence[Sequence[str]]) -> StarTable:
    """Read the first table of a STAR file that has all columns of one of the wanted sets.

    Parameters
    ----------
    path : pathlib.Path
        STAR file.
    wanted : sequence of sequence of str
        Sets of tags; the table must have one of them whole.

    Raises
    ------
    InputError
        When there is no such file or it cannot be read.
    FileFormatError
        When it is not a STAR file, or has no such table.
    """
    tables = _tables(path)
    optics = next((columns for name, columns in tables if name.lower() == "optics"), {})
    for _, columns in tables:
        if any(all(tag in columns for tag in tags) for tags in wanted):
            return StarTable(path, columns, optics)
    names = " or ".join(tags[-1] for tags in wanted)
    raise FileFormatError(
        f"{path}: a table with particle coordinates ({names}, …) was wanted, found none."
    )


def _tables(path: Path) -> list[tuple[str, dict[str, list[str]]]]:
    """Return the name and the columns of each block."""
    from gemmi import cif

    text = _text(path)
    try:
        document = cif.read_string(text)
        return [(block.name, _columns(block)) for block in document]
    except (ValueError, RuntimeError) as error:
        detail = str(error).removeprefix("string:")
        raise FileFormatError(f"{path}: a STAR file was wanted, but line {detail}.") from error


def _columns(block: object) -> dict[str, list[str]]:
    """Return the columns of a block's loops; single values become columns of one row."""
    from gemmi import cif

    columns: dict[str, list[str]] = {}
    for item in block:  # type: ignore[attr-defined]
        if item.loop is not None:
            width = item.loop.width()
            values = item.loop.values
            for i, tag in enumerate(item.loop.tags):
                columns[tag.removeprefix("_")] = [cif.as_string(v) for v in values[i::width]]
        elif item.pair is not None:
            tag, value = item.pair
            columns[tag.removeprefix("_")] = [cif.as_string(value)]
    return columns


def _text(path: Path) -> str:
    """Return the file's text; what is not ASCII becomes ``_``, which the parser needs."""
    try:
        if path.is_dir():
            raise FileFormatError(f"{path}: a STAR file was wanted, got a folder.")
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise FileFormatError(
                f"{path}: a STAR file of up to {_MOST_BYTES >> 20} MiB was wanted, got {size >> 20} MiB."
            )
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file.") from error
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read ({error.strerror}).") from error
    if b"\0" in raw or not raw.strip():
        kind = "binary data" if raw.strip() else "an empty file"
        raise FileFormatError(f"{path}: a STAR file was wanted, got {kind}.")
    return re.sub(r"[^\x00-\x7f]", "_", raw.decode("utf-8", "replace").removeprefix("\ufeff"))

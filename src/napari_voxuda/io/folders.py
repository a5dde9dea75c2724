"""Find subtomograms, tomograms, and pairs of subtomogram and mask, in a folder.

A pair is ``NAME.mrc`` or ``NAME_subtomo.mrc`` with ``NAME_mask.mrc``; any MRC suffix will do.
"""

from __future__ import annotations

import re
from pathlib import Path

from napari_voxuda.errors import InputError
from napari_voxuda.io.mrc import is_mrc_name, mrc_stem, read_header

__all__ = ["find_pairs", "find_subtomograms", "find_tomograms"]

_MASK = "_mask"
_SUBTOMOGRAM = "_subtomo"
_TOMOGRAM_EDGE = 200


def find_subtomograms(folder: str | Path) -> list[Path]:
    """Return the MRC files of a folder that are not masks, in natural order.

    Parameters
    ----------
    folder : str or pathlib.Path
        Folder of subtomograms; subfolders and hidden files are left out.

    Raises
    ------
    InputError
        When the folder does not exist or holds no subtomogram.
    """
    folder = Path(folder).expanduser()
    found = [path for path in _mrc_files(folder) if not _stem(path).endswith(_MASK)]
    if not found:
        raise InputError(
            f"{folder}: subtomograms (MRC files not named NAME{_MASK}) were wanted, found none."
        )
    return found


def find_tomograms(folder: str | Path) -> list[Path]:
    """Return the volumes of a folder where they are too large for subtomograms; else none.

    A tomogram's longest edge has at least 200 voxels, and it is no cube. Where any volume is smaller or
    a cube, the folder is one of subtomograms.

    Parameters
    ----------
    folder : str or pathlib.Path
        Folder of MRC files; those named ``NAME_mask`` do not count.

    Raises
    ------
    InputError
        When the folder does not exist or holds no volume.
    FileFormatError
        When a header is damaged.
    """
    found = find_subtomograms(folder)
    return found if all(_is_tomogram(read_header(path).shape) for path in found) else []


def _is_tomogram(shape: tuple[int, ...]) -> bool:
    return max(shape) >= _TOMOGRAM_EDGE and len(set(shape)) > 1


def find_pairs(folder: str | Path) -> list[tuple[Path, Path]]:
    """Return the (subtomogram, mask) pairs of a folder, in natural order.

    Parameters
    ----------
    folder : str or pathlib.Path
        Folder of ``NAME.mrc`` or ``NAME_subtomo.mrc`` with ``NAME_mask.mrc``.

    Raises
    ------
    InputError
        When the folder does not exist or is empty, or a file has no partner or more than one.
    """
    folder = Path(folder).expanduser()
    volumes: dict[str, Path] = {}
    masks: dict[str, Path] = {}
    for path in _mrc_files(folder):
        stem = _stem(path)
        group = masks if stem.endswith(_MASK) else volumes
        name = stem.removesuffix(_MASK if group is masks else _SUBTOMOGRAM)
        if name in group:
            raise InputError(
                f"{folder}: one file per name was wanted, got {group[name].name} and {path.name}; "
                "remove or rename one."
            )
        group[name] = path
    if not volumes and not masks:
        raise InputError(
            f"{folder}: pairs NAME.mrc + NAME{_MASK}.mrc were wanted, found no MRC file."
        )
    _check_partners(folder, volumes, masks)
    return [(volumes[name], masks[name]) for name in volumes]


def _check_partners(folder: Path, volumes: dict[str, Path], masks: dict[str, Path]) -> None:
    """Raise and name the files without a partner."""
    lonely = [p.name for n, p in volumes.items() if n not in masks]
    kind, wanted = "mask", f"NAME{_MASK}.mrc"
    if not lonely:
        lonely = [p.name for n, p in masks.items() if n not in volumes]
        kind, wanted = "subtomogram", f"NAME.mrc or NAME{_SUBTOMOGRAM}.mrc"
    if lonely:
        more = f" and {len(lonely) - 3} more" if len(lonely) > 3 else ""
        raise InputError(
            f"{folder}: a {kind} ({wanted}) is missing for {', '.join(lonely[:3])}{more}; "
            "add it or remove the file."
        )


def _mrc_files(folder: Path) -> list[Path]:
    """Return the MRC files directly in a folder, in natural order."""
    if not folder.exists():
        raise InputError(f"{folder}: there is no such folder.")
    if not folder.is_dir():
        raise InputError(f"{folder}: a folder was wanted, got a file.")
    try:
        paths = [p for p in folder.iterdir() if not p.name.startswith(".") and is_mrc_name(p)]
        paths = [p for p in paths if p.is_file()]
    except OSError as error:
        raise InputError(f"{folder}: the folder cannot be read ({error.strerror}).") from error
    return sorted(paths, key=_natural)


def _natural(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key under which ``a2`` comes before ``a10``."""
    parts = re.findall(r"\d+|\D+", path.name.lower())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts], path.name


def _stem(path: Path) -> str:
    return mrc_stem(path) or path.stem

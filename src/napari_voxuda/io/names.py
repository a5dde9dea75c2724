"""Make file names from names that came with data, so that none leaves its folder."""

from __future__ import annotations

import re
from pathlib import Path

from napari_voxuda.errors import InputError, OutputError

__all__ = ["child", "copick_name", "file_name"]

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?")
_MOST_BYTES = 96
_MOST_COPICK_BYTES = 60  # three of them make one file name


def file_name(text: str, *, what: str = "name") -> str:
    """Return a name as one that any system takes for a file in a folder.

    What has a meaning in paths becomes ``_``, dots and spaces at its ends are left out, names of
    Windows' devices get an underscore in front, and the length is at most 96 bytes, which leaves
    room for suffixes.

    Parameters
    ----------
    text : str
        Any name, for example of a tomogram in a file.
    what : str
        What it names, for the message.

    Raises
    ------
    InputError
        When nothing is left of it.
    """
    plain = _shortened(_FORBIDDEN.sub("_", _printable(text)).strip(". "), what, text, _MOST_BYTES)
    return f"_{plain}" if _DEVICES.fullmatch(plain) else plain


def copick_name(text: str, *, what: str = "name") -> str:
    """Return a name as copick takes it for an object, a user or a session: without underscores.

    What copick does not allow (underscores, white space, what has a meaning in paths) becomes ``-``.

    Parameters
    ----------
    text : str
        Any name.
    what : str
        What it names, for the message.

    Raises
    ------
    InputError
        When nothing is left of it.
    """
    plain = re.sub(r"[\s_]", "-", _FORBIDDEN.sub("-", _printable(text))).strip("-. ")
    plain = _shortened(plain, what, text, _MOST_COPICK_BYTES)
    return f"{plain}-" if _DEVICES.fullmatch(plain) else plain


def child(folder: Path, *names: str) -> Path:
    """Return a path below a folder, made of names that came with data.

    Parameters
    ----------
    folder : pathlib.Path
        The folder that the path may not leave; links in it are followed.
    *names : str
        Plain names, one for each level.

    Raises
    ------
    OutputError
        When a name is empty, ``.`` or ``..``, or holds what has a meaning in paths, or a link
        leads out of the folder.
    """
    path = folder
    for name in names:
        if (
            name in ("", ".", "..")
            or _FORBIDDEN.search(name)
            or name != name.strip()
            or not name.isprintable()
        ):
            raise OutputError(f"{folder}: a plain name in this folder was wanted, got {name!r}.")
        path = path / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise OutputError(f"{path}: this leads out of {folder}; choose another name.")
    return path


def _printable(text: str) -> str:
    """Return a text in which control characters and the like are underscores."""
    return "".join(c if c.isprintable() else "_" for c in text)


def _shortened(plain: str, what: str, given: str, most: int) -> str:
    short = plain.encode("utf-8")[:most].decode("utf-8", "ignore").strip(". ")
    if not short.strip("_-"):
        raise InputError(f"{what}: a name with letters or digits was wanted, got {given[:60]!r}.")
    return short

"""Write a file whole or not at all."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_voxuda.errors import OutputError

__all__ = ["atomic_path"]

_OUTPUT_ERRNOS = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.ENAMETOOLONG,
        errno.ENOSPC,
        errno.EPERM,
        errno.EROFS,
    }
)


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield the path of an empty temporary file that becomes `path` when the block succeeds.

    Parameters
    ----------
    path : str or pathlib.Path
        The file to be written. A link is followed; an existing file is replaced only at the end.

    Yields
    ------
    pathlib.Path
        A hidden file in the same folder, to be opened for writing. When the block raises it is
        removed and whatever was at `path` stays untouched.

    Raises
    ------
    OutputError
        When the folder is missing or not writable, `path` is a folder, or the disk is full.
    """
    target = Path(path).expanduser()
    try:
        target = target.resolve()
        _check_target(target)
        temporary = target.with_name(f".{uuid.uuid4().hex}.part")
        temporary.open("xb").close()
    except OutputError:
        raise
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links before Python 3.13
        raise OutputError(f"{path}: cannot be written here ({_reason(error)}).") from error
    try:
        yield temporary
        _flush_to_disk(temporary)
        os.replace(temporary, target)
    except OSError as error:
        if isinstance(error, OutputError) or error.errno not in _OUTPUT_ERRNOS:
            raise
        raise OutputError(f"{path}: cannot be written ({_reason(error)}).") from error
    finally:
        temporary.unlink(missing_ok=True)


def _check_target(target: Path) -> None:
    """Raise when `target` cannot be a file."""
    if target.is_dir():
        raise OutputError(f"{target}: a file was wanted, got a folder; give a file name in it.")
    folder = target.parent
    if not folder.exists():
        raise OutputError(f"{target}: the folder {folder} does not exist; make it first.")
    if not folder.is_dir():
        raise OutputError(f"{target}: {folder} is a file, not a folder; choose another place.")


def _flush_to_disk(path: Path) -> None:
    """Make the file's content survive a crash of the machine after the rename."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _reason(error: BaseException) -> str:
    """Return the system's words for an error."""
    return (getattr(error, "strerror", None) or str(error)).lower()

"""Write a file or a folder whole or not at all.

What is being written has a hidden name beside its final one, ``.NAME.part``, and is moved into place
when it is complete. A process that is killed leaves its ``.part`` behind; the next one that
writes the same output takes it over, so that at most one is left for each output. A lock that dies with its
process tells whether a ``.part`` is still being written.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from napari_voxuda.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["atomic_folder", "atomic_path", "remove_parts", "space_words"]

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
_NOT_OURS = frozenset({errno.EACCES, errno.EPERM, errno.ELOOP, errno.EISDIR})
_BUSY = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK})
_NO_ROOM = frozenset({errno.EDQUOT, errno.EFBIG, errno.ENOSPC})
_PART = ".part"
_LONGEST_NAME = 200
_MIB = 1 << 20


@contextmanager
def atomic_path(path: str | Path, *, needed_bytes: int | None = None) -> Iterator[Path]:
    """Yield the path of an empty temporary file that becomes `path` when the block succeeds.

    Parameters
    ----------
    path : str or pathlib.Path
        The file to be written. A link is followed; an existing file is replaced only at the end.
    needed_bytes : int or None
        How large the file will be, where that is known; a disk with less room is refused at once.

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
    target = _resolved(path)
    try:
        if target.is_dir():
            raise OutputError(f"{target}: a file was wanted, got a folder; give a file name in it.")
        _check_room(target, needed_bytes)
        temporary, lock = _claimed(target)
    except OutputError:
        raise
    except OSError as error:
        raise _output_error(path, target, error, needed_bytes) from error
    try:
        yield temporary
        _flush_to_disk(temporary)
        os.replace(temporary, target)
        _flush_folder(target.parent)
    except OSError as error:
        if isinstance(error, OutputError) or error.errno not in _OUTPUT_ERRNOS:
            raise
        raise _output_error(path, target, error, needed_bytes) from error
    finally:
        temporary.unlink(missing_ok=True)
        _let_go(lock)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield the path of an empty temporary folder that becomes `path` when the block succeeds.

    Parameters
    ----------
    path : str or pathlib.Path
        The folder to be made; it does not exist, or is empty.

    Yields
    ------
    pathlib.Path
        A hidden folder beside it. When the block raises it is removed with all that is in it.

    Raises
    ------
    OutputError
        When the place cannot be written to, the disk is full, or `path` holds something by then.
    """
    target = _resolved(path)
    temporary, lock = _claimed_folder(path, target)
    try:
        yield temporary
        _publish(temporary, target)
    except OSError as error:
        if isinstance(error, OutputError) or error.errno not in _OUTPUT_ERRNOS:
            raise
        raise _output_error(path, target, error, None) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        _let_go(lock)


def remove_parts(folder: Path) -> list[str]:
    """Remove what killed processes left half-written in a folder; return the names.

    Parameters
    ----------
    folder : pathlib.Path
        A folder to which no other process writes at the moment.
    """
    removed = []
    with suppress(OSError):
        for entry in sorted(folder.iterdir()):
            if entry.name.startswith(".") and entry.suffix == _PART and entry.is_file():
                entry.unlink()
                removed.append(entry.name)
    return removed


def space_words(folder: Path) -> str:
    """Return how much room there is in a folder, in words."""
    try:
        return f"{shutil.disk_usage(folder).free / _MIB:.1f} MiB are free in {folder}"
    except OSError:
        return f"how much is free in {folder} is not known"


def _resolved(path: str | Path) -> Path:
    try:
        target = Path(path).expanduser().resolve()
        folder = target.parent
        if not folder.exists():
            raise OutputError(f"{target}: the folder {folder} does not exist; make it first.")
        if not folder.is_dir():
            raise OutputError(f"{target}: {folder} is a file, not a folder; choose another place.")
    except OutputError:
        raise
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links before Python 3.13
        raise OutputError(f"{path}: cannot be written here ({_reason(error)}).") from error
    return target


def _check_room(target: Path, needed_bytes: int | None) -> None:
    """Raise when the disk cannot hold the file; quotas are noticed only by writing."""
    if needed_bytes is not None and needed_bytes > shutil.disk_usage(target.parent).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _part_of(target: Path) -> Path:
    name = target.name
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return target.with_name(f".{name}{_PART}")


def _own_part_of(target: Path) -> Path:
    return target.with_name(f".{target.name[:40]}.{uuid.uuid4().hex}{_PART}")


def _claimed(target: Path) -> tuple[Path, int | None]:
    """Return the empty temporary file of an output, and the lock on it where there can be one.

    It is the file that a dead process left, unless another process writes the same output just now
    or the system has no locks: then it is one of its own.
    """
    temporary = _part_of(target)
    try:
        if fcntl is not None:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            lock = os.open(temporary, flags, 0o666)
            if _is_locked_by_us(lock, temporary):
                os.truncate(lock, 0)
                return temporary, lock
            os.close(lock)
    except OSError as error:
        if error.errno not in _NOT_OURS:
            raise
    temporary = _own_part_of(target)
    temporary.open("xb").close()
    return temporary, None


def _claimed_folder(path: str | Path, target: Path) -> tuple[Path, int | None]:
    temporary = _part_of(target)
    try:
        if fcntl is not None:
            with suppress(FileExistsError):
                temporary.mkdir()
            lock = os.open(temporary, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
            if _is_locked_by_us(lock, temporary):
                for entry in temporary.iterdir():  # what a dead process left
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
                return temporary, lock
            os.close(lock)
        temporary = _own_part_of(target)
        temporary.mkdir()
    except OSError as error:
        raise OutputError(f"{path}: the folder cannot be made ({_reason(error)}).") from error
    return temporary, None


def _is_locked_by_us(descriptor: int, path: Path) -> bool:
    """Take the lock on an open file or folder, if it is ours, is free and still has this name."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _BUSY:  # a file system without locks: leave nothing there
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        return False
    try:
        opened, named = os.fstat(descriptor), os.lstat(path)
    except FileNotFoundError:
        return False
    links = opened.st_nlink == 1 or stat.S_ISDIR(opened.st_mode)
    return links and opened.st_uid == os.geteuid() and os.path.samestat(opened, named)


def _let_go(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def _publish(temporary: Path, target: Path) -> None:
    try:
        if target.exists():
            target.rmdir()  # only an empty one goes
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(
            f"{target}: the finished folder cannot get this name ({_reason(error)}); was something "
            "written there meanwhile?"
        ) from error
    _flush_folder(target.parent)


def _flush_to_disk(path: Path) -> None:
    """Make the file's content survive a crash of the machine after the rename."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the rename itself survive a crash of the machine, where the system can."""
    if os.name != "posix":
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _output_error(
    path: str | Path, target: Path, error: OSError, needed_bytes: int | None
) -> OutputError:
    words = f"{path}: cannot be written ({_reason(error)})."
    if error.errno in _NO_ROOM:
        needed = "" if needed_bytes is None else f"{needed_bytes / _MIB:.1f} MiB are needed, "
        words = (
            f"{words[:-1]}: {needed}{space_words(target.parent)}. Make room or choose another "
            "place; what was there before is unchanged."
        )
    return OutputError(words)


def _reason(error: BaseException) -> str:
    """Return the system's words for an error."""
    return (getattr(error, "strerror", None) or str(error)).lower()

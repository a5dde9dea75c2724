"""Tell whether a run is being written, without taking its lock away from anybody."""

from __future__ import annotations

import errno
import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["LOCK_FILE", "is_being_written"]

LOCK_FILE = "lock"
_BUSY = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK})


def is_being_written(run: Path) -> bool:
    """Whether a process holds the lock of a run folder.

    Nothing in the folder is written, and a folder without a lock is not touched. Where a lock
    can be asked for in common, as on Linux and macOS, two programs may ask at once.

    Parameters
    ----------
    run : Path
        A run folder, or any other folder.

    Returns
    -------
    bool
        False where the system does not tell.
    """
    lock = run / LOCK_FILE
    if not lock.exists():
        return False
    return _is_held_by_lock(lock) if fcntl is None else _is_held(lock)


def _is_held(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _BUSY
    finally:
        os.close(descriptor)
    return False


def _is_held_by_lock(lock: Path) -> bool:
    """Ask by taking the lock for a moment, where there is no other way."""
    from filelock import FileLock, Timeout

    asked = FileLock(lock, thread_local=False)
    try:
        asked.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    asked.release()
    return False

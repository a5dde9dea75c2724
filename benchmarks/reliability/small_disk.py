"""A disk that is full at a moment of choice."""

from __future__ import annotations

import resource
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["SmallDisk", "small_disk"]

_BLOCK = 1 << 12
_CAPACITY = 1 << 25


class SmallDisk(ABC):
    """A folder in which only so many bytes can be written.

    Parameters
    ----------
    folder : pathlib.Path
        Where commands write.
    """

    kind: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def leave(self, room: int) -> None:
        """Let so many bytes be free from now on."""

    @abstractmethod
    def free(self) -> None:
        """Let there be plenty of room again."""

    @abstractmethod
    def before(self) -> Callable[[], None] | None:
        """Return what a command has to call before it begins."""


@contextmanager
def small_disk(work: Path) -> Iterator[SmallDisk]:
    """Yield a file system in memory where this process may mount one, else a limit of file sizes."""
    folder = work / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_CAPACITY}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        yield _Limited(folder)
        return
    try:
        yield _Mounted(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


class _Mounted(SmallDisk):
    """A file system in memory, filled up by one file beside the outputs."""

    kind = "tmpfs"

    def leave(self, room: int) -> None:
        ballast = self.folder / "ballast"
        written = 0
        with ballast.open("wb", buffering=0) as stream:
            try:
                while True:
                    written += stream.write(bytes(1 << 16))
            except OSError:
                pass
            stream.truncate(max(0, written - room) // _BLOCK * _BLOCK)

    def free(self) -> None:
        (self.folder / "ballast").unlink(missing_ok=True)

    def before(self) -> None:
        return None


class _Limited(SmallDisk):
    """Each single file may be so large; the system says it is too large (EFBIG)."""

    kind = "limit of file sizes"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._room: int | None = None

    def leave(self, room: int) -> None:
        self._room = max(_BLOCK, room)

    def free(self) -> None:
        self._room = None

    def before(self) -> Callable[[], None] | None:
        room = self._room
        if room is None:
            return None

        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

        return limit

"""The errors that napari-voxuda raises on purpose.

Each carries one sentence that says where it happened, what was wanted, what was got
and what to do. None derives from `RuntimeError`, which napari's generator workers swallow.
"""

from __future__ import annotations

__all__ = [
    "DependencyError",
    "DownloadError",
    "FileFormatError",
    "InputError",
    "NoMemoryError",
    "OutputError",
    "ProcessError",
    "RunBusyError",
    "RunFolderError",
    "TargetChangedError",
    "TrainingError",
    "VoxUDAError",
    "is_out_of_memory",
    "one_line",
]

_LONGEST_REASON = 300
_MEMORY_SIGNS = (
    "out of memory",
    "not enough memory",
    "defaultcpuallocator",
    "cannot allocate memory",
)


class VoxUDAError(Exception):
    """Base of every error that napari-voxuda raises on purpose.

    The command line prints the message without a traceback and exits with `exit_code`.
    """

    exit_code = 1


class InputError(VoxUDAError, ValueError):
    """A value, array or file given by the user cannot be used."""

    exit_code = 2


class FileFormatError(InputError):
    """A file is not what its name promises, is damaged, or is of a kind not supported."""

    exit_code = 3


class TargetChangedError(InputError):
    """A file that is being read has gone or has changed since the work began."""

    exit_code = 10


class OutputError(VoxUDAError, OSError):
    """An output cannot be written where it was asked for."""

    exit_code = 4


class RunFolderError(VoxUDAError):
    """A run folder is missing, incomplete or does not fit what was asked."""

    exit_code = 5


class RunBusyError(RunFolderError):
    """Another process is writing to this run folder."""

    exit_code = 6


class TrainingError(VoxUDAError):
    """Training cannot go on, for example because a loss is not finite."""

    exit_code = 7


class DependencyError(VoxUDAError, ImportError):
    """An optional package is needed for what was asked and is not installed."""

    exit_code = 8


class DownloadError(VoxUDAError):
    """A file could not be fetched over the network, or what was sent cannot be used."""

    exit_code = 9


class ProcessError(VoxUDAError):
    """A process that was started for a task ended without an answer."""

    exit_code = 11


class NoMemoryError(VoxUDAError, MemoryError):
    """Memory runs out, and less cannot be asked of it."""

    exit_code = 12


def one_line(error: BaseException | str) -> str:
    """Return the words of an error on one line, shortened and without a full stop at the end."""
    text = str(error) or type(error).__name__
    words = "".join(c if c.isprintable() else " " for c in text).split()
    line = " ".join(words).rstrip(".")
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}…"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` says that memory ran out, on the CPU or on a GPU."""
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError | OSError) and any(s in text for s in _MEMORY_SIGNS)

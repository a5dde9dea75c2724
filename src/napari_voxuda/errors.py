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
    "escaped",
    "is_out_of_memory",
    "one_line",
    "shown",
]

_LONGEST_REASON = 300
_MEMORY_SIGNS = (
    "out of memory",
    "not enough memory",
    "defaultcpuallocator",
    "cannot allocate memory",
)
_LONGEST_WORD = 400
_LONGEST_SENTENCE = 1200


class VoxUDAError(Exception):
    """Base of every error that napari-voxuda raises on purpose.

    The command line prints the message without a traceback and exits with `exit_code`.
    """

    exit_code = 1

    def __str__(self) -> str:
        """Return the sentence as it can be shown, whatever a file has put into it."""
        return shown(super().__str__())


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


def shown(text: str) -> str:
    """Return a sentence that holds values from a file, on one line and of bounded length.

    What cannot be printed, control characters and halves of characters among it, is written as an
    escape sequence; words and sentences without end are cut in their middle.
    """
    words = (_cut(word, _LONGEST_WORD) for word in text.split(" "))
    return _cut("".join(escaped(c) for c in " ".join(words)), _LONGEST_SENTENCE)


def escaped(character: str) -> str:
    """Return a character, or the escape sequence of one that cannot be printed."""
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def _cut(text: str, most: int) -> str:
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"

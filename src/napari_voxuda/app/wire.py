"""Values on the way between a program and the child process that it started itself.

Pickle serves here because both ends are this program and the pipe is theirs alone; nothing that comes
from a file or from the network is ever unpickled.
"""

from __future__ import annotations

import io
import mmap
import pickle
import struct
import traceback
from typing import IO, Any

import numpy as np
import numpy.typing as npt

__all__ = ["portable", "receive", "send"]

_LENGTH = struct.Struct(">Q")


def send(stream: IO[bytes], value: Any) -> None:
    """Write a value.

    Parameters
    ----------
    stream : IO[bytes]
        A blocking binary stream.
    value : object
        What pickle takes. Large arrays are sent without a copy, and of a memory-mapped array only where its
        file is.
    """
    buffers: list[pickle.PickleBuffer] = []
    body = io.BytesIO()
    _Pickler(body, protocol=5, buffer_callback=buffers.append).dump(value)
    parts: list[Any] = [body.getbuffer(), *(buffer.raw() for buffer in buffers)]
    stream.write(_LENGTH.pack(len(parts)))
    for part in parts:
        stream.write(_LENGTH.pack(part.nbytes))
        stream.write(part)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read the next value that `send` wrote.

    Raises
    ------
    EOFError
        When the other end is gone.
    """
    (count,) = _LENGTH.unpack(_read(stream, _LENGTH.size))
    body, *buffers = (_read(stream, *_LENGTH.unpack(_read(stream, 8))) for _ in range(count))
    return pickle.loads(body, buffers=buffers)


def portable(error: Exception) -> Exception:
    """Return an error that can be sent, with the traceback as a note."""
    note = "".join(traceback.format_exception(error))
    try:
        error = pickle.loads(pickle.dumps(error))
    except Exception:  # whatever its own pickling raises
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(note)
    return error


def _read(stream: IO[bytes], size: int) -> bytearray:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        got = stream.readinto(view[done:])  # type: ignore[attr-defined]
        if not got:
            raise EOFError
        done += got
    return data


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, np.memmap) and value.filename is not None:
            file = _mapped_file(value)
            if file is not None:
                start = value.__array_interface__["data"][0] - file
                return _map, (str(value.filename), value.dtype, value.shape, start, value.strides)
        return NotImplemented


def _mapped_file(value: npt.NDArray[Any]) -> int | None:
    """Return where in memory the file of a memory-mapped array begins, less what was skipped."""
    base: Any = value
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap) and isinstance(base.base, mmap.mmap):
            skipped = base.offset - base.offset % mmap.ALLOCATIONGRANULARITY
            whole = np.frombuffer(base.base, dtype=np.uint8)
            return int(whole.__array_interface__["data"][0]) - skipped
        base = base.base
    return None


def _map(
    file: str, dtype: np.dtype[Any], shape: tuple[int, ...], start: int, strides: tuple[int, ...]
) -> npt.NDArray[Any]:
    whole: Any = np.memmap(file, dtype=np.uint8, mode="r")
    return np.ndarray(shape, dtype, buffer=whole, offset=start, strides=strides)

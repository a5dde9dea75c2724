"""Whether values may be read into memory."""

from __future__ import annotations

from pathlib import Path

from napari_voxuda.data.memory import machine_memory_bytes
from napari_voxuda.errors import InputError

__all__ = ["check_fits_memory"]

_SHARE = 2
_GIB = 1 << 30


def check_fits_memory(count: int, path: Path, advice: str) -> None:
    """Refuse to read more than half of the machine's memory.

    Parameters
    ----------
    count : int
        Bytes that are to be read.
    path : pathlib.Path
        Named in the message.
    advice : str
        What to do instead.

    Raises
    ------
    InputError
        When it is too much.
    """
    limit = machine_memory_bytes()
    if limit is not None and count > limit // _SHARE:
        raise InputError(
            f"{path}: its values take {count / _GIB:.1f} GiB, more than half of the {limit / _GIB:.1f} "
            f"GiB of memory here; {advice}."
        )

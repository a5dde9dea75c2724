"""Keep the blosc decoder from reading beyond the end of a chunk that was cut short.

The decoder of numcodecs trusts the size in a buffer's header: with fewer bytes it reads what lies behind them in
memory, and gives some other values or ends the process (https://github.com/zarr-developers/numcodecs/issues/228).
All ways of zarr to a blosc chunk (format 2, format 3, inside of shards) end in this decoder, so it is looked after here.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from typing import Any

__all__ = ["check_blosc_buffers"]

# After versions, flags and type size: bytes unpacked, of a block, and packed.
_HEADER = struct.Struct("<4xIII")


@functools.cache  # once is enough
def check_blosc_buffers() -> None:
    """Let the blosc decoder in this process refuse a buffer that is shorter than its header says."""
    from numcodecs.blosc import Blosc

    Blosc.decode = _checked(Blosc.decode)


def _checked(decode: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(decode)
    def checked(self: Any, buf: Any, out: Any = None) -> Any:
        view = memoryview(buf)
        wanted = _HEADER.size
        if view.nbytes >= wanted:
            wanted = _HEADER.unpack_from(view.cast("B"))[2]
        if view.nbytes < wanted:
            raise ValueError(
                f"{wanted} bytes packed with blosc were wanted, got {view.nbytes}; the file was cut short"
            )
        return decode(self, buf, out)

    return checked

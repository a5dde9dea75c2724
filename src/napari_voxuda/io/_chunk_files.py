"""Watch the files of a zarr array's chunks: they stay as they were, and unpack to no more than fits.

To zarr a chunk without a file is one that was never written, full of the fill value. So an image that is taken
away while it is read would go on as zeros, without a word.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from napari_voxuda.errors import FileFormatError, TargetChangedError, VoxUDAError, one_line

__all__ = ["ChunkFiles"]

_BLOCK = 1 << 20
_DEFLATE_RATIO = 1032  # the most that deflate can make of a byte
_WITHOUT_BOUND: dict[str, Callable[[IO[bytes]], Any]] = {
    "gzip": lambda stream: gzip.GzipFile(fileobj=stream),
    "zlib": lambda stream: _ZlibFile(stream),
    "bz2": bz2.BZ2File,
    "lzma": lzma.LZMAFile,
}
"""Codecs that unpack whatever comes; the others know the size before they begin."""


class ChunkFiles:
    """The files of an array's chunks, as they are when the array is opened.

    Parameters
    ----------
    array : zarr.Array
        In a folder of this machine.
    folder : pathlib.Path
        That of the image, which is named in messages.
    most_bytes : int
        Largest size of what a file may unpack to.
    """

    def __init__(self, array: Any, folder: Path, most_bytes: int) -> None:
        store = array.store_path.store
        self._folder = folder
        self._place = Path(getattr(store, "root", folder)) / array.store_path.path
        self._key: Callable[[tuple[int, ...]], str] = array.metadata.encode_chunk_key
        shards = getattr(array, "shards", None) or array.chunks
        self._chunks_a_file = tuple(
            max(1, s // c) for s, c in zip(shards, array.chunks, strict=True)
        )
        self._most = most_bytes
        self._codec = _last_codec(array.metadata.to_dict())
        self._known = dict(_files(self._place))

    @contextmanager
    def reading(self, chunk: tuple[int, ...]) -> Iterator[None]:
        """Go around the reading of a chunk, by its number along each axis.

        Raises
        ------
        TargetChangedError
            When its file has gone, has come, or was written to since the array was opened.
        FileFormatError
            When it would unpack to far more than a chunk, or cannot be read.
        """
        self._check_size(chunk)
        try:
            yield
        except VoxUDAError:
            raise
        except Exception as error:  # a damaged chunk raises anything
            self._check_file(chunk)
            reason = one_line(error)
            raise FileFormatError(
                f"{self._folder}: its values cannot be read (chunk {self._key(chunk)}: {reason})."
            ) from error
        self._check_file(chunk)

    def _check_size(self, chunk: tuple[int, ...]) -> None:
        opened = _WITHOUT_BOUND.get(self._codec)
        path = self._path(chunk)
        facts = self._known.get(str(path))
        if opened is None or facts is None:
            return
        if self._codec in ("gzip", "zlib") and facts[1] * _DEFLATE_RATIO <= self._most:
            return
        size = 0
        with path.open("rb") as stream:
            unpacked = opened(stream)
            while piece := unpacked.read(_BLOCK):
                size += len(piece)
                if size > self._most:
                    raise FileFormatError(
                        f"{self._folder}: a chunk that unpacks to up to {self._most >> 20} MiB was "
                        f"wanted, but {path.name} unpacks to more; write the image again."
                    )

    def _check_file(self, chunk: tuple[int, ...]) -> None:
        path = self._path(chunk)
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            facts = None
        else:
            facts = (found.st_ino, found.st_size, found.st_mtime_ns)
        known = self._known.get(str(path))
        if facts != known:
            how = "has gone" if facts is None else "has changed"
            raise TargetChangedError(
                f"{self._folder}: {path.relative_to(self._place)} {how} while the image was read. Put "
                "the image back as it was, then go on or start again."
            )

    def _path(self, chunk: tuple[int, ...]) -> Path:
        numbers = tuple(i // n for i, n in zip(chunk, self._chunks_a_file, strict=True))
        place: Path = self._place / self._key(numbers)
        return place


def _files(folder: Path) -> Any:
    """Yield the path of each file in a folder, with its number, size and time."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(Path(entry.path))
            else:
                facts = entry.stat()
                yield entry.path, (facts.st_ino, facts.st_size, facts.st_mtime_ns)


def _last_codec(metadata: dict[str, Any]) -> str:
    """Return the name of the codec that unpacks a file first."""
    packer = metadata.get("compressor")
    codecs = metadata.get("codecs") or ()
    last = codecs[-1] if codecs else packer
    if not isinstance(last, dict):
        return ""
    return str(last.get("name") or last.get("id") or "").removeprefix("numcodecs.")


class _ZlibFile:
    """Unpacks a zlib stream block by block."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._unpacker = zlib.decompressobj()

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes."""
        packed = self._unpacker.unconsumed_tail or self._stream.read(count)
        return self._unpacker.decompress(packed, count)

"""The NGM denoiser of a volume whose Fourier transform does not fit the memory.

The transform is taken over y and x a slab at a time and kept in an interim file, then over z a few rows
at a time, there and back, and back over y and x again. It is the transform of the whole volume: the filter
has no seams, and differs from that in one piece by rounding only.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Progress, Task
from napari_voxuda.data.reading import read_part
from napari_voxuda.data.slabs import SlabSink, release_pages
from napari_voxuda.errors import OutputError
from napari_voxuda.method.denoising import DenoiseSettings

__all__ = ["ngm_slabs"]

_CHUNK_BYTES = 1 << 26
_COMPLEX_BYTES = 8


def ngm_slabs(
    array: npt.NDArray[Any], settings: DenoiseSettings, sink: SlabSink, scratch: Path | None
) -> Task[None]:
    """Denoise by NGM with an interim file, and give the result to `sink`.

    Parameters
    ----------
    array : numpy.ndarray
        (d, h, w) real finite values.
    settings : DenoiseSettings
        Of the method ``"ngm"``.
    sink : SlabSink
        Takes the result, float32.
    scratch : Path or None
        Folder of the interim file, which has the size of the volume in float32 and no name; the
        system's folder for temporary files when None.

    Yields
    ------
    Progress
        Before each piece of work.

    Raises
    ------
    OutputError
        When there is no room for the interim file.
    """
    import torch

    from napari_voxuda.method.fourier_gain import HighPassGain

    depth, height, width = array.shape
    columns = width // 2 + 1
    plane = height * columns * _COMPLEX_BYTES
    slabs = _cuts(depth, plane)
    rows = _cuts(height, depth * columns * _COMPLEX_BYTES)
    total, done = 2 * len(slabs) + len(rows), 0
    gain = HighPassGain((depth, height, width), settings.pass_fraction, form=settings.shape)
    try:
        with tempfile.TemporaryFile(dir=scratch) as stream:
            for slab in slabs:
                yield Progress(stage="Denoising", done=done, total=total)
                values = torch.from_numpy(read_part(array, slab).astype(np.float32))
                stream.write(torch.fft.rfft2(values).numpy().data)
                release_pages(array)
                done += 1
            for part in rows:
                yield Progress(stage="Denoising", done=done, total=total)
                _filter_rows(stream, (depth, height, columns), part, gain.rows(part))
                done += 1
            for slab in slabs:
                yield Progress(stage="Denoising", done=done, total=total)
                kept = _read(stream, slab, (height, columns))
                high = torch.fft.irfft2(torch.from_numpy(kept), s=(height, width)).numpy()
                sink.append(read_part(array, slab).astype(np.float32) - high)
                release_pages(array)
                done += 1
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        reason = (error.strerror or str(error)).lower()
        raise OutputError(
            f"{scratch or tempfile.gettempdir()}: the interim file of the NGM denoiser cannot be "
            f"written ({reason}); make {depth * plane / 2**30:.1f} GiB of room."
        ) from error
    yield Progress(stage="Denoising", done=total, total=total)


def _cuts(length: int, item_bytes: int) -> list[slice]:
    step = max(1, _CHUNK_BYTES // item_bytes)
    return [slice(start, min(start + step, length)) for start in range(0, length, step)]


def _filter_rows(stream: IO[bytes], shape: tuple[int, int, int], part: slice, gain: Any) -> None:
    """Transform some rows over z, apply the gain, and transform them back, in the file."""
    import torch

    depth, height, columns = shape
    count = part.stop - part.start
    chunk = np.empty((depth, count, columns), np.complex64)
    places = [(z * height + part.start) * columns * _COMPLEX_BYTES for z in range(depth)]
    for line, place in zip(chunk, places, strict=True):
        stream.seek(place)
        stream.readinto(line)  # type: ignore[attr-defined]
    spectrum = torch.fft.fft(torch.from_numpy(chunk), dim=0).mul_(gain)
    filtered = torch.fft.ifft(spectrum, dim=0).numpy()
    for line, place in zip(filtered, places, strict=True):
        stream.seek(place)
        stream.write(np.ascontiguousarray(line).data)


def _read(stream: IO[bytes], slab: slice, plane: tuple[int, int]) -> npt.NDArray[np.complex64]:
    values = np.empty((slab.stop - slab.start, *plane), np.complex64)
    stream.seek(slab.start * plane[0] * plane[1] * _COMPLEX_BYTES)
    stream.readinto(values)  # type: ignore[attr-defined]
    return values

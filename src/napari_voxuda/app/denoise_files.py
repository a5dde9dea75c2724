"""Denoise a volume into a file."""

from __future__ import annotations

from pathlib import Path

from napari_voxuda._types import Task
from napari_voxuda.app.denoise import denoise_into
from napari_voxuda.app.jobs import DenoiseJob
from napari_voxuda.io.mrc_stream import stream_mrc

__all__ = ["denoise_to_file_task"]


def denoise_to_file_task(job: DenoiseJob, path: Path) -> Task[None]:
    """Denoise a volume straight into an MRC file, so that memory does not grow with the volume.

    Parameters
    ----------
    job : DenoiseJob
        The volume, the denoiser's settings and the device.
    path : Path
        The file; it has the bytes that `write_mrc` gives what `denoise_task` returns, and appears
        when it is complete.

    Yields
    ------
    Event
        As `denoise_task`.

    Raises
    ------
    InputError, OutputError
        As `denoise_task` and `write_mrc`.
    """
    volume = job.volume
    label = f"denoised ({job.settings.method}{', contrast turned' if job.invert else ''})"
    with stream_mrc(path, volume.shape, volume.grid, label=label, name=volume.name) as sink:
        yield from denoise_into(job, sink, scratch=path.parent)

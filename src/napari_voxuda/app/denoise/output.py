"""Denoise a volume into a file or an OME-Zarr folder, with the record of where it comes from."""

from __future__ import annotations

from pathlib import Path

from napari_voxuda._params import to_dict
from napari_voxuda._types import Task
from napari_voxuda.app.denoise.task import denoise_into, denoise_task
from napari_voxuda.app.device import resolve_device
from napari_voxuda.app.jobs import DenoiseJob
from napari_voxuda.app.provenance import sign, trace
from napari_voxuda.io.mrc_stream import stream_mrc
from napari_voxuda.io.saving import is_zarr_name, save_values

__all__ = ["denoise_output_task"]


def denoise_output_task(job: DenoiseJob, out: Path, *, overwrite: bool = False) -> Task[None]:
    """Denoise a whole volume and write it; into an MRC file block by block.

    Parameters
    ----------
    job : DenoiseJob
        The volume, the denoiser's settings and the device.
    out : Path
        An MRC file, which is replaced and has the bytes that `write_mrc` gives what `denoise_task`
        returns, or ``NAME.zarr``.
    overwrite : bool
        Replace a zarr folder that exists.

    Yields
    ------
    Event
        As `denoise_task`, after the hashing of the input.

    Raises
    ------
    InputError
        As `denoise_task`.
    OutputError
        When it cannot be written.
    """
    settings = job.settings
    provenance = yield from trace(
        "denoise",
        inputs={"volume": job.volume},
        settings={**to_dict(settings), "invert": job.invert},
        device=str(resolve_device(job.device)),
    )
    label = f"denoised ({settings.method}{', contrast turned' if job.invert else ''})"
    volume = job.volume
    if is_zarr_name(out):
        save_values(out, (yield from denoise_task(job)), overwrite=overwrite)
    else:
        with stream_mrc(out, volume.shape, volume.grid, label=label, name=volume.name) as sink:
            yield from denoise_into(job, sink, scratch=out.parent)
    sign(out, "denoised volume", provenance)

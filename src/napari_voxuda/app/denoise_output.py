"""Denoise a volume into a file or an OME-Zarr folder, with the record of where it comes from."""

from __future__ import annotations

from pathlib import Path

from napari_voxuda._params import to_dict
from napari_voxuda._types import Task
from napari_voxuda.app.denoise import denoise_task
from napari_voxuda.app.device import resolve_device
from napari_voxuda.app.jobs import DenoiseJob
from napari_voxuda.app.provenance import sign, trace
from napari_voxuda.io.saving import save_values

__all__ = ["denoise_output_task"]


def denoise_output_task(job: DenoiseJob, out: Path, *, overwrite: bool = False) -> Task[None]:
    """Denoise a whole volume and write it.

    Parameters
    ----------
    job : DenoiseJob
        The volume, the denoiser's settings and the device.
    out : Path
        An MRC file, which is replaced, or ``NAME.zarr``.
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
    provenance = yield from trace(
        "denoise",
        inputs={"volume": job.volume},
        settings=to_dict(job.settings),
        device=str(resolve_device(job.device)),
    )
    denoised = yield from denoise_task(job)
    save_values(out, denoised, label=f"denoised ({job.settings.method})", overwrite=overwrite)
    sign(out, "denoised volume", provenance)

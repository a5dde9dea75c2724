"""The subcommand ``denoise``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_voxuda.cli.arguments import Device, Overwrite, VolumeFile, VoxelSize
from napari_voxuda.cli.console import result, run_task
from napari_voxuda.cli.options import Given, with_settings
from napari_voxuda.cli.outputs import check_new_file
from napari_voxuda.cli.volumes import check_mrc_name, open_volume
from napari_voxuda.method.denoising import DenoiseSettings

__all__ = ["denoise"]


@with_settings("given", DenoiseSettings, panel="Denoiser")
def denoise(
    volume: VolumeFile,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The denoised volume (MRC).")],
    given: Given,
    invert: Annotated[
        bool,
        typer.Option(
            "--invert", help="Also turn the contrast, so that dark protein becomes bright."
        ),
    ] = False,
    voxel_size: VoxelSize = None,
    overwrite: Overwrite = False,
    device: Device = "auto",
) -> None:
    """Denoise a volume with one of the paper's three filters."""
    settings = given.make(DenoiseSettings)
    check_mrc_name(out)
    check_new_file(out, inputs=[volume], overwrite=overwrite)

    from napari_voxuda.app.denoise_files import denoise_to_file_task
    from napari_voxuda.app.jobs import DenoiseJob

    opened = open_volume(volume, voxel_size)
    job = DenoiseJob(volume=opened, settings=settings, device=device, invert=invert)
    run_task(denoise_to_file_task(job, out))
    result(f"{out}")

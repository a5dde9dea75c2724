"""The subcommand ``denoise``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_voxuda.cli.arguments import Device, Level, Overwrite, VolumeFile, VoxelSize
from napari_voxuda.cli.console import result, run_task
from napari_voxuda.cli.options import Given, with_settings
from napari_voxuda.cli.outputs import check_new_file
from napari_voxuda.cli.volumes import check_output_name, open_volume
from napari_voxuda.method.denoising import DenoiseSettings

__all__ = ["denoise"]


@with_settings("given", DenoiseSettings, panel="Denoiser")
def denoise(
    volume: VolumeFile,
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="The denoised volume (MRC, or NAME.zarr for OME-Zarr)."),
    ],
    given: Given,
    invert: Annotated[
        bool,
        typer.Option(
            "--invert", help="Also turn the contrast, so that dark protein becomes bright."
        ),
    ] = False,
    voxel_size: VoxelSize = None,
    level: Level = 0,
    overwrite: Overwrite = False,
    device: Device = "auto",
) -> None:
    """Denoise a volume with one of the paper's three filters."""
    settings = given.make(DenoiseSettings)
    check_output_name(out)
    check_new_file(out, inputs=[volume], overwrite=overwrite)

    from napari_voxuda.app.denoise.output import denoise_output_task
    from napari_voxuda.app.jobs import DenoiseJob

    opened = open_volume(volume, voxel_size, level=level)
    job = DenoiseJob(volume=opened, settings=settings, device=device, invert=invert)
    run_task(denoise_output_task(job, out, overwrite=overwrite))
    result(f"{out}")

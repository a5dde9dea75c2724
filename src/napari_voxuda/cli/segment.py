"""The subcommand ``segment``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_voxuda.app.jobs import ContrastChoice, SegmentFolderJob, SegmentJob
from napari_voxuda.cli.arguments import Device, Json, Level, Overwrite, VoxelSize
from napari_voxuda.cli.console import result, run_task, show_json
from napari_voxuda.cli.options import Given, with_settings
from napari_voxuda.cli.outputs import check_new_files, check_new_folder, check_suffix
from napari_voxuda.cli.volumes import check_output_name, open_volume
from napari_voxuda.errors import InputError
from napari_voxuda.io.zarr_folder import is_zarr_folder
from napari_voxuda.segmentation.settings import SegmentSettings

__all__ = ["segment"]


@with_settings("given", SegmentSettings, panel="Segmentation")
def segment(
    volume: Annotated[
        Path,
        typer.Argument(
            metavar="IN",
            exists=True,
            help="A volume (MRC, EM, TIFF, OME-Zarr), or a folder of subtomograms.",
        ),
    ],
    model: Annotated[
        Path, typer.Option("--model", exists=True, help="The run folder that adapt made.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            help="The mask (MRC, or NAME.zarr for OME-Zarr); for a folder, the folder of the masks.",
        ),
    ],
    given: Given,
    probability: Annotated[
        Path | None,
        typer.Option(
            "--probability",
            help="Also write the probabilities (MRC or NAME.zarr); for a folder, their folder.",
        ),
    ] = None,
    instances: Annotated[
        Path | None,
        typer.Option(
            "--instances", help="Also write the mask with one label a particle (MRC or NAME.zarr)."
        ),
    ] = None,
    picks: Annotated[
        Path | None,
        typer.Option(
            "--picks", help="Also write the particles' centres (STAR, copick's .json, .ndjson)."
        ),
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--table", help="Also write a table of the particles (CSV).")
    ] = None,
    contrast: Annotated[
        ContrastChoice,
        typer.Option(
            "--contrast",
            help="Whether protein is dark or bright; auto is as in what the model was adapted to.",
        ),
    ] = "auto",
    voxel_size: VoxelSize = None,
    level: Level = 0,
    overwrite: Overwrite = False,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Segment a whole volume, or each subtomogram of a folder, with an adapted network."""
    settings = given.make(SegmentSettings)
    more = {"probability": probability, "instances": instances, "picks": picks, "table": table}
    if volume.is_dir() and not is_zarr_folder(volume):
        _refuse({"instances": instances, "picks": picks, "table": table})
        job = SegmentFolderJob(
            folder=volume,
            model=model,
            out=out,
            probability=probability,
            voxel_size_angstrom=voxel_size,
            settings=settings,
            device=device,
            overwrite=overwrite,
            contrast=contrast,
        )
        _segment_folder(job, json)
        return
    outputs = {"mask": out, **{name: path for name, path in more.items() if path is not None}}
    _check_outputs(outputs, volume, overwrite)
    single = SegmentJob(
        volume=open_volume(volume, voxel_size, level=level),
        model=model,
        settings=settings,
        device=device,
        contrast=contrast,
    )
    _segment_volume(single, outputs, overwrite, json)


def _refuse(given: dict[str, Any]) -> None:
    for name, value in given.items():
        if value is not None:
            raise InputError(f"--{name} goes with a volume, not with a folder of subtomograms.")


def _check_outputs(outputs: dict[str, Path], volume: Path, overwrite: bool) -> None:
    from napari_voxuda.io.saving import PICKS_OUTPUTS

    for name, path in outputs.items():
        if name == "picks":
            check_suffix(path, *PICKS_OUTPUTS)
        elif name == "table":
            check_suffix(path, ".csv")
        else:
            check_output_name(path)
    check_new_files(list(outputs.values()), inputs=[volume], overwrite=overwrite)


def _segment_folder(job: SegmentFolderJob, json: bool) -> None:
    from napari_voxuda.app.segment.folder import segment_folder_task

    for folder in (job.out, job.probability):
        if folder is not None:
            check_new_folder(folder, inputs=[job.folder], may_exist=True)
    segmented = run_task(segment_folder_task(job))
    if json:
        show_json({"out": segmented.out, "masks": segmented.masks})
    else:
        result(f"{len(segmented.masks)} masks in {segmented.out}")


def _segment_volume(job: SegmentJob, outputs: dict[str, Path], overwrite: bool, json: bool) -> None:
    from napari_voxuda.app.segment.files import SegmentOutputs, segment_to_files_task

    needs_size = "picks" in outputs and outputs["picks"].suffix.lower() != ".ndjson"
    if needs_size and job.volume.grid.voxel_size_angstrom is None:
        raise InputError("--picks: positions in Å need the voxel size; give it with --voxel-size.")
    task = segment_to_files_task(job, SegmentOutputs(**outputs), overwrite=overwrite)
    found = run_task(task)
    foreground = float(found.mask.data.mean())
    particles, contrast = len(found.particles), found.contrast
    if json:
        facts = {"particles": particles, "foreground": foreground, "contrast": contrast}
        show_json({**outputs, **facts})
    else:
        result(f"{particles} particles, {foreground:.2%} of the volume; protein {contrast}")
        for name, path in outputs.items():
            result(f"{name}: {path}")

"""The subcommand ``segment``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_voxuda.app.jobs import DeviceName
from napari_voxuda.cli.arguments import Device, Json, Overwrite, VoxelSize
from napari_voxuda.cli.console import result, run_task, show_json
from napari_voxuda.cli.options import Given, with_settings
from napari_voxuda.cli.outputs import check_new_file, check_new_folder
from napari_voxuda.cli.segmented import Outputs
from napari_voxuda.cli.volumes import check_mrc_name, open_volume
from napari_voxuda.errors import InputError
from napari_voxuda.segmentation.settings import SegmentSettings

__all__ = ["segment"]


@with_settings("given", SegmentSettings, panel="Segmentation")
def segment(
    volume: Annotated[
        Path,
        typer.Argument(metavar="IN", exists=True, help="A volume (MRC), or a folder of volumes."),
    ],
    model: Annotated[Path, typer.Option("--model", exists=True, help="The run folder of adapt.")],
    out: Annotated[
        Path, typer.Option("--out", help="The mask (MRC); for a folder of volumes, a folder.")
    ],
    given: Given,
    probability: Annotated[
        Path | None, typer.Option("--probability", help="Also write the probabilities (MRC).")
    ] = None,
    picks: Annotated[
        Path | None, typer.Option("--picks", help="Also write the particle centres (STAR).")
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--table", help="Also write a table of the particles (CSV).")
    ] = None,
    voxel_size: VoxelSize = None,
    overwrite: Overwrite = False,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Segment a whole volume, or each volume of a folder, with an adapted network.

    For a folder, --out, --probability, --picks and --table name folders as well.
    """
    settings = given.make(SegmentSettings)
    outputs = Outputs(mask=out, probability=probability, picks=picks, table=table)
    plan = _plan(volume, outputs, overwrite)
    _check_inputs(list(plan), voxel_size, needs_voxel_size=picks is not None)
    reports = [
        _segment_one(path, where, model, settings, voxel_size, device)
        for path, where in plan.items()
    ]
    if json:
        show_json({"model": model, "volumes": reports})
    else:
        for report in reports:
            result(f"{report['mask']}: {report['particles']} particles, {report['foreground']:.2%}")


def _plan(volume: Path, outputs: Outputs, overwrite: bool) -> dict[Path, Outputs]:
    """Return each volume with its outputs after refusing what cannot be written."""
    from napari_voxuda.io.folders import find_subtomograms

    if not volume.is_dir():
        for path in (outputs.mask, outputs.probability):
            if path is not None:
                check_mrc_name(path)
        for path in outputs.given:
            check_new_file(path, inputs=[volume], overwrite=overwrite)
        return {volume: outputs}
    for path in outputs.given:
        check_new_folder(path, inputs=[volume], may_exist=overwrite)
    return {path: outputs.of(path) for path in find_subtomograms(volume)}


def _check_inputs(paths: list[Path], voxel_size: float | None, *, needs_voxel_size: bool) -> None:
    """Refuse any volume that cannot be segmented before the first one is.

    A folder is read once for that, so that nothing is written when its last volume is damaged.
    """
    from napari_voxuda.data.normalise import volume_statistics

    for path in paths:
        volume = open_volume(path, voxel_size, quiet=True)
        if needs_voxel_size and volume.grid.voxel_size_angstrom is None:
            raise InputError(f"{path}: picks in Å need the voxel size; give it with --voxel-size.")
        if len(paths) > 1:
            volume_statistics(volume.data)


def _segment_one(
    path: Path,
    outputs: Outputs,
    model: Path,
    settings: SegmentSettings,
    voxel_size: float | None,
    device: DeviceName,
) -> dict[str, Any]:
    """Segment one volume, write what is asked for, and return a report."""
    from napari_voxuda.app.jobs import SegmentJob
    from napari_voxuda.app.segment import segment_task

    volume = open_volume(path, voxel_size)
    job = SegmentJob(volume=volume, model=model, settings=settings, device=device)
    segmentation = run_task(segment_task(job))
    outputs.write(segmentation, tomogram_name=volume.name)
    return {
        "volume": path,
        "mask": outputs.mask,
        "probability": outputs.probability,
        "picks": outputs.picks,
        "table": outputs.table,
        "particles": len(segmentation.particles),
        "foreground": float(segmentation.mask.data.mean()),
    }

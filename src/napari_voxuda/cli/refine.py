"""The subcommand ``refine``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_voxuda.adaptation.refine_settings import RefineSettings
from napari_voxuda.app.jobs import RefineJob
from napari_voxuda.cli.arguments import Device, Json, Overwrite, Seed
from napari_voxuda.cli.console import result, run_task, show_json
from napari_voxuda.cli.options import Given, with_settings
from napari_voxuda.cli.outputs import check_new_files
from napari_voxuda.cli.volumes import check_output_name, open_volume
from napari_voxuda.errors import InputError
from napari_voxuda.segmentation.settings import SegmentSettings

if TYPE_CHECKING:
    from napari_voxuda.data.corrections import Corrections
    from napari_voxuda.data.volume import Volume

__all__ = ["refine"]


@with_settings("changes", RefineSettings, panel="Refinement")
@with_settings("given", SegmentSettings, panel="Segmentation", prefix="segment")
def refine(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", exists=True, help="The folder of a finished run.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The mask (MRC or NAME.zarr).")],
    changes: Given,
    given: Given,
    target: Annotated[
        Path | None,
        typer.Option(
            "--target", exists=True, dir_okay=False, help="The tomogram (default the run's)."
        ),
    ] = None,
    corrections: Annotated[
        Path | None,
        typer.Option(
            "--corrections",
            exists=True,
            dir_okay=False,
            help="Labels of the tomogram's shape (MRC): 1 particle, 2 background, 0 not corrected; "
            "without, those that the run folder keeps.",
        ),
    ] = None,
    probability: Annotated[
        Path | None,
        typer.Option("--probability", help="Also write the probabilities (MRC or NAME.zarr)."),
    ] = None,
    overwrite: Overwrite = False,
    device: Device = "auto",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Let a run learn from corrections of its mask, and segment its tomogram again."""
    from napari_voxuda.app.refine.task import refine_task
    from napari_voxuda.app.segment.files import SegmentOutputs, save_segmentation

    volume = open_volume(target if target is not None else _target_of(run))
    outputs = [path for path in (out, probability) if path is not None]
    for path in outputs:
        check_output_name(path)
    read = [path for path in (volume.path, corrections) if path is not None]
    check_new_files(outputs, inputs=read, overwrite=overwrite)
    job = RefineJob(
        run=run,
        volume=volume,
        corrections=_corrections(run, volume, corrections),
        settings=changes.make(RefineSettings),
        segment=given.make(SegmentSettings),
        device=device,
        seed=seed,
    )
    refined = run_task(refine_task(job))
    files = SegmentOutputs(mask=out, probability=probability)
    save_segmentation(refined.segmentation, files, overwrite=overwrite)
    particles = len(refined.segmentation.particles)
    if json:
        show_json({"run": run, "version": refined.version, "mask": out, "particles": particles})
    else:
        result(f"{run}: {refined.version}")
        result(f"{particles} particles, mask: {out}")


def _target_of(run: Path) -> Path:
    from napari_voxuda.adaptation.run_folder import read_record

    path = read_record(run).get("target", {}).get("path")
    if path is None or not Path(path).is_file():
        raise InputError(
            f"{run}: the run's tomogram was wanted, but it is no file any more. Name it with --target."
        )
    return Path(path)


def _corrections(run: Path, volume: Volume, path: Path | None) -> Corrections:
    from napari_voxuda.adaptation.versions import load_corrections
    from napari_voxuda.data.corrections import Corrections, fingerprint

    if path is None:
        return load_corrections(run, fingerprint(volume.data), volume.shape)
    return Corrections.from_labels(open_volume(path).data)

"""The subcommand ``export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

import typer

from napari_voxuda.app.export.job import ExportFormat, ExportJob, PlannedFile
from napari_voxuda.cli.arguments import Json, Overwrite, VoxelSize
from napari_voxuda.cli.console import aligned, result, run_task, show_json
from napari_voxuda.cli.volumes import open_volume
from napari_voxuda.errors import InputError
from napari_voxuda.io.copick import CopickOwner

__all__ = ["export"]

_OWNER = CopickOwner()


def export(
    labels: Annotated[
        Path,
        typer.Argument(metavar="LABELS", exists=True, help="A mask or labels (MRC, OME-Zarr …)."),
    ],
    out: Annotated[Path, typer.Option("--out", help="The folder to write into.")],
    formats: Annotated[
        list[str],
        typer.Option(
            "--format",
            metavar="FORMAT...",
            help=f"What to write, one or several of: {', '.join(get_args(ExportFormat))}.",
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option("--name", help="What the files' names begin with (default the labels' name)."),
    ] = None,
    probability: Annotated[
        Path | None,
        typer.Option("--probability", exists=True, help="Probabilities, which give scores."),
    ] = None,
    particles: Annotated[
        Literal["auto", "labels", "components"],
        typer.Option(
            "--particles",
            help="Whether each label is a particle or each connected component; auto takes the "
            "components of a mask with one label.",
        ),
    ] = "auto",
    names: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="N=NAME...", help="Names of labels, as 1=ribosome."),
    ] = None,
    zarr_version: Annotated[
        Literal["0.4", "0.5"], typer.Option("--zarr-version", help="Version of OME-Zarr.")
    ] = "0.4",
    image: Annotated[
        Path | None,
        typer.Option("--image", exists=True, help="The OME-Zarr image for zarr-in-image."),
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            exists=True,
            dir_okay=False,
            help="The copick project to write into (JSON).",
        ),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option("--run", help="Name of the tomogram, copick's run (default --name)."),
    ] = None,
    user: Annotated[str, typer.Option("--user", help="copick's user.")] = _OWNER.user,
    session: Annotated[str, typer.Option("--session", help="copick's session.")] = _OWNER.session,
    object_name: Annotated[
        str, typer.Option("--object", help="copick's object.")
    ] = _OWNER.object_name,
    pixel_size: Annotated[
        float | None,
        typer.Option(
            "--pixel-size",
            metavar="Å",
            help="Å per pixel of the unbinned tilt series, for relion4 (default the voxel size).",
        ),
    ] = None,
    voxel_size: VoxelSize = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be written.")
    ] = False,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Write labels and their particles in the formats of other programs."""
    from napari_voxuda.app.export.choice import label_names as names_of_labels
    from napari_voxuda.app.export.plan import check_plan
    from napari_voxuda.app.export.preview import preview_export
    from napari_voxuda.app.export.task import export_task, plan_export
    from napari_voxuda.data.masks import as_mask

    if pixel_size is not None and pixel_size <= 0:
        raise InputError(f"--pixel-size: a positive number of Å was wanted, got {pixel_size:g}.")
    volume = as_mask(open_volume(labels, voxel_size))
    job = ExportJob(
        labels=volume,
        formats=cast("tuple[ExportFormat, ...]", tuple(formats)),  # checked by the job
        folder=out,
        name=name or volume.name,
        probability=None if probability is None else open_volume(probability, voxel_size),
        particles_from=particles,
        label_names=names_of_labels(names or []),
        zarr_version=zarr_version,
        owner=CopickOwner(user=user, session=session, object_name=object_name),
        run=run,
        project=project,
        image=image,
        coordinate_pixel_angstrom=pixel_size,
        overwrite=overwrite,
    )
    if dry_run:
        check_plan(job, plan_export(job))
        previews = preview_export([job]).files
        _show([file.planned for file in previews], json, sizes=[f.size_bytes for f in previews])
        return
    _show(list(run_task(export_task(job)).files), json)


def _show(files: list[PlannedFile], json: bool, *, sizes: list[int] | None = None) -> None:
    """Show the files that were written or, with their largest `sizes` in bytes, those to be."""
    if json:
        facts = [_facts(file) for file in files]
        for entry, size in zip(facts, sizes or (), strict=False):
            entry["size_bytes"] = size
        show_json({"written": sizes is None, "files": facts})
        return
    rows = [("what", "where", "voxel size (Å)", "first particle (x, y, z)")]
    for file in files:
        first = "" if file.first is None else f"{_triple(file.first)} {file.unit}"
        voxel = "" if file.voxel_size_angstrom is None else _triple(file.voxel_size_angstrom)
        rows.append((file.kind, str(file.path), voxel, first))
    result(aligned(rows))
    for note in dict.fromkeys(file.note for file in files if file.note):
        result(note)


def _facts(file: PlannedFile) -> dict[str, Any]:
    return {
        "format": file.format,
        "kind": file.kind,
        "path": file.path,
        "voxel_size_angstrom": file.voxel_size_angstrom,
        "origin_angstrom": file.origin_angstrom,
        "label": file.label,
        "first": file.first,
        "unit": file.unit or None,
        "note": file.note or None,
    }


def _triple(values: tuple[float, float, float]) -> str:
    if len(set(values)) == 1:
        return f"{values[0]:.6g}"
    return " x ".join(f"{value:.6g}" for value in values)

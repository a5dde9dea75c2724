"""The subcommand ``gap``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from napari_voxuda._params import parameters
from napari_voxuda.adaptation.settings import PRESETS, AdaptSettings
from napari_voxuda.app.jobs import GapJob
from napari_voxuda.cli.arguments import (
    TARGET_OPTION,
    Json,
    Level,
    Overwrite,
    PicksFile,
    Preset,
    Seed,
    SourceWords,
    TargetContrast,
    VoxelSize,
    target_of,
)
from napari_voxuda.cli.console import aligned, result, run_task, show_json
from napari_voxuda.cli.options import Given, with_settings
from napari_voxuda.cli.outputs import check_new_file, check_suffix
from napari_voxuda.cli.source import SET_OTHERWISE, simulated_source
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["gap"]

_USED = (
    "batch",
    "noise",
    "noise_base",
    "noise_samples",
    "noise_pass_fraction",
    "snr",
    "exchange_window",
    "augment",
)
_UNUSED = tuple(name for name in parameters(AdaptSettings) if name not in _USED)


@with_settings(
    "simulated", SourceSettings, panel="Source", prefix="source", leave_out=SET_OTHERWISE
)
@with_settings("changes", AdaptSettings, panel="Noise matching", presets=PRESETS, leave_out=_UNUSED)
def gap(
    target: Annotated[list[Path], TARGET_OPTION],
    changes: Given,
    simulated: Given,
    picks: PicksFile = None,
    source: SourceWords = None,
    preset: Preset = "default",
    contrast: TargetContrast = "auto",
    voxel_size: VoxelSize = None,
    level: Level = 0,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Also draw spectra, histograms and boxes (PNG)."),
    ] = None,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Say how far source and target are apart, before and after noise matching."""
    from napari_voxuda.app.gap.task import gap_figure_task, gap_task
    from napari_voxuda.app.gap.words import gap_rows

    job = GapJob(
        target=target_of(target),
        picks=picks,
        source=simulated_source(source, simulated),
        settings=changes.make(partial(AdaptSettings.preset, preset)),
        contrast=contrast,
        voxel_size_angstrom=voxel_size,
        level=level,
        seed=seed,
    )
    if out is not None:
        check_suffix(out, ".png")
        read = [*target, *([] if picks is None else [picks])]
        check_new_file(out, inputs=read, overwrite=overwrite)
    report = run_task(gap_task(job) if out is None else gap_figure_task(job, out))
    if json:
        show_json({**report.to_dict(), "figure": out})
        return
    result(aligned(gap_rows(report.gap)))
    result("")
    for sentence in report.sentences:
        result(sentence)
    if out is not None:
        result(f"figure: {out}")

"""The subcommand ``adapt``."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from napari_voxuda.adaptation.settings import PRESETS, AdaptSettings
from napari_voxuda.app.jobs import AdaptJob
from napari_voxuda.app.layer_source import LayerSource
from napari_voxuda.cli.arguments import (
    TARGET_OPTION,
    Device,
    Json,
    Level,
    PicksFile,
    Preset,
    Seed,
    SourceWords,
    TargetContrast,
    VoxelSize,
    target_of,
)
from napari_voxuda.cli.console import aligned, message, result, run_task, show_json
from napari_voxuda.cli.options import Given, with_settings
from napari_voxuda.cli.outputs import check_new_folder
from napari_voxuda.cli.signals import Terminated
from napari_voxuda.cli.source import SET_OTHERWISE, simulated_source
from napari_voxuda.errors import InputError
from napari_voxuda.method.denoising import DenoiseSettings
from napari_voxuda.networks.settings import NetworkSettings
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["adapt"]

_NETWORKS = {name: preset.network for name, preset in PRESETS.items()}
_DENOISERS = {name: preset.denoise for name, preset in PRESETS.items()}


@with_settings(
    "denoiser",
    DenoiseSettings,
    panel="Denoiser of the target for the teacher",
    prefix="denoise",
    presets=_DENOISERS,
)
@with_settings("network", NetworkSettings, panel="Network", prefix="network", presets=_NETWORKS)
@with_settings(
    "simulated", SourceSettings, panel="Source", prefix="source", leave_out=SET_OTHERWISE
)
@with_settings("changes", AdaptSettings, panel="Adaptation", presets=PRESETS)
def adapt(
    out: Annotated[
        Path, typer.Option("--out", help="The run folder: new, or with --resume unfinished.")
    ],
    changes: Given,
    network: Given,
    denoiser: Given,
    simulated: Given,
    target: Annotated[list[Path] | None, TARGET_OPTION] = None,
    picks: PicksFile = None,
    source: SourceWords = None,
    preset: Preset = "default",
    contrast: TargetContrast = "auto",
    voxel_size: VoxelSize = None,
    level: Level = 0,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the run in --out, with its own settings."),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Only tell what the run would do, how long it takes and whether it fits into memory, from "
            "one step; nothing is written.",
        ),
    ] = False,
    source_labels: Annotated[
        Path | None,
        typer.Option(
            "--source-labels",
            exists=True,
            help="Labels of every particle in the one tomogram that --source names; boxes are cut from it.",
        ),
    ] = None,
    device: Device = "auto",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Adapt a network to a target without labels (Vox-UDA)."""
    if resume:
        if check:
            raise InputError("--check: a run that has not begun was wanted; leave out --resume.")
        if source or any(given.values for given in (changes, network, denoiser, simulated)):
            message("With --resume the run's own source and settings are used.", "warning")
        again = target_of(target) if target else None
        _run(AdaptJob(target=again, out=out, picks=picks, device=device, resume=True), json)
        return
    job = AdaptJob(
        target=target_of(_needed(target)),
        out=out,
        picks=picks,
        source=simulated_source(None if source_labels else source, simulated),
        settings=_settings(preset, changes, network, denoiser),
        contrast=contrast,
        voxel_size_angstrom=voxel_size,
        level=level,
        device=device,
        seed=seed,
    )
    if source_labels is not None:
        job = replace(job, labelled=_labelled(source, source_labels))
    if check:
        _check(job, json)
        return
    check_new_folder(out, inputs=_needed(target), may_exist=True)
    _run(job, json)


def _needed(target: list[Path] | None) -> list[Path]:
    if not target:
        raise InputError("--target: a tomogram or a folder is needed, except with --resume.")
    return target


def _labelled(words: list[str] | None, labels: Path) -> LayerSource:
    """Return the pair of a tomogram and its labels."""
    from napari_voxuda.io.volumes import read_volume

    if words is None or len(words) != 1 or not Path(words[0]).exists():
        raise InputError(
            "--source-labels: the tomogram that the labels belong to was wanted as the one word after "
            f"--source, got {' '.join(words or ['nothing'])}."
        )
    return LayerSource(image=read_volume(Path(words[0])), labels=read_volume(labels))


def _check(job: AdaptJob, json: bool) -> None:
    from napari_voxuda.app.adapt.preflight import preflight_task

    report = run_task(preflight_task(job))
    if json:
        show_json(report.to_dict())
        return
    result(aligned(report.rows))
    for text in report.doubts:  # the others have been said while it ran
        message(text, "warning")


def _settings(preset: str, changes: Given, network: Given, denoiser: Given) -> AdaptSettings:
    """Return the preset with the settings that were given on the command line."""
    start = PRESETS[preset]
    return changes.make(
        partial(AdaptSettings.preset, preset),
        network=network.make(partial(replace, start.network)),
        denoise=denoiser.make(partial(replace, start.denoise)),
    )


def _run(job: AdaptJob, json: bool) -> None:
    from napari_voxuda.app.adapt.task import adapt_task

    try:
        finished = run_task(adapt_task(job))
    except (KeyboardInterrupt, Terminated):
        message(f"Go on with: napari-voxuda adapt --resume --out {job.out}")
        raise
    if json:
        show_json({"run": finished.run, "steps": finished.steps})
    else:
        result(f"{finished.run}: {finished.steps} steps done")

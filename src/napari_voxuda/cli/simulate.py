"""The subcommand ``simulate``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from napari_voxuda.app.jobs import SimulateJob
from napari_voxuda.cli.arguments import MOLECULE_WORDS, SOURCE_WORDS, Json, Seed
from napari_voxuda.cli.console import result, run_task, show_json
from napari_voxuda.cli.options import Given, with_settings
from napari_voxuda.cli.outputs import check_new_folder
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["simulate"]


@with_settings("given", SourceSettings, panel="Simulation", leave_out=("kind", "files"))
def simulate(
    source: Annotated[
        list[str],
        typer.Option(
            "--source",
            metavar=SOURCE_WORDS,
            help=f"Built-in phantoms, {MOLECULE_WORDS}.",
            show_default="phantom",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="New folder for the pairs.")],
    given: Given,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Simulate labelled subtomograms: NAME.mrc and NAME_mask.mrc."""
    from napari_voxuda.app.simulate import simulate_task
    from napari_voxuda.simulation.words import source_settings_from_words

    settings = given.make(partial(source_settings_from_words, source))
    read = [] if settings.kind == "pdb" else [Path(file) for file in settings.files]
    check_new_folder(out, inputs=read)
    folder = run_task(simulate_task(SimulateJob(source=settings, out=out, seed=seed)))
    if json:
        show_json({"out": folder, "count": settings.count, "seed": seed})
    else:
        result(f"{settings.count} subtomograms with masks in {folder}")

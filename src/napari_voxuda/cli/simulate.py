"""The subcommand ``simulate``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from napari_voxuda.app.jobs import SimulateJob
from napari_voxuda.cli.arguments import Json, Seed
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
            metavar="phantom|DIR|FILE...",
            help="Built-in phantoms, or structure files (PDB, mmCIF) or density maps (MRC).",
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
    check_new_folder(out, inputs=[Path(f) for f in settings.files])
    folder = run_task(simulate_task(SimulateJob(source=settings, out=out, seed=seed)))
    if json:
        show_json({"out": folder, "count": settings.count, "seed": seed})
    else:
        result(f"{settings.count} subtomograms with masks in {folder}")

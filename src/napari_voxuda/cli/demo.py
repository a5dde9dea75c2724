"""The subcommand ``demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_voxuda.cli.arguments import Json, Seed
from napari_voxuda.cli.console import run_task, show_json

__all__ = ["demo"]


def demo(
    out: Annotated[Path, typer.Option("--out", help="New folder for the results.")] = Path("demo"),
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Run the whole method on a synthetic tomogram in a few minutes, offline."""
    from napari_voxuda.app.demo import DemoJob, demo_task

    show_json(run_task(demo_task(DemoJob(out=out, seed=seed))))

"""The subcommand ``demo``."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from napari_voxuda.cli.arguments import Json, Seed
from napari_voxuda.cli.console import aligned, result, run_task, show_json
from napari_voxuda.cli.outputs import check_new_folder

__all__ = ["demo"]


def demo(
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="New or empty folder for all that is written (default demo, or demo-2, demo-3, ... "
            "where that is taken).",
        ),
    ] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Run the whole method on a synthetic tomogram, offline, in a few minutes."""
    out = out or _free(Path("demo"))
    check_new_folder(out)

    from napari_voxuda.app.demo import DemoJob, demo_task

    found = run_task(demo_task(DemoJob(out=out, seed=seed)))
    if json:
        show_json(found.to_dict())
        return
    rows = [(name, f"{s['dice']:.3f}", f"{s['iou']:.3f}") for name, s in found.scores.items()]
    result(aligned([("", "Dice", "IoU"), *rows]))
    result("")
    result(aligned([(name, str(path)) for name, path in found.files.items()]))


def _free(folder: Path) -> Path:
    """Return `folder`, or with the first number that is not taken."""
    if not folder.exists():
        return folder
    numbered = (folder.with_name(f"{folder.name}-{number}") for number in count(2))
    return next(path for path in numbered if not path.exists())

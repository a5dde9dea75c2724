"""The subcommand ``info``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_voxuda.cli.arguments import Json
from napari_voxuda.cli.console import show_json

__all__ = ["info"]


def info(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            help="A volume, picks (STAR), a run folder, or a folder of subtomograms.",
        ),
    ],
    json: Json = False,
) -> None:
    """Tell what a file or folder holds."""
    from napari_voxuda.app.info import describe

    show_json(describe(path))

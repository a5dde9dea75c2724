"""The subcommand ``evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_voxuda.cli.arguments import Json
from napari_voxuda.cli.console import show_json

__all__ = ["evaluate"]


def evaluate(
    prediction: Annotated[
        Path, typer.Argument(exists=True, help="A mask (MRC), or a folder of masks.")
    ],
    truth: Annotated[
        Path, typer.Argument(exists=True, help="The true mask, or a folder of equal names.")
    ],
    json: Json = False,
) -> None:
    """Score masks against the truth: IoU and Dice per pair, per class, and their mean."""
    from napari_voxuda.app.evaluate import evaluate as scored

    evaluation = scored(prediction, truth)
    show_json(evaluation.to_dict())

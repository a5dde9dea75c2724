"""The subcommand ``evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_voxuda.cli.arguments import Json
from napari_voxuda.cli.console import aligned, result, show_json

if TYPE_CHECKING:
    from napari_voxuda.app.evaluate import Evaluation

__all__ = ["evaluate"]


def evaluate(
    prediction: Annotated[
        Path,
        typer.Argument(
            metavar="PREDICTION", exists=True, help="A mask (MRC), or a folder of masks."
        ),
    ],
    truth: Annotated[
        Path,
        typer.Argument(
            metavar="TRUTH",
            exists=True,
            help="The true mask, or a folder of masks of equal names; the endings _mask, _pred "
            "and _subtomo do not count.",
        ),
    ],
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            metavar="NAME=PREFIX...",
            help="Classes by the beginning of the file names, for example ribosome=Unt_050; "
            "without, the labels of the masks are the classes.",
        ),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            "--run",
            exists=True,
            file_okay=False,
            help="The run folder that the masks come from; it keeps the mean scores, which the list "
            "of runs in the dock and info show.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Score masks against the truth: IoU and Dice of each pair, each class, and their mean."""
    from napari_voxuda.app.evaluate import evaluate as score

    evaluation = score(prediction, truth, classes=_prefixes(classes))
    if run is not None:
        from napari_voxuda.adaptation.run_scores import add_comparison

        mean = evaluation.mean
        add_comparison(run, truth.name, dice=mean.dice, iou=mean.iou)
    if json:
        show_json(evaluation.to_dict())
    else:
        result(_table(evaluation))


def _prefixes(words: list[str] | None) -> dict[str, str] | None:
    """Return class by prefix from words such as ``ribosome=Unt_050``."""
    if not words:
        return None
    pairs = [word.partition("=") for word in words]
    for (name, _, prefix), word in zip(pairs, words, strict=True):
        if not (name and prefix):
            raise typer.BadParameter(f"--class: NAME=PREFIX was wanted, got {word!r}.")
    return {prefix: name for name, _, prefix in pairs}


def _table(evaluation: Evaluation) -> str:
    rows = [("", "pairs", "IoU", "Dice")]
    for pair in evaluation.pairs:
        found = pair.overlap.foreground
        rows.append((pair.name, "1", f"{found.iou:.4f}", f"{found.dice:.4f}"))
    scores = {f"class {name}": score for name, score in evaluation.classes.items()}
    for name, score in {**scores, "mean": evaluation.mean}.items():
        rows.append((name, str(score.pairs), f"{score.iou:.4f}", f"{score.dice:.4f}"))
    return aligned(rows)

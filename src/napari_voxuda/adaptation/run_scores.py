"""What is known of how good a run is: ``scores.json`` in its folder.

The expected Dice score comes from the network's own probabilities at the end of the run; a comparison
with a truth is added whenever somebody makes one.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from napari_voxuda.errors import RunFolderError
from napari_voxuda.io.atomic import atomic_path

__all__ = [
    "SCORES_FILE",
    "Comparison",
    "RunScores",
    "add_comparison",
    "read_scores",
    "write_expected_dice",
]

SCORES_FILE = "scores.json"
_RECORD_FILE = "run.json"
_FORMAT = 1
_MOST_COMPARISONS = 100


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A mask of a run compared with a truth.

    Parameters
    ----------
    truth : str
        Name of the truth.
    dice, iou : float
        Overlap of the foreground, in [0, 1].
    time : str
        When, in ISO 8601.
    """

    truth: str
    dice: float
    iou: float
    time: str = ""


@dataclass(frozen=True, kw_only=True)
class RunScores:
    """The scores of a run.

    Parameters
    ----------
    expected_dice : float or None
        What the network expects of its own mask, in [0, 1]; None where it was not asked.
    comparisons : tuple of Comparison
        Oldest first.
    """

    expected_dice: float | None = None
    comparisons: tuple[Comparison, ...] = ()


def read_scores(run: Path) -> RunScores:
    """Return what is known; nothing where there is no file or it is damaged."""
    try:
        kept = json.loads((run / SCORES_FILE).read_text(encoding="utf-8"))
        expected = kept.get("expected_dice")
        return RunScores(
            expected_dice=None if expected is None else float(expected),
            comparisons=tuple(_comparison(entry) for entry in kept.get("comparisons", [])),
        )
    except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return RunScores()


def write_expected_dice(run: Path, expected_dice: float) -> None:
    """Keep what the network expects of its mask.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    _write(run, replace(read_scores(run), expected_dice=expected_dice))


def add_comparison(run: Path, truth: str, *, dice: float, iou: float, anew: bool = True) -> None:
    """Keep a comparison with a truth; the newest hundred stay.

    Unless it is made `anew`, it takes the place of the last one where that was with the same truth: a
    mask that is being corrected is compared again and again.

    Raises
    ------
    RunFolderError
        When `run` is no run folder.
    OutputError
        When the file cannot be written.
    """
    if not (run / _RECORD_FILE).is_file():
        raise RunFolderError(f"{run}: a run folder was wanted, but it holds no {_RECORD_FILE}.")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    scores = read_scores(run)
    kept = scores.comparisons
    if kept and not anew and kept[-1].truth == truth:
        kept = kept[:-1]
    added = (*kept, Comparison(truth=truth, dice=dice, iou=iou, time=now))
    _write(run, replace(scores, comparisons=added[-_MOST_COMPARISONS:]))


def _comparison(entry: Any) -> Comparison:
    return Comparison(
        truth=str(entry["truth"]),
        dice=float(entry["dice"]),
        iou=float(entry["iou"]),
        time=str(entry.get("time", "")),
    )


def _write(run: Path, scores: RunScores) -> None:
    with atomic_path(run / SCORES_FILE) as temporary:
        text = json.dumps({"format": _FORMAT, **asdict(scores)}, indent=2)
        temporary.write_text(text + "\n", encoding="utf-8")

"""The network as it was at some twenty steps of a run: small files, to look back how it learnt.

A snapshot holds the weights of the network that segments, and its card, so that `load_model` reads it like a finished
model. It is a function of the run's state: a run that was stopped, killed or resumed leaves the same
snapshots as one that was not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from napari_voxuda.errors import OutputError
from napari_voxuda.networks.checkpoint import write_tensors

__all__ = [
    "MOST_SNAPSHOTS",
    "SNAPSHOTS",
    "Snapshot",
    "is_due",
    "keep_snapshot",
    "path_of",
    "snapshots",
]

SNAPSHOTS = "snapshots"
MOST_SNAPSHOTS = 20


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A kept state of the segmenting network.

    Parameters
    ----------
    step : int
        Steps done, at least 1.
    path : Path
        Its file.
    """

    step: int
    path: Path


def is_due(step: int, steps: int) -> bool:
    """Whether the state after `step` of `steps` steps is kept; at most `MOST_SNAPSHOTS` are."""
    interval = -(-steps // MOST_SNAPSHOTS)
    return step > 0 and (step % interval == 0 or step == steps)


def keep_snapshot(
    run: Path, step: int, weights: dict[str, Tensor], card: dict[str, Any]
) -> Snapshot:
    """Write a snapshot, whole or not at all; the caller holds the run's lock.

    Parameters
    ----------
    run : Path
        The run folder.
    step : int
        Steps done.
    weights : dict of Tensor
        Those of student and teacher, named ``student.…`` and ``teacher.…``; one of them is kept.
    card : dict
        The model card, which says which of the two.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    folder = run / SNAPSHOTS
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the folder cannot be made ({error.strerror}).") from error
    snapshot = Snapshot(step=step, path=path_of(run, step))
    kept = {k: v for k, v in weights.items() if k.startswith(f"{card['weights']}.")}
    write_tensors(snapshot.path, kept, {"step": step, "model": card})
    return snapshot


def path_of(run: Path, step: int) -> Path:
    """Return the file of the snapshot after `step`."""
    return run / SNAPSHOTS / f"step-{step:08d}.safetensors"


def snapshots(run: Path) -> list[Snapshot]:
    """Return the snapshots of a run folder, oldest first; their content is not looked at."""
    found = (
        (re.fullmatch(r"step-(\d{8,})\.safetensors", path.name), path)
        for path in (run / SNAPSHOTS).glob("step-*.safetensors")
    )
    kept = [Snapshot(step=int(match[1]), path=path) for match, path in found if match]
    return sorted(kept, key=lambda snapshot: snapshot.step)

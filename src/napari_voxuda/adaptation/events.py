"""What an adaptation reports while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Event
from napari_voxuda.adaptation.health import Collapse

__all__ = ["Alarm", "AlarmKind", "CheckpointSaved", "Preview", "SnapshotKept", "StepDone"]

AlarmKind = Collapse | Literal["out of memory"]
"""What an alarm is about: a collapse of the training, or a step that did not fit into memory."""


@dataclass(frozen=True, kw_only=True)
class StepDone(Event):
    """One optimisation step.

    Parameters
    ----------
    step, total : int
        Steps done and in all, ``1 <= step <= total``.
    losses : dict of float
        The terms of Eq. (1) and their sum: ``total``, ``segmentation``, ``pseudo``,
        ``consistency``, ``discriminator``.
    coverage : float
        Fraction of target voxels that received a pseudo-label, in [0, 1].
    foreground : float
        Fraction of the pseudo-labelled voxels that are foreground, in [0, 1].
    learning_rate : float
        The optimiser's learning rate in this step.
    seconds_per_step : float
        Smoothed duration of a step, for throughput and time left.
    """

    step: int
    total: int
    losses: dict[str, float]
    coverage: float
    foreground: float
    learning_rate: float
    seconds_per_step: float


@dataclass(frozen=True, kw_only=True)
class Preview(Event):
    """The model's view of one fixed target box.

    Parameters
    ----------
    step : int
        Steps done.
    image, probability : numpy.ndarray
        (h, w) float32: the central z slice as the network sees it, and its foreground probability.
    """

    step: int
    image: npt.NDArray[np.float32]
    probability: npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class CheckpointSaved(Event):
    """The full state is on disk and the run can be resumed from it."""

    step: int
    path: Path


@dataclass(frozen=True, kw_only=True)
class SnapshotKept(Event):
    """The network as it is after a step is kept, to be looked at later; see `snapshots`."""

    step: int
    path: Path


@dataclass(frozen=True, kw_only=True)
class Alarm(Event):
    """The run had collapsed, or memory ran out; it goes on from a good state, otherwise than planned.

    Parameters
    ----------
    step : int
        Steps done, the one that raised it included.
    kind : str
        Name of the collapse, see `health`; or ``"out of memory"``, see `memory`.
    text : str
        What was seen and what was done, in plain words.
    restored_step : int
        Steps done when the restored state was copied.
    """

    step: int
    kind: AlarmKind
    text: str
    restored_step: int

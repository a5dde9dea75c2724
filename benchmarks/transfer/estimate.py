"""How long a row takes, before it has been run."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from napari_voxuda.adaptation.settings import AdaptSettings

from .rows import Row
from .store import Result
from .tiers import Tier

__all__ = ["seconds_of"]

_SECONDS_PER_BOX = 0.028
"""Forward and back through the network of ``fast``, for a box of 32³, on two CPU cores."""

_PREPARATION = 25.0
"""Simulating 300 boxes and segmenting the target, in seconds."""

_FASTER_ON_GPU = 100.0


def seconds_of(row: Row, tier: Tier, results: Iterable[Result], device: str) -> float:
    """Return what a row took in earlier results of the tier, else a rough guess, in seconds."""
    spent = [r.seconds for r in results if (r.row, r.tier) == (row.name, tier.name) and r.seconds]
    if spent:
        return fmean(spent)
    if row.plan is None:
        return 2.0
    settings = row.plan(tier).settings
    volume = (tier.box / 32) ** 3
    guess = _SECONDS_PER_BOX * volume * _network_cost(settings) * settings.steps * settings.batch
    prepared = _PREPARATION * volume * tier.source_count / 300
    return guess * _passes(settings) / (_FASTER_ON_GPU if _has_gpu(device) else 1.0) + prepared


def _network_cost(settings: AdaptSettings) -> float:
    """Return the cost of a pass in units of that of `fast`: half stem, half body."""
    return 0.5 * (settings.network.stem / 8) ** 2 + 0.5 * (settings.network.body / 16) ** 2


def _passes(settings: AdaptSettings) -> float:
    """Return the boxes that go through the student in a step, and the teacher's third of one."""
    consistent = settings.consistency_weight > 0
    labelled = 0.0 if settings.pseudo_labels == "none" else 1 - settings.pseudo_start
    passes = float(settings.noise != "none")
    passes += settings.noise == "none" or (consistent and settings.consistency == "features")
    passes += 1.0 if settings.discriminator_weight > 0 else labelled
    if consistent and settings.consistency == "appearance":
        passes += 1.35
    return passes + 0.5 * labelled


def _has_gpu(device: str) -> bool:
    if device == "cpu":
        return False
    import torch

    return torch.cuda.is_available()

"""Delays from the ticks of a heartbeat, and the pace of a run from its log; knows no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_voxuda.adaptation.run_folder import read_events

__all__ = ["PERCENTILES", "delays", "percentiles", "seconds_per_step", "step_seconds"]

PERCENTILES = (50, 95, 99)


def delays(ticks: Sequence[float], every: float) -> npt.NDArray[np.float64]:
    """Return how late the event loop was for each moment at which a heartbeat was due.

    Parameters
    ----------
    ticks : sequence of float
        (n,) times in s at which the heartbeat was heard, ascending. The first is the start.
    every : float
        Time in s from one due moment to the next.

    Returns
    -------
    numpy.ndarray
        (m,) delays in s, at least 0: of each due moment up to the last tick.

    Notes
    -----
    A timer that was held up for 200 ms ticks once and not twenty times. Counting ticks would take
    the long waits for rare ones, so the moments that were due meanwhile are counted, too: the result is
    what a click at any moment would have had to wait.
    """
    heard = np.asarray(ticks, dtype=np.float64)
    if len(heard) < 2:
        return np.zeros(0)
    due = np.arange(heard[0] + every, heard[-1], every)
    return heard[np.searchsorted(heard, due)] - due


def percentiles(delays_s: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return percentiles and maximum of delays in s as ms; empty without delays."""
    if not len(delays_s):
        return {}
    found = {f"p{p}": float(np.percentile(delays_s, p)) * 1e3 for p in PERCENTILES}
    return {**found, "max": float(delays_s.max()) * 1e3}


def step_seconds(run: Path) -> dict[int, float]:
    """Return the duration in s of each step but the first, by the times in a run's log."""
    found: dict[int, float] = {}
    before: tuple[int, float] | None = None
    for event in read_events(run):
        if event.get("event") != "step":
            continue
        step, now = int(event["step"]), datetime.fromisoformat(event["time"]).timestamp()
        if before is not None and step == before[0] + 1:
            found[step] = now - before[1]
        before = step, now
    return found


def seconds_per_step(runs: Sequence[dict[int, float]], first: int, last: int) -> float:
    """Return the median duration in s of the steps from `first` to `last` of several runs."""
    chosen = [s for run in runs for step, s in run.items() if first <= step <= last]
    return float(np.median(chosen)) if chosen else float("nan")

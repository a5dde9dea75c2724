"""Fill the disk in the middle of a checkpoint, a mask and a zarr, then make room and go on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.reliability.forked import run_command
from benchmarks.reliability.jobs import AdaptJob, Job
from benchmarks.reliability.small_disk import SmallDisk
from benchmarks.reliability.trials import Trial, begun, checked, uninterrupted

__all__ = ["ORDER", "disk_trials"]

ORDER = ("adapt", "segment", "adapt", "export", "adapt", "denoise")
"""Which commands meet a full disk in turn."""

_ALMOST_NOTHING = 1 << 12


def disk_trials(
    jobs: dict[str, Job], disk: SmallDisk, work: Path, numbers: range, seed: int
) -> Iterator[Trial]:
    """Run commands on a disk that fills up, look at what they leave, make room and go on.

    Parameters
    ----------
    jobs : dict of Job
        By the names in `ORDER`.
    disk : SmallDisk
        Where they write.
    work : pathlib.Path
        Folder for what is not on the disk.
    numbers : range
        Of the trials.
    seed : int
        With a trial's number it fixes how much room there is: from nothing up to what the command
        needs.
    """
    order = [name for name in ORDER if name in jobs]
    wanted, needed = {}, {}
    disk.free()
    for name in dict.fromkeys(order):
        folder = disk.folder / "whole"
        wanted[name], _ = uninterrupted(jobs[name], folder, work)
        needed[name] = _needed(jobs[name], folder)
        shutil.rmtree(folder)
    for number in numbers:
        name = order[number % len(order)]
        rng = np.random.default_rng((seed, number))
        room = int(rng.uniform(_ALMOST_NOTHING, needed[name]))
        trial = _filled(jobs[name], disk, work, room, number)
        folder = disk.folder / "case"
        if not trial.problems and jobs[name].result(folder) != wanted[name]:
            trial.problems.append("the result is not that of a command with room")
        shutil.rmtree(folder)
        yield trial


def _needed(job: Job, folder: Path) -> int:
    """Return about how many bytes a command writes beside what was there before."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    sizes = [-(-path.stat().st_size // 4096) * 4096 for path in files]
    if isinstance(job, AdaptJob):
        return sum(sizes)
    return sum(sizes) // 2


def _filled(job: Job, disk: SmallDisk, work: Path, room: int, number: int) -> Trial:
    """Run a command with little room, then with plenty."""
    folder, log = disk.folder / "case", work / "log.txt"
    trial = Trial(number, job.name, f"disk full ({disk.kind})")
    begun(job, folder)
    disk.leave(room)
    ended = run_command(job.words(folder), log, before=disk.before())
    disk.free()
    trial.judge(ended)
    trial.problems += checked(job, folder, log)
    trial.problems += [f"{path.name} was left" for path in folder.rglob(".*") if _is_litter(path)]
    if not trial.problems:
        again = run_command(job.words(folder), log)
        if again.code:
            trial.problems.append(f"it did not go on: {again.said.strip()[-400:]}")
    return trial


def _is_litter(path: Path) -> bool:
    return path.suffix in (".part", ".old", ".plain")

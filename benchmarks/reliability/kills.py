"""Kill commands at random moments, look at what they leave, and let them go on to the end."""

from __future__ import annotations

import shutil
import signal
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.reliability.forked import Ended, run_command
from benchmarks.reliability.jobs import FileJob, Job

__all__ = ["Case", "kill_cases", "table"]

ORDER = ("adapt", "adapt", "segment", "adapt", "denoise", "adapt", "export", "adapt")
"""Which commands are killed in turn."""

_TWICE = 3  # every third case is killed again while it goes on
_MOST_TRIES = 40


@dataclass
class Case:
    """A command that was killed once or twice and then let go on.

    Parameters
    ----------
    number : int
        Of the case; with the seed it fixes the moments.
    job : str
        The command.
    moments : list of float
        When it was killed, as fractions of the time that it takes.
    problems : list of str
        What was wrong; empty where nothing was.
    """

    number: int
    job: str
    moments: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def kill_cases(jobs: dict[str, Job], work: Path, count: int, seed: int) -> Iterator[Case]:
    """Kill commands until `count` kills have been made; yield each case.

    Parameters
    ----------
    jobs : dict of Job
        By the names in `ORDER`; those that are missing are left out.
    work : Path
        Folder for the outputs. Those of a case with a problem are kept.
    count : int
        Kills in all.
    seed : int
        Of the moments, which are uniform over the time that the command takes.
    """
    wanted, seconds = {}, {}
    for name, job in jobs.items():
        wanted[name], seconds[name] = _uninterrupted(job, work / f"whole-{name}", work)
    order = [name for name in ORDER if name in jobs]
    kills = number = 0
    while kills < count:
        name = order[number % len(order)]
        folder = work / f"case-{number}"
        rng = np.random.default_rng((seed, number))
        times = min(count - kills, 2 if number % _TWICE == _TWICE - 1 else 1)
        case = _killed(jobs[name], folder, work, rng, (seconds[name], times))
        case.number = number
        if not case.problems and jobs[name].result(folder) != wanted[name]:
            case.problems.append("the result is not that of the uninterrupted command")
        if not case.problems:
            shutil.rmtree(folder)
        kills, number = kills + len(case.moments), number + 1
        yield case


def table(cases: list[Case], seconds: float) -> str:
    """Return what came out as a Markdown table."""
    lines = [
        "| command | kills | of them while it went on | median moment | intact | same result |",
        "|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(case.job for case in cases):
        own = [case for case in cases if case.job == name]
        moments = [moment for case in own for moment in case.moments]
        again = sum(len(case.moments) - 1 for case in own)
        good = sum(not case.problems for case in own)
        lines.append(
            f"| {name} | {len(moments)} | {again} | {statistics.median(moments):.2f} | "
            f"{good} of {len(own)} | {good} of {len(own)} |"
        )
    lines += [f"\n{seconds:.0f} s"]
    lines += [f"case {c.number}, {c.job}, {c.moments}: {p}" for c in cases for p in c.problems]
    return "\n".join(lines)


def _uninterrupted(job: Job, folder: Path, work: Path) -> tuple[dict[str, object], float]:
    """Run a command twice: what comes out is the same, and how long it takes."""
    taken, results = [], []
    for _ in range(2):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        job.prepare(folder)
        ended = run_command(job.words(folder), work / "log.txt")
        if ended.code:
            raise RuntimeError(f"{job.name}: exit code {ended.code}: {ended.said}")
        taken.append(ended.seconds)
        results.append(job.result(folder))
    if results[0] != results[1]:
        raise RuntimeError(f"{job.name}: two uninterrupted runs differ")
    if isinstance(job, FileJob):
        job.new = results[0]["outputs"]
    return results[0], min(taken)


def _killed(
    job: Job, folder: Path, work: Path, rng: np.random.Generator, plan: tuple[float, int]
) -> Case:
    """Begin a command, kill it as often as planned, and let it go on to its end."""
    seconds, times = plan
    case, log = Case(number=-1, job=job.name), work / "log.txt"
    _begin(job, folder)
    for _ in range(_MOST_TRIES):
        if len(case.moments) == times:
            break
        moment = float(rng.uniform())
        ended = run_command(job.words(folder), log, kill_after=moment * seconds)
        if ended.code != -signal.SIGKILL:  # it was faster; from the beginning
            if ended.code:
                case.problems.append(f"it ended by itself: {_last(ended)}")
                return case
            case.moments.clear()
            _begin(job, folder)
            continue
        case.moments.append(round(moment, 3))
        case.problems += _checked(job, folder, log)
        if case.problems:
            return case
    ended = run_command(job.words(folder), log)
    if ended.code:
        case.problems.append(f"it did not go on: {_last(ended)}")
    return case


def _begin(job: Job, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    job.prepare(folder)


def _checked(job: Job, folder: Path, log: Path) -> list[str]:
    """Return what is wrong with what a killed command left."""
    try:
        found = job.problems(folder)
    except Exception as error:  # anything that a half-written file may cause
        return [f"{type(error).__name__}: {error}"]
    for path in job.shown(folder):
        ended = run_command(["info", str(path), "--json"], log)
        if ended.code:
            found.append(f"info {path.name}: {_last(ended)}")
    return found


def _last(ended: Ended) -> str:
    return f"exit code {ended.code}: {ended.said.strip()[-300:]}"

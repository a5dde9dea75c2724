"""Kill commands at random moments, look at what they leave, and let them go on to the end."""

from __future__ import annotations

import shutil
import signal
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability.forked import Ended, kill, run_command
from benchmarks.reliability.jobs import Job
from benchmarks.reliability.trials import begun, checked, uninterrupted

__all__ = ["Case", "kill_cases", "kill_summary", "kill_table"]

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
        wanted[name], seconds[name] = uninterrupted(job, work / f"whole-{name}", work)
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


def kill_summary(cases: list[Case]) -> dict[str, Any]:
    """Return what came out, by command."""
    rows = {}
    for name in sorted({case.job for case in cases}):
        own = [case for case in cases if case.job == name]
        rows[name] = {
            "cases": len(own),
            "kills": sum(len(case.moments) for case in own),
            "again": sum(max(0, len(case.moments) - 1) for case in own),
            "good": sum(not case.problems for case in own),
            "moments": [moment for case in own for moment in case.moments],
        }
    problems = [f"{c.number}, {c.job}, {c.moments}: {p}" for c in cases for p in c.problems]
    return {"rows": rows, "problems": problems}


def kill_table(pieces: Iterable[dict[str, Any]]) -> str:
    """Return the counts of several pieces as one Markdown table."""
    total: dict[str, dict[str, Any]] = {}
    for piece in pieces:
        for name, row in piece["rows"].items():
            own = total.setdefault(name, {})
            for key, value in row.items():
                own[key] = own[key] + value if key in own else value
    lines = [
        "| command | kills | of them while it went on | median moment | intact, and then the same result |",
        "|---|---|---|---|---|",
    ]
    for name, row in sorted(total.items()):
        moment = statistics.median(row["moments"]) if row["moments"] else 0.0
        lines.append(
            f"| {name} | {row['kills']} | {row['again']} | {moment:.2f} | "
            f"{row['good']} of {row['cases']} |"
        )
    sums = {
        key: sum(row[key] for row in total.values()) for key in ("kills", "again", "good", "cases")
    }
    lines.append(
        f"| all | {sums['kills']} | {sums['again']} | | {sums['good']} of {sums['cases']} |"
    )
    return "\n".join(lines)


def _killed(
    job: Job, folder: Path, work: Path, rng: np.random.Generator, plan: tuple[float, int]
) -> Case:
    """Begin a command, kill it as often as planned, and let it go on to its end."""
    seconds, times = plan
    case, log = Case(number=-1, job=job.name), work / "log.txt"
    begun(job, folder)
    for _ in range(_MOST_TRIES):
        if len(case.moments) == times:
            break
        moment = float(rng.uniform())
        ended = run_command(job.words(folder), log, meanwhile=(moment * seconds, kill))
        if ended.code != -signal.SIGKILL:  # it was faster; from the beginning
            if ended.code:
                case.problems.append(f"it ended by itself: {_last(ended)}")
                return case
            case.moments.clear()
            begun(job, folder)
            continue
        case.moments.append(round(moment, 3))
        case.problems += checked(job, folder, log)
        if case.problems:
            return case
    ended = run_command(job.words(folder), log)
    if ended.code:
        case.problems.append(f"it did not go on: {_last(ended)}")
    return case


def _last(ended: Ended) -> str:
    return f"exit code {ended.code}: {ended.said.strip()[-300:]}"

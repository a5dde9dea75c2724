"""What the program stands: kills, full disks, targets that change, damaged files, and giants.

Each trial is a command, ``python -m benchmarks.reliability NAME``, prints what came out, adds it to a file of
results as a piece named by seed and range, and returns 1 where anything was wrong. Long trials are run in pieces
(``--first``, ``--count``, ``--seed``). ``tables`` prints the tables of all pieces. POSIX only: they fork.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.reliability import fuzz as fuzzing
from benchmarks.reliability.disks import disk_trials
from benchmarks.reliability.forked import import_everything
from benchmarks.reliability.giants import giant_trials
from benchmarks.reliability.jobs import make_jobs
from benchmarks.reliability.kills import ORDER, Case, kill_cases, kill_summary
from benchmarks.reliability.report import tables
from benchmarks.reliability.seeds import make_seeds
from benchmarks.reliability.small_disk import small_disk
from benchmarks.reliability.store import RESULTS, keep, machine, read
from benchmarks.reliability.targets import target_trials
from benchmarks.reliability.trials import Trial, summary


def kills(chosen: argparse.Namespace) -> dict[str, Any]:
    """Kill commands, and let them go on."""
    cases: list[Case] = []
    jobs = make_jobs(chosen.work, chosen.steps)
    jobs = {name: job for name, job in jobs.items() if name in chosen.commands}
    for case in kill_cases(jobs, chosen.work, chosen.count, chosen.seed):
        cases.append(case)
        words = "; ".join(case.problems) or "as if it had not been killed"
        moments = ", ".join(f"{moment:.3f}" for moment in case.moments)
        print(f"{case.number}: {case.job} killed at {moments}: {words}", flush=True)
    return kill_summary(cases)


def disks(chosen: argparse.Namespace) -> dict[str, Any]:
    """Run commands on a disk that fills up."""
    jobs = make_jobs(chosen.work, chosen.steps)
    with small_disk(chosen.work) as disk:
        trials = disk_trials(jobs, disk, chosen.work, _numbers(chosen), chosen.seed)
        return summary(_told(trials), chosen.work)


def targets(chosen: argparse.Namespace) -> dict[str, Any]:
    """Disturb the target while commands read it."""
    jobs = make_jobs(chosen.work, chosen.steps)
    trials = target_trials(jobs, chosen.work, _numbers(chosen), chosen.seed)
    return summary(_told(trials), chosen.work)


def fuzz(chosen: argparse.Namespace) -> dict[str, Any]:
    """Open damaged files."""
    seeds = make_seeds(chosen.work / "seeds", _shared_data())
    outcome, seconds = fuzzing.fuzz_cases(seeds, chosen.work, _numbers(chosen), chosen.seed)
    faults = Counter(fault.kind for fault in outcome.faults)
    print(fuzzing.table(dict(outcome.opened), dict(outcome.refused), dict(faults)))
    for fault in outcome.faults:
        print(f"{fault.number}, {fault.kind}: {fault.words}")
    return {
        "opened": dict(outcome.opened),
        "refused": dict(outcome.refused),
        "faults": dict(faults),
        "slowest_s": outcome.slowest_s,
        "largest_growth_mb": round(outcome.largest_growth_bytes / 1e6, 1),
        "seconds": round(seconds),
        "problems": [f"{f.number}, {f.kind}: {f.words}" for f in outcome.faults],
    }


def giants(chosen: argparse.Namespace) -> dict[str, Any]:
    """Open files that promise too much, unpack to too much, or point elsewhere."""
    found = list(giant_trials(chosen.work))
    for giant in found:
        print(f"{giant.name}: {giant.words} ({giant.grown_mb:.0f} MB, {giant.seconds:.1f} s)")
    return {
        "rows": [
            {"name": g.name, "said": g.words, "grown_mb": round(g.grown_mb, 1)} for g in found
        ],
        "problems": [f"{g.name}: {p}" for g in found for p in g.problems],
    }


def _told(trials: Iterable[Trial]) -> list[Trial]:
    """Print each trial as it comes."""
    found = []
    for trial in trials:
        found.append(trial)
        words = "; ".join(trial.problems) or "intact, and then as if nothing had been"
        said = f" ({trial.said})" if trial.said else ""
        print(
            f"{trial.number}: {trial.job}, {trial.event}: {trial.outcome}{said}: {words}",
            flush=True,
        )
    return found


def _numbers(chosen: argparse.Namespace) -> range:
    return range(chosen.first, chosen.first + chosen.count)


def _shared_data() -> Path | None:
    name = os.environ.get("VOXUDA_SHARED_DATA")
    return Path(name) if name else None


_TRIALS: dict[str, tuple[Callable[[argparse.Namespace], dict[str, Any]], int, str]] = {
    "kills": (kills, 50, "end commands at random moments and let them go on"),
    "disks": (disks, 36, "fill the disk under commands, make room and let them go on"),
    "targets": (targets, 50, "disturb the target of commands, put it back and let them go on"),
    "fuzz": (fuzz, 20_000, "open files that are damaged at random"),
    "giants": (giants, 0, "open files that promise, unpack or point to too much"),
}


def _run(chosen: argparse.Namespace) -> int:
    """Run one trial, keep what came out, and return 1 where anything was wrong."""
    import_everything()
    chosen.work.mkdir(parents=True, exist_ok=True)
    if any(chosen.work.iterdir()):
        raise SystemExit(f"{chosen.work}: an empty folder was wanted")
    work_on, _, _ = _TRIALS[chosen.trial]
    started = time.monotonic()
    content = work_on(chosen)
    content.setdefault("seconds", round(time.monotonic() - started))
    last = chosen.first + chosen.count - 1
    piece = f"seed {chosen.seed}, {chosen.first:05d} to {last:05d}" if chosen.count else "all"
    keep(chosen.json, chosen.trial, piece, content)
    print(f"{piece}: {len(content['problems'])} problems in {content['seconds']} s; {machine()}")
    return int(bool(content["problems"]))


def _print_tables(chosen: argparse.Namespace) -> int:
    print(tables(read(chosen.json)))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run a trial and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parts = parser.add_subparsers(required=True, dest="trial")
    for name, (_, count, words) in _TRIALS.items():
        part = parts.add_parser(name, help=words)
        part.add_argument("--work", type=Path, required=True, help="an empty folder")
        part.add_argument("--count", type=int, default=count, help="how many")
        part.add_argument("--first", type=int, default=0, help="number of the first")
        part.add_argument("--seed", type=int, default=0, help="of all that is random")
        part.add_argument("--steps", type=int, default=12, help="of an adaptation")
        part.add_argument("--json", type=Path, default=RESULTS, help="file of results")
        part.set_defaults(work_on=_run)
        if name == "kills":
            part.add_argument("--commands", nargs="+", choices=sorted(set(ORDER)), default=ORDER)
    part = parts.add_parser("tables", help="print the tables of all pieces")
    part.add_argument("--json", type=Path, default=RESULTS, help="file of results")
    part.set_defaults(work_on=_print_tables)
    chosen = parser.parse_args(arguments)
    code: int = chosen.work_on(chosen)
    return code


if __name__ == "__main__":
    raise SystemExit(main())

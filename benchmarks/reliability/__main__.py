"""What the program stands: ``kills`` ends commands at random moments, ``fuzz`` damages files at random.

Run ``python -m benchmarks.reliability kills --count 80 --work FOLDER`` or ``python -m benchmarks.reliability fuzz
--count 20000``. Both print a table, and return 1 where anything was found. POSIX only: they fork.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.reliability.forked import import_everything
from benchmarks.reliability.jobs import make_jobs
from benchmarks.reliability.kills import ORDER, kill_cases, table


def kills(chosen: argparse.Namespace) -> int:
    """Kill commands, print what came out, and return 1 where anything was lost."""
    import_everything()
    chosen.work.mkdir(parents=True, exist_ok=True)
    if any(chosen.work.iterdir()):
        raise SystemExit(f"{chosen.work}: an empty folder was wanted")
    started, cases = time.monotonic(), []
    jobs = make_jobs(chosen.work, chosen.steps)
    jobs = {name: job for name, job in jobs.items() if name in chosen.commands}
    for case in kill_cases(jobs, chosen.work, chosen.count, chosen.seed):
        cases.append(case)
        words = "; ".join(case.problems) or "as if it had not been killed"
        moments = ", ".join(f"{moment:.3f}" for moment in case.moments)
        print(f"{case.number}: {case.job} killed at {moments}: {words}", flush=True)
    print(f"\n{table(cases, time.monotonic() - started)}")
    _keep(chosen.json, {"cases": [asdict(case) for case in cases]})
    return int(any(case.problems for case in cases))


def _keep(path: Path | None, content: dict[str, object]) -> None:
    if path is not None:
        path.write_text(json.dumps({"machine": _machine(), **content}, indent=1) + "\n")


def _machine() -> dict[str, object]:
    return {"cpus": os.cpu_count(), "system": platform.platform()}


def main(arguments: list[str] | None = None) -> int:
    """Run one of the two and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parts = parser.add_subparsers(required=True)
    part = parts.add_parser("kills", help="end commands at random moments and let them go on")
    part.add_argument("--count", type=int, default=80, help="kills in all")
    part.add_argument("--seed", type=int, default=0, help="of the moments")
    part.add_argument("--work", type=Path, required=True, help="an empty folder")
    part.add_argument("--steps", type=int, default=12, help="of an adaptation")
    part.add_argument("--commands", nargs="+", choices=sorted(set(ORDER)), default=ORDER)
    part.add_argument("--json", type=Path, help="file for the cases")
    part.set_defaults(work_on=kills)
    chosen = parser.parse_args(arguments)
    print(f"{chosen.count} cases, seed {chosen.seed}; {_machine()}", flush=True)
    code: int = chosen.work_on(chosen)
    return code


if __name__ == "__main__":
    raise SystemExit(main())

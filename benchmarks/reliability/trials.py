"""What trials have in common: a command, something that happens to it, and what came out."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.reliability.forked import Ended, run_command
from benchmarks.reliability.jobs import FileJob, Job

__all__ = ["Trial", "begun", "checked", "sentence", "summary", "trial_table", "uninterrupted"]

_TOLD = range(2, 12)
_MARK = "Error: "


@dataclass
class Trial:
    """A command to which something happened.

    Parameters
    ----------
    number : int
        Of the trial; with the seed it fixes what happens and when.
    job, event : str
        The command, and what happened.
    outcome : str
        ``"completed"``, or ``"told"`` where it ended with a sentence.
    said : str
        The sentence.
    problems : list of str
        What was wrong; empty where nothing was.
    """

    number: int
    job: str
    event: str
    outcome: str = ""
    said: str = ""
    problems: list[str] = field(default_factory=list)

    def judge(self, ended: Ended) -> None:
        """Note how the command ended, and whether it said why in one sentence."""
        self.outcome = "completed" if ended.code == 0 else "told"
        if ended.code == 0:
            return
        self.said = sentence(ended.said)
        if ended.code not in _TOLD or "Traceback" in ended.said or not self.said:
            self.problems.append(f"exit code {ended.code}: {ended.said.strip()[-400:]}")
        elif ended.said.count(_MARK) != 1 or not self.said.endswith((".", "?")):
            self.problems.append(f"no one sentence: {self.said}")


def sentence(said: str) -> str:
    """Return the line that tells an error; empty where there is none."""
    lines = [line for line in said.splitlines() if line.startswith(_MARK)]
    return lines[-1].removeprefix(_MARK) if lines else ""


def begun(job: Job, folder: Path) -> None:
    """Make a folder anew with what is there before a command."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    job.prepare(folder)


def checked(job: Job, folder: Path, log: Path) -> list[str]:
    """Return what is wrong with what a command left behind."""
    try:
        found = job.problems(folder)
    except Exception as error:  # anything that a half-written file may cause
        return [f"{type(error).__name__}: {error}"]
    for path in job.shown(folder):
        ended = run_command(["info", str(path), "--json"], log)
        if ended.code:
            found.append(f"info {path.name}: exit code {ended.code}: {ended.said.strip()[-300:]}")
    return found


def uninterrupted(job: Job, folder: Path, work: Path) -> tuple[dict[str, object], float]:
    """Run a command twice: what comes out is the same, and how long it takes."""
    taken, results = [], []
    for _ in range(2):
        begun(job, folder)
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


def summary(trials: Iterable[Trial], work: Path) -> dict[str, object]:
    """Return counts by command and event, the different sentences (`work` as WORK), and what was wrong."""
    counts: dict[str, dict[str, int]] = {}
    sentences: dict[str, str] = {}
    problems = []
    for trial in trials:
        row = counts.setdefault(f"{trial.job}: {trial.event}", {})
        row["trials"] = row.get("trials", 0) + 1
        row[trial.outcome] = row.get(trial.outcome, 0) + 1
        row["intact"] = row.get("intact", 0) + (not trial.problems)
        if trial.said:
            sentences.setdefault(
                f"{trial.job}: {trial.event}", trial.said.replace(str(work), "WORK")
            )
        problems += [f"{trial.number}, {trial.job}, {trial.event}: {p}" for p in trial.problems]
    return {"counts": counts, "sentences": sentences, "problems": problems}


def trial_table(pieces: Iterable[dict[str, dict[str, dict[str, int]]]], first: str) -> str:
    """Return the counts of several pieces by command as one Markdown table; `first` heads its first column."""
    total: dict[str, dict[str, int]] = {}
    for piece in pieces:
        for name, row in piece["counts"].items():
            own = total.setdefault(name.partition(":")[0], {})
            for key, count in row.items():
                own[key] = own.get(key, 0) + count
    keys = ("trials", "completed", "told", "intact")
    lines = [
        f"| {first} | trials | completed | ended in one sentence | intact, and then as if nothing had been |",
        "|---|---|---|---|---|",
    ]
    for name in sorted(total):
        lines.append(f"| {name} | {' | '.join(str(total[name].get(k, 0)) for k in keys)} |")
    sums = [sum(row.get(k, 0) for row in total.values()) for k in keys]
    lines.append(f"| all | {' | '.join(str(n) for n in sums)} |")
    return "\n".join(lines)

"""The tables of the documentation, from the file of results."""

from __future__ import annotations

from collections import Counter
from typing import Any

from benchmarks.reliability.fuzz import table as fuzz_table
from benchmarks.reliability.kills import kill_table
from benchmarks.reliability.trials import trial_table

__all__ = ["tables"]


def tables(results: dict[str, dict[str, Any]]) -> str:
    """Return a heading and a table for each trial that has results."""
    parts = []
    for trial, pieces in results.items():
        found = list(pieces.values())
        seconds = sum(piece["seconds"] for piece in found)
        problems = sum(len(piece["problems"]) for piece in found)
        parts.append(f"## {trial}\n\n{_table(trial, found)}\n\n{seconds} s, {problems} problems")
    return "\n\n".join(parts)


def _table(trial: str, pieces: list[dict[str, Any]]) -> str:
    if trial == "kills":
        return kill_table(pieces)
    if trial == "fuzz":
        return _fuzz(pieces)
    if trial == "giants":
        return _giants(pieces)
    return trial_table(pieces, "command" if trial == "disks" else "command and target")


def _fuzz(pieces: list[dict[str, Any]]) -> str:
    counts: dict[str, Counter[str]] = {key: Counter() for key in ("opened", "refused", "faults")}
    for piece in pieces:
        for key, counter in counts.items():
            counter.update(piece[key])
    words = fuzz_table(*(dict(counter) for counter in counts.values()))
    slowest = max(piece["slowest_s"] for piece in pieces)
    growth = max(piece["largest_growth_mb"] for piece in pieces)
    return f"{words}\n\nSlowest file {slowest:.1f} s, largest growth of memory {growth:.0f} MB."


def _giants(pieces: list[dict[str, Any]]) -> str:
    lines = ["| file | what is said | memory taken |", "|---|---|---|"]
    for piece in pieces:
        for row in piece["rows"]:
            lines.append(f"| {row['name']} | {row['said']} | {row['grown_mb']:.0f} MB |")
    return "\n".join(lines)

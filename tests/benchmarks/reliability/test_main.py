"""A few trials of each kind by the commands of the documentation; the long ones are run by hand."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from benchmarks.reliability.report import tables

from benchmarks.reliability import __main__ as reliability
from benchmarks.reliability import giants

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
pytestmark = [
    needs_fork,
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux"),
    # The trials fork, and the suite may have threads of its own; a child uses none of them.
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]


def run(tmp_path: Path, *words: str) -> dict[str, object]:
    path = tmp_path / "results.json"
    common = ["--work", str(tmp_path / "work"), "--json", str(path)]
    assert reliability.main([words[0], *common, *words[1:]]) == 0
    pieces = json.loads(path.read_text())[words[0]]
    assert tables({words[0]: pieces})
    return next(iter(pieces.values()))


def test_damaged_files_open_or_are_refused(tmp_path):
    found = run(tmp_path, "fuzz", "--count", "100", "--seed", "99")
    assert sum(found["opened"].values()) + sum(found["refused"].values()) == 100
    assert found["faults"] == {}


@pytest.mark.slow
def test_killed_commands_go_on(tmp_path):
    steps = ("--steps", "4", "--commands", "adapt")
    found = run(tmp_path, "kills", "--count", "2", *steps)
    assert found["rows"]["adapt"]["kills"] == 2


@pytest.mark.slow
def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path):
    found = run(tmp_path, "disks", "--count", "4", "--steps", "4")
    assert sum(row["intact"] for row in found["counts"].values()) == 4


@pytest.mark.slow
def test_a_target_that_changes_is_told_and_nothing_is_lost(tmp_path):
    found = run(tmp_path, "targets", "--count", "3", "--steps", "4")
    assert sum(row["intact"] for row in found["counts"].values()) == 3


@pytest.mark.parametrize("words", ["header that promises", "1 TB of zeros", "mmCIF"])
def test_giants_take_no_memory(tmp_path, words, monkeypatch):
    chosen = [giant for giant in giants.giant_files() if words in giant[0]][:3]
    monkeypatch.setattr(giants, "giant_files", lambda: chosen)
    found = run(tmp_path, "giants")
    assert len(found["rows"]) == len(chosen)
    assert all(row["grown_mb"] < 300 for row in found["rows"])

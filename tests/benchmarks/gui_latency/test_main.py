"""What the benchmark does with its figures; the window itself is in ``test_window.py``."""

from __future__ import annotations

import pytest
from benchmarks.gui_latency.plan import CLI, Plan

from benchmarks.gui_latency import __main__ as latency


@pytest.fixture
def plan(tmp_path):
    return Plan.make(tmp_path, 20, tiny=True)


def test_every_other_round_goes_backwards():
    assert latency.turns(2, ["process"]) == [CLI, "process", "process", CLI]


def test_the_phases_leave_the_warm_up_and_the_change_out(plan):
    assert plan.phases == {"rest": (6, 10), "scrolling": (12, 20)}


def test_a_row_holds_the_worst_wait_of_its_rounds_and_the_loss(plan):
    def wait(value):
        return {name: {"p95": value, "cpu": 0.1} for name in ("rest", "scrolling")}

    paces = {
        CLI: [dict.fromkeys(range(2, 21), 0.1)],
        "dock, process": [{step: 0.11 if step <= 10 else 0.2 for step in range(2, 21)}],
    }
    rows = latency.rows(
        plan, {"no run": [wait(1.0)], "dock, process": [wait(3.0), wait(60.0)]}, paces
    )
    by_name = {(row["way"], row["phase"]): row for row in rows}
    assert by_name["dock, process", "rest"]["p95"] == 60.0
    assert by_name["dock, process", "rest"]["loss"] == pytest.approx(0.1)
    assert by_name["dock, process", "scrolling"]["loss"] == pytest.approx(1.0)
    table = latency.markdown({"rows": rows})
    lines = [line for line in table.splitlines() if "dock, process | rest" in line]
    assert "**60**" in lines[0]  # misses its goal
    assert "| 10 % |" in lines[0]
    assert "**100 %**" in table

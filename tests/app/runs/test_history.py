from __future__ import annotations

import json
from pathlib import Path

from napari_voxuda.adaptation.events import Alarm, StepDone
from napari_voxuda.adaptation.run_folder import RunFolder
from napari_voxuda.app.runs.history import LogTail, RunHistory, last_step


def step(number: int, total: int = 10, loss: float = 1.0) -> StepDone:
    return StepDone(
        step=number,
        total=total,
        losses={"total": loss},
        coverage=0.5,
        foreground=0.1,
        learning_rate=1e-3,
        seconds_per_step=2.0,
    )


def test_a_log_is_read_piece_by_piece_and_a_line_under_way_waits(tmp_path: Path) -> None:
    alarm = Alarm(step=2, kind="all background", text="Step 2.", restored_step=0)
    with RunFolder.create(tmp_path / "run", {}) as run:
        tail = LogTail(run.path)
        assert tail.read() == RunHistory()
        for event in (step(1), step(2), alarm):
            run.log(event)
        assert tail.read() == RunHistory(steps=(step(1), step(2)), alarms=(alarm,))
        line = json.dumps({"event": "step", **vars(step(3))})
        with (run.path / "events.jsonl").open("a") as file:
            file.write(line[:20])
        assert len(tail.read().steps) == 2
        with (run.path / "events.jsonl").open("a") as file:
            file.write(line[20:] + "\n")
        assert tail.read().steps[-1] == step(3)


def test_steps_that_a_resumed_run_did_again_count_once(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", {}) as run:
        for event in (step(1), step(2), step(3), step(2, loss=5.0)):
            run.log(event)
        assert LogTail(run.path).read().steps == (step(1), step(2, loss=5.0))
        assert last_step(run.path) == 2


def test_lines_of_no_use_are_passed_over(tmp_path: Path) -> None:
    lines = ["nonsense", "[]", '{"event": "step"}', '{"event": "alarm", "step": 3}', "{}"]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n")
    assert LogTail(tmp_path).read() == RunHistory()
    assert last_step(tmp_path) == 0
    assert last_step(tmp_path / "none") == 0


def test_thinning_keeps_the_last_step() -> None:
    history = RunHistory(steps=tuple(step(n, 1001) for n in range(1, 1002)))
    kept = history.thinned(100).steps
    assert len(kept) <= 100
    assert kept[-1].step == 1001
    assert RunHistory().thinned() == RunHistory()

"""The run folder: one writer, nothing overwritten, nothing half-written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from napari_voxuda._types import Message, Progress
from napari_voxuda.adaptation.events import Alarm, StepDone
from napari_voxuda.adaptation.run_folder import RunFolder, read_events, read_record
from napari_voxuda.errors import FileFormatError, OutputError, RunBusyError, RunFolderError

STEP = StepDone(
    step=1,
    total=2,
    losses={"total": 0.5},
    coverage=0.1,
    foreground=0.2,
    learning_rate=1e-3,
    seconds_per_step=0.1,
)


def test_a_record_is_written_and_read(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "a" / "run", {"seed": 3}) as run:
        assert run.record["seed"] == 3
    record = read_record(tmp_path / "a" / "run")
    assert record["seed"] == 3
    assert record["format"] == 1
    assert record["created"].startswith("20")


def test_a_folder_that_holds_a_run_or_anything_else_is_refused(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", {}).close()
    with pytest.raises(RunFolderError, match=r"already holds a run.*--resume"):
        RunFolder.create(tmp_path / "run", {})
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("years of work")
    with pytest.raises(RunFolderError, match=r"holds 'thesis\.tex'"):
        RunFolder.create(tmp_path / "full", {})
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["thesis.tex"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="the run folder cannot be made"):
        RunFolder.create(tmp_path / "file" / "run", {})


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", {}):
        with pytest.raises(RunBusyError, match="another process is writing"):
            RunFolder.open(tmp_path / "run")
        with pytest.raises(RunBusyError):
            RunFolder.create(tmp_path / "run", {})
    RunFolder.open(tmp_path / "run").close()


def test_the_lock_of_a_killed_process_does_not_block(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from napari_voxuda.adaptation.run_folder import RunFolder\n"
        "RunFolder.create(Path(sys.argv[1]), {})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "run")], check=False)
    assert done.returncode == -9
    RunFolder.open(tmp_path / "run").close()


def test_the_newest_two_checkpoints_are_kept(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", {}) as run:
        assert run.latest_checkpoint() is None
        for step in (5, 10, 900, 1000):
            run.save_checkpoint(step, {"a": torch.tensor(step)}, {"step": step})
        names = sorted(p.name for p in (run.path / "checkpoints").iterdir())
        assert names == ["step-00000900.safetensors", "step-00001000.safetensors"]
        newest = run.latest_checkpoint()
        assert newest is not None
        assert newest.name == names[1]


def test_events_are_appended_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", {}) as run:
        run.log(STEP)
        run.log(Message(text="hello"))
        run.log(Progress(stage="x", done=0, total=1))
        run.log(Alarm(step=1, kind="no coverage", text="Oh.", restored_step=0))
    with (tmp_path / "run" / "events.jsonl").open("a") as file:
        file.write('{"event": "st')
    events = list(read_events(tmp_path / "run"))
    assert [e["event"] for e in events] == ["step", "message", "alarm"]
    assert events[0]["losses"] == {"total": 0.5}
    assert (events[2]["kind"], events[2]["text"]) == ("no coverage", "Oh.")


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"run\.json was not found"):
        read_record(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(FileFormatError, match="JSON was wanted"):
        read_record(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(FileFormatError, match="a run of format 1 was wanted"):
        read_record(tmp_path)


def test_a_run_is_finished_when_its_model_is_there(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", {}) as run:
        assert not run.is_finished
        run.save_model({"a": torch.zeros(1)}, {})
        assert run.is_finished


@pytest.mark.parametrize("name", ["settings", "source", "target", "provenance"])
def test_a_record_of_other_kinds_of_values_is_refused(tmp_path: Path, name: str) -> None:
    for value in ([], "a", 3, None):
        (tmp_path / "run.json").write_text(json.dumps({"format": 1, name: value}))
        with pytest.raises(FileFormatError, match=f"an object was wanted as '{name}'"):
            read_record(tmp_path)


def test_a_log_without_end_is_read_in_part(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    log.write_text(
        '{"event": "step", "step": 1}\n' + "[" * 5000 + '\n{"event": "step", "step": 2}\n'
    )
    assert [event["step"] for event in read_events(tmp_path)] == [1, 2]
    with log.open("ab") as stream:
        stream.truncate(1 << 36)
    assert [event["step"] for event in read_events(tmp_path)] == [1, 2]

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from napari_voxuda._types import Event, Message, Progress
from napari_voxuda.adaptation.events import Alarm
from napari_voxuda.cli.console import aligned, message, result, run_task, show_json

_Closed = list[str]


def _task(closed: _Closed, *, fail: bool = False) -> Generator[Event, None, int]:
    try:
        yield Progress(stage="Reading", done=0, total=2)
        yield Message(text="Protein looks dark.")
        yield Message(text="The voxel size is 0.", level="warning")
        yield Alarm(step=3, kind="not finite", text="Step 3, not finite.", restored_step=0)
        if fail:
            raise ValueError("broken")
        yield Progress(stage="Reading", done=2, total=2)
        return 42
    finally:
        closed.append("closed")


def test_a_task_returns_its_result_and_is_quiet_in_a_pipe(
    capsys: pytest.CaptureFixture[str],
) -> None:
    closed: _Closed = []
    assert run_task(_task(closed)) == 42
    shown = capsys.readouterr()
    assert shown.out == ""
    assert (
        shown.err
        == "Protein looks dark.\nWarning: The voxel size is 0.\nWarning: Step 3, not finite.\n"
    )
    assert closed == ["closed"]


def test_a_task_that_fails_is_closed_and_its_error_goes_on() -> None:
    closed: _Closed = []
    with pytest.raises(ValueError, match="broken"):
        run_task(_task(closed, fail=True))
    assert closed == ["closed"]


def test_messages_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    message("All is well.")
    message("It is not.", "error")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "All is well.\nError: It is not.\n")


def test_json_is_one_document_without_nan(capsys: pytest.CaptureFixture[str]) -> None:
    show_json(
        {
            "path": Path("a") / "b.mrc",
            "dice": np.float32(0.5),
            "count": np.int64(3),
            "nan": float("nan"),
            "list": (1, np.float64("inf"), None, True, "Å"),
        }
    )
    text = capsys.readouterr().out
    assert "Å" in text
    assert json.loads(text) == {
        "path": str(Path("a") / "b.mrc"),
        "dice": 0.5,
        "count": 3,
        "nan": None,
        "list": [1, None, None, True, "Å"],
    }


def test_columns_are_aligned_without_trailing_spaces() -> None:
    assert aligned([("name", "dice"), ("a", "0.5"), ("longer", "")]) == (
        "name    dice\na       0.5\nlonger"
    )


def test_what_has_no_bytes_is_shown_as_an_escape_sequence(capfd):
    message("half \ud800")
    result("half \udfff")
    show_json({"name": "\ud800"})
    out, err = capfd.readouterr()
    assert err == "half \\ud800\n"
    assert json.loads(out.partition("\n")[2]) == {"name": "\ud800"}


def test_a_table_holds_no_control_characters():
    assert aligned([["a\x1b[31m", "b\nc"]]) == "a\\x1b[31m  b\\nc"

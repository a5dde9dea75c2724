"""The command from end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from benchmarks.transfer.store import Store

from benchmarks.transfer import __main__ as command

ROWS = ["sphere", "source-only-A", "fast"]


def run(work: Path, *more: str) -> None:
    command.main(["--work", str(work), "--tier", "smoke", "--device", "cpu", *more])


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("transfer")
    run(work, "--rows", *ROWS)
    return work


def test_rows_are_measured_and_reported(done: Path) -> None:
    results = Store(done / "results.json").results
    assert [r.row for r in results] == ROWS
    assert all(set(r.classes) == {"ribosome", "proteasome", "chaperonin"} for r in results)
    assert all(r.machine.startswith("CPU") for r in results)
    table = (done / "table.md").read_text()
    assert table.count("\n|") == 5
    assert "| preset `fast` |" in table
    for name in ("bars.png", "features.png"):
        assert (done / name).read_bytes().startswith(b"\x89PNG")


def test_what_is_done_is_not_done_again(
    done: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def refuse(row: Any, *_: Any) -> Any:
        asked.append(row.name)
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "measure", refuse)
    run(done, "--rows", *ROWS)
    assert asked == []
    before = (done / "results.json").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        run(done, "--rows", *ROWS, "otsu")
    assert asked == ["otsu"]
    assert (done / "results.json").read_bytes() == before


def test_a_report_and_an_estimate_measure_nothing(
    done: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "measure", None)
    (done / "table.md").unlink()
    run(done, "--report")
    assert (done / "table.md").is_file()
    assert "preset `fast`" in capsys.readouterr().out
    run(done, "--estimate", "--rows", "fast", "default", "--seeds", "0", "1")
    assert "2 rows on subtomograms for 2 seeds: about " in capsys.readouterr().out


def test_a_changed_setting_is_a_row_of_its_own(done: Path, tmp_path: Path) -> None:
    run(done, "--json", str(tmp_path / "other.json"), "--rows", "fast", "--change", "noise=ngm")
    (result,) = Store(tmp_path / "other.json").results
    assert result.row == "fast, noise=ngm"


def test_ablations_alone_leave_the_rows_out(
    done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks.transfer.measure import Score

    monkeypatch.setattr(command, "measure", lambda *_: Score(iou=0.1, dice=0.2))
    run(done, "--json", str(tmp_path / "other.json"), "--ablations", "samples", "components")
    rows = [r.row for r in Store(tmp_path / "other.json").results]
    assert rows[0] == "samples: N = 5"
    assert len(rows) == 4 + 7


def test_what_is_not_at_hand_ends_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="error: transfer: the target 'scene' is not at hand"):
        run(tmp_path, "--targets", "scene")

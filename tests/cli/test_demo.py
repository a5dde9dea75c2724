from __future__ import annotations

import json
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from typer.testing import Result

import napari_voxuda.app.demo
from napari_voxuda._types import Event, Message
from napari_voxuda.app.demo import DemoJob, DemoResult

Invoke = Callable[..., Result]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[DemoJob]:
    """Replace the demo, which takes minutes and has its own test, and keep what it is asked."""
    jobs: list[DemoJob] = []

    def task(job: DemoJob) -> Generator[Event, None, DemoResult]:
        jobs.append(job)
        yield Message(text="Training: source only.")
        scores = {
            "source only": {"dice": 0.25, "iou": 1 / 7},
            "adapted": {"dice": 0.5, "iou": 1 / 3},
        }
        files = {"mask": job.out / "mask.mrc", "figure": job.out / "figure.png"}
        return DemoResult(out=job.out, scores=scores, files=files)

    monkeypatch.setattr(napari_voxuda.app.demo, "demo_task", task)
    return jobs


def test_scores_and_files_are_shown(invoke: Invoke, tmp_path: Path, asked: list[DemoJob]) -> None:
    outcome = invoke("demo", "--out", tmp_path / "demo", "--seed", "4")
    assert outcome.exit_code == 0, outcome.stderr
    assert (asked[0].out, asked[0].seed) == (tmp_path / "demo", 4)
    assert [line.split() for line in outcome.stdout.splitlines()] == [
        ["Dice", "IoU"],
        ["source", "only", "0.250", "0.143"],
        ["adapted", "0.500", "0.333"],
        [],
        ["mask", str(tmp_path / "demo" / "mask.mrc")],
        ["figure", str(tmp_path / "demo" / "figure.png")],
    ]
    assert outcome.stderr == "Training: source only.\n"


def test_json_is_one_document(invoke: Invoke, tmp_path: Path, asked: list[DemoJob]) -> None:
    told = json.loads(invoke("demo", "--out", tmp_path / "demo", "--json").stdout)
    assert told["scores"]["adapted"]["dice"] == 0.5
    assert told["files"]["mask"] == str(tmp_path / "demo" / "mask.mrc")


def test_a_folder_with_something_in_it_is_refused(
    invoke: Invoke, tmp_path: Path, asked: list[DemoJob]
) -> None:
    (tmp_path / "file").touch()
    outcome = invoke("demo", "--out", tmp_path)
    assert outcome.exit_code == 4
    assert "the folder is not empty" in outcome.stderr
    assert asked == []


def test_without_out_a_folder_that_is_not_taken_is_chosen(
    invoke: Invoke, tmp_path: Path, asked: list[DemoJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("demo", "demo-2", "demo-3"):
        assert invoke("demo").exit_code == 0
        assert asked[-1].out == Path(name)
        (tmp_path / name).mkdir()

"""A program whose window is closed during a run, as the benchmark starts and judges it."""

from __future__ import annotations

from pathlib import Path

from benchmarks import closing
from napari_voxuda.adaptation.run_folder import RunFolder


def test_the_state_of_a_run_is_told(tmp_path: Path) -> None:
    assert closing.state_of(tmp_path / "run") == "none"
    run = tmp_path / "run"
    RunFolder.create(run, {}).close()
    assert closing.state_of(run) == "resumable"
    (run / "model.safetensors").touch()
    assert closing.state_of(run) == "model"


def test_the_worst_case_of_each_place_is_in_its_row() -> None:
    case = {"place": "process", "seconds": 1.0, "code": 0, "raised": False, "state": "model"}
    changes = ({"seconds": 3.5}, {"code": -6}, {"raised": True, "state": "none"}, {})
    cases = [{**case, **change} for change in changes]
    table = closing.markdown({"machine": "here", "cases": cases})
    assert "| process | 4 | 3.50 | 1 | 2 | 3, 0, 1 |" in table
    assert "| thread |" not in table

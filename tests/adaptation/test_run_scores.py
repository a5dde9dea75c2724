from __future__ import annotations

from pathlib import Path

import pytest

from napari_voxuda.adaptation.run_folder import RunFolder
from napari_voxuda.adaptation.run_scores import (
    SCORES_FILE,
    RunScores,
    add_comparison,
    read_scores,
    write_expected_dice,
)
from napari_voxuda.errors import RunFolderError


@pytest.fixture
def run(tmp_path: Path) -> Path:
    RunFolder.create(tmp_path / "run", {}).close()
    return tmp_path / "run"


def test_expected_and_compared_scores_are_kept_side_by_side(run: Path) -> None:
    assert read_scores(run) == RunScores()
    write_expected_dice(run, 0.75)
    add_comparison(run, "truth.mrc", dice=0.5, iou=0.25)
    add_comparison(run, "other.mrc", dice=0.25, iou=0.125)
    write_expected_dice(run, 0.8)
    scores = read_scores(run)
    assert scores.expected_dice == 0.8
    assert [(c.truth, c.dice, c.iou) for c in scores.comparisons] == [
        ("truth.mrc", 0.5, 0.25),
        ("other.mrc", 0.25, 0.125),
    ]
    assert all(c.time for c in scores.comparisons)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"comparisons": [1]}', '{"expected_dice": []}'])
def test_a_damaged_file_counts_as_none(run: Path, text: str) -> None:
    (run / SCORES_FILE).write_text(text)
    assert read_scores(run) == RunScores()


def test_a_score_goes_into_a_run_only(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="a run folder was wanted"):
        add_comparison(tmp_path, "truth", dice=1.0, iou=1.0)
    assert list(tmp_path.iterdir()) == []

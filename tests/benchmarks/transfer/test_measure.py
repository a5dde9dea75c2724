"""Scores of masks, of baselines, and of a training that breaks down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.transfer.measure import can_run, measure, score, truth_checksum
from benchmarks.transfer.rows import ROWS
from benchmarks.transfer.targets import Target
from benchmarks.transfer.tiers import Tier

from benchmarks.transfer import measure as module
from napari_voxuda.errors import TrainingError
from napari_voxuda.io.mrc import read_mrc


def truth(target: Target, name: str) -> np.ndarray:
    return np.asarray(read_mrc(target.truth / f"{name}_mask.mrc").data)


def test_subtomograms_are_averaged_and_sorted_into_classes(cubes: Target) -> None:
    whole = truth(cubes, "ribosome_0")
    half = truth(cubes, "chaperonin_0").copy()
    half[:, 6:] = 0
    found = score({"ribosome_0": whole, "chaperonin_0": half}, cubes)
    assert found.classes["ribosome"] == [1.0, 1.0]
    assert found.classes["chaperonin"] == pytest.approx([0.5, 2 / 3])
    assert (found.iou, found.dice) == pytest.approx((0.75, 5 / 6))


def test_the_checksum_follows_the_truth_alone(cubes: Target, make_pair: Any) -> None:
    mark = truth_checksum(cubes)
    whole = truth(cubes, "ribosome_0")
    make_pair(cubes.truth, "ribosome_0", np.zeros(whole.shape), whole)
    assert truth_checksum(cubes) == mark
    whole = whole.copy()
    whole[0, 0, 0] = 1
    make_pair(cubes.truth, "ribosome_0", np.zeros(whole.shape), whole)
    assert truth_checksum(cubes) != mark


def test_a_tomogram_is_scored_whole_and_its_classes_around_their_molecules(
    tmp_path: Path, make_pair: Any
) -> None:
    volume = np.zeros((40, 40, 80))
    volume[10:14, 10:14, 10:14] = 1
    volume[10:14, 10:14, 60:64] = 1
    make_pair(tmp_path, "scene", -volume, volume)
    target = Target(
        name="tomogram",
        seed=0,
        adapt_to=tmp_path / "scene.mrc",
        segment=tmp_path / "scene.mrc",
        truth=tmp_path / "scene_mask.mrc",
        contrast="dark",
        particles=(("a", (11.5, 11.5, 11.5)), ("b", (11.5, 11.5, 61.5))),
    )
    mask = volume.astype(np.uint8)
    mask[:, :, 40:] = 0
    found = score({"scene": mask}, target)
    assert found.dice == pytest.approx(2 / 3)
    assert found.classes == {"a": [1.0, 1.0], "b": [0.0, 0.0]}
    assert measure(ROWS["oracle"], target, None, tmp_path, "cpu").dice > 0.8  # type: ignore[arg-type]


def test_baselines_need_no_network(cubes: Target, smoke: Tier, tmp_path: Path) -> None:
    scores = {
        name: measure(ROWS[name], cubes, smoke, tmp_path / "run", "cpu").dice
        for name in ("sphere", "otsu", "oracle")
    }
    assert scores["oracle"] > scores["otsu"] > scores["sphere"] > 0
    assert scores["oracle"] > 0.8
    assert not (tmp_path / "run").exists()


def test_rows_run_only_where_they_make_sense(cubes: Target, smoke: Tier) -> None:
    assert can_run(ROWS["sphere"], cubes, smoke)
    tomogram = replace(cubes, segment=cubes.segment / "ribosome_0.mrc")
    assert not can_run(ROWS["sphere"], tomogram, smoke)
    assert not can_run(ROWS["supervised"], cubes, smoke)
    assert can_run(ROWS["supervised"], replace(cubes, labelled=cubes.truth), smoke)
    assert can_run(ROWS["fast"], tomogram, smoke)


def test_a_training_that_breaks_down_scores_nothing_and_says_why(
    cubes: Target, smoke: Tier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(job: Any) -> Any:
        raise TrainingError("training: a finite loss was wanted, got nan.")

    monkeypatch.setattr(module, "adapt_task", broken)
    found = measure(ROWS["fast"], cubes, smoke, tmp_path / "run", "cpu")
    assert (found.dice, found.iou) == (0, 0)
    assert "got nan" in found.failure


def test_the_supervised_row_trains_and_what_an_interrupted_run_left_is_replaced(
    cubes: Target, smoke: Tier, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "left over").touch()
    target = replace(cubes, labelled=cubes.truth)
    found = measure(ROWS["supervised"], target, smoke, run, "cpu")
    assert 0 <= found.dice <= 1
    assert found.seconds > found.seconds_per_step > 0
    assert (run / "model.safetensors").is_file()
    assert not (run / "left over").exists()
    assert not (run / "checkpoints").exists()

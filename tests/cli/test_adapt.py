from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from napari_voxuda.adaptation.settings import PRESETS
from napari_voxuda.networks.checkpoint import load_model

Invoke = Callable[..., Result]
_SMALL = (
    *("--preset", "fast", "--steps", "2", "--batch", "2", "--network-stem", "2"),
    *("--network-body", "4", "--noise-samples", "2", "--checkpoint-every", "1"),
    *("--source-variety", "fixed", "--source-box", "16", "--source-count", "4"),
    *("--source-neighbours", "0"),
)


def _record(run: Path) -> dict[str, object]:
    record: dict[str, object] = json.loads((run / "run.json").read_text())
    return record


def test_the_run_records_the_preset_with_the_changes_given(model: Path) -> None:
    settings = _record(model)["settings"]
    assert isinstance(settings, dict)
    assert settings["steps"] == 2
    assert settings["network"]["stem"] == 2
    assert settings["network"]["head"] == PRESETS["fast"].network.head
    assert settings["learning_rate"] == PRESETS["fast"].learning_rate
    assert settings["denoise"]["method"] == PRESETS["fast"].denoise.method


def test_contrast_seed_and_voxel_size_are_recorded(
    invoke: Invoke, files: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    target = ("--target", files / "voxel0.mrc", "--voxel-size", "12.5", "--contrast", "dark")
    outcome = invoke("adapt", *target, *_SMALL, "--seed", "5", "--out", run, "--json")
    assert outcome.exit_code == 0, outcome.stderr
    assert json.loads(outcome.stdout) == {"run": str(run), "steps": 2}
    record = _record(run)
    assert (record["seed"], record["contrast"]) == (5, "dark")
    assert load_model(run).voxel_size_angstrom == 12.5


def test_a_folder_of_subtomograms_and_a_folder_of_pairs(
    invoke: Invoke, files: Path, tmp_path: Path
) -> None:
    folder = files / "subtomograms"
    run = tmp_path / "made" / "run"
    words = ("--target", folder, "--source", folder, *_SMALL, "--contrast", "bright")
    outcome = invoke("adapt", *words, "--out", run)
    assert (outcome.exit_code, outcome.stdout) == (0, f"{run}: 2 steps done\n"), outcome.stderr
    assert load_model(run).normalisation == "subtomogram"
    source = _record(run)["source"]
    assert isinstance(source, dict)
    assert source["kind"] == "folder"


@pytest.fixture
def unfinished(model: Path, tmp_path: Path) -> Path:
    """Return a run that was killed after its first step."""
    run = tmp_path / "run"
    shutil.copytree(model, run)
    (run / "model.safetensors").unlink()
    (run / "checkpoints" / "step-00000002.safetensors").unlink()
    return run


def test_resume_needs_nothing_but_the_run(invoke: Invoke, model: Path, unfinished: Path) -> None:
    outcome = invoke("adapt", "--resume", "--out", unfinished)
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.stdout == f"{unfinished}: 2 steps done\n"
    resumed, whole = (load_model(r).network.state_dict() for r in (unfinished, model))
    assert all(bool((resumed[name] == whole[name]).all()) for name in whole)


def test_resume_says_that_other_settings_do_not_count(invoke: Invoke, unfinished: Path) -> None:
    outcome = invoke("adapt", "--resume", "--out", unfinished, "--steps", "9")
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.stdout == f"{unfinished}: 2 steps done\n"
    assert "Warning: With --resume the run's own source and settings are used." in outcome.stderr


def test_resume_refuses_another_target(invoke: Invoke, files: Path, unfinished: Path) -> None:
    target = ("--target", files / "other_shape.mrc")
    outcome = invoke("adapt", "--resume", *target, "--out", unfinished)
    assert outcome.exit_code == 5
    assert "start a new run" in outcome.stderr


def test_a_step_that_does_not_fit_into_memory_is_told_recorded_and_gone_on_with(
    invoke: Invoke, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_voxuda.adaptation import training

    real = training.adaptation_step

    def crowded(learner: Any, source: Any, *rest: Any, **options: Any) -> Any:
        if len(source.images) > 2:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return real(learner, source, *rest, **options)

    monkeypatch.setattr(training, "adaptation_step", crowded)
    run = tmp_path / "run"
    words = ("--target", files / "tomogram.mrc", *_SMALL, "--contrast", "dark", "--batch", "4")
    outcome = invoke("adapt", *words, "--out", run)
    assert outcome.exit_code == 0, outcome.stderr
    told = "Step 1, out of memory: a step with 4 boxes did not fit."
    assert f"Warning: {told}" in outcome.stderr
    assert _record(run)["smaller_batches"] == [{"step": 1, "batch": 2}]
    log = (run / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in log if '"alarm"' in line] == ["out of memory"]
    facts = json.loads(invoke("info", run, "--json").stdout)
    assert facts["alarms"][0]["text"].startswith(told)
    assert told in invoke("info", run).stdout


def test_a_check_tells_what_a_run_would_need_and_writes_nothing(
    invoke: Invoke, files: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    target = ("--target", files / "voxel0.mrc", "--voxel-size", "12.5", "--contrast", "dark")
    outcome = invoke("adapt", *target, *_SMALL, "--out", run, "--check")
    assert outcome.exit_code == 0, outcome.stderr
    assert "4 of 16³ voxels (200 Å) at random places" in outcome.stdout
    assert "protein is dark, as chosen" in outcome.stdout
    assert str(run) in outcome.stdout
    told = json.loads(invoke("adapt", *target, *_SMALL, "--out", run, "--check", "--json").stdout)
    assert (told["steps"], told["batch"], told["out"]) == (2, 2, str(run))
    assert not run.exists()
    assert invoke("adapt", "--resume", "--out", run, "--check").exit_code == 2


def test_a_tomogram_and_its_labels_are_a_source(
    invoke: Invoke, files: Path, tmp_path: Path
) -> None:
    from napari_voxuda.io.mrc import read_mrc, write_mask

    image = files / "voxel0.mrc"
    volume = read_mrc(image)
    labels = volume.with_data((volume.data > volume.data.mean()).astype("uint8"))
    write_mask(tmp_path / "labels.mrc", labels)
    words = ("--target", image, "--voxel-size", "12.5", *_SMALL, "--out", tmp_path / "run")
    pair = ("--source", image, "--source-labels", tmp_path / "labels.mrc")
    outcome = invoke("adapt", *words, *pair, "--contrast", "bright")
    assert outcome.exit_code == 0, outcome.stderr
    assert (tmp_path / "run" / "source-labels.mrc").is_file()
    outcome = invoke("adapt", *words, *pair[2:], "--contrast", "bright")
    assert outcome.exit_code == 2
    assert "--source-labels" in outcome.stderr

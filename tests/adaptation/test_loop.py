"""The loop: its events, its repeatability, and going on from disk to the same losses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from napari_voxuda._types import Event, Message, Progress
from napari_voxuda.adaptation import self_labels
from napari_voxuda.adaptation.events import CheckpointSaved, Preview, StepDone
from napari_voxuda.adaptation.learner import Learner
from napari_voxuda.adaptation.loop import CALIBRATION_BOXES, adapt
from napari_voxuda.adaptation.run_folder import RunFolder
from napari_voxuda.adaptation.self_labels import LABELLED_BOXES
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.adaptation.target_pool import predict_pool
from napari_voxuda.errors import FileFormatError, TrainingError
from napari_voxuda.method.expected_dice import (
    mean_size_share,
    mean_size_threshold,
    share_threshold,
)
from napari_voxuda.networks.checkpoint import read_tensors
from napari_voxuda.networks.voxresnet import VoxResNet

from .conftest import BlobSource, BlobTarget


def start(settings: AdaptSettings, run: RunFolder | None = None, seed: int = 0) -> Any:
    return adapt(
        BlobSource(),
        BlobTarget(),
        settings,
        source_count=20,
        seed=seed,
        device=torch.device("cpu"),
        run=run,
    )


def finish(task: Any) -> tuple[list[Event], Learner]:
    events = []
    try:
        while True:
            events.append(next(task))
    except StopIteration as stop:
        return events, stop.value


def losses(events: list[Event]) -> list[dict[str, float]]:
    return [e.losses for e in events if isinstance(e, StepDone)]


def test_events_tell_the_run(tiny: AdaptSettings, tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", {}) as run:
        events, _ = finish(start(tiny, run))
    progress = [(e.stage, e.done, e.total) for e in events if isinstance(e, Progress)]
    assert [it[1:] for it in progress[:3]] == [(0, 20), (16, 20), (20, 20)]
    counted = [(done, CALIBRATION_BOXES) for done in range(0, CALIBRATION_BOXES + 1, 16)]
    assert progress[3:] == [("Choosing the threshold", *it) for it in counted]
    steps = [e for e in events if isinstance(e, StepDone)]
    assert [e.step for e in steps] == [1, 2, 3, 4, 5, 6]
    assert all(e.total == 6 and e.seconds_per_step > 0 for e in steps)
    assert [e.step for e in events if isinstance(e, Preview)] == [3, 6]
    assert [e.step for e in events if isinstance(e, CheckpointSaved)] == [2, 4, 6]
    preview = next(e for e in events if isinstance(e, Preview))
    assert preview.image.shape == preview.probability.shape == (16, 16)
    assert isinstance(events[-1], Message)
    assert "threshold" in events[-1].text


def test_the_target_is_labelled_once(tiny: AdaptSettings) -> None:
    settings = replace(tiny, steps=10, pseudo_labels="ranked", pseudo_start=0.5)
    events, learner = finish(start(settings))
    stages = [
        e.stage for e in events if isinstance(e, (Progress, StepDone)) and hasattr(e, "stage")
    ]
    assert stages.count("Labelling the target") == LABELLED_BOXES // 16 + 1
    kinds = ["step" if isinstance(e, StepDone) else getattr(e, "stage", "") for e in events]
    assert kinds[: kinds.index("Labelling the target")].count("step") == 5
    steps = [e for e in events if isinstance(e, StepDone)]
    assert [e.coverage > 0 for e in steps] == [False] * 5 + [True] * 5
    assert [e.losses["pseudo"] > 0 for e in steps] == [False] * 5 + [True] * 5
    assert learner.labeller is not None


def test_the_threshold_is_for_the_steady_prediction(tiny: AdaptSettings) -> None:
    _, learner = finish(start(replace(tiny, mirrors=False, smooth_voxels=0.0)))
    _, steady = finish(start(replace(tiny, mirrors=True, smooth_voxels=2.0)))
    assert learner.threshold != steady.threshold
    _, left = finish(start(replace(tiny, calibrate=False)))
    assert left.threshold == 0.5


def test_the_mask_is_as_large_as_it_was_seen_before_the_labels_were_learnt(
    tiny: AdaptSettings,
) -> None:
    settings = replace(tiny, steps=12, pseudo_labels="ranked", pseudo_start=0.5)
    _, learner = finish(start(settings))

    def predicted(network: VoxResNet | None) -> torch.Tensor:
        assert network is not None
        task = predict_pool(
            network, BlobTarget(), settings, 0, count=CALIBRATION_BOXES, stage="again"
        )
        try:
            while True:
                next(task)
        except StopIteration as stop:
            return stop.value[1]

    before, after = predicted(learner.labeller), predicted(learner.teacher)
    assert learner.threshold == share_threshold(after, mean_size_share(before))
    assert learner.threshold != mean_size_threshold(after)  # else nothing is tested


def test_labels_that_would_come_after_the_last_step_are_not_made(tiny: AdaptSettings) -> None:
    events, learner = finish(start(replace(tiny, pseudo_labels="ranked", pseudo_start=1.0)))
    assert "Labelling the target" not in [e.stage for e in events if isinstance(e, Progress)]
    assert learner.labeller is None


def test_the_seed_decides_everything(tiny: AdaptSettings) -> None:
    first, second, other = (losses(finish(start(tiny, seed=seed))[0]) for seed in (0, 0, 1))
    assert first == second
    assert first != other


@pytest.mark.parametrize("pseudo_labels", ["balanced", "ranked"])
@pytest.mark.parametrize("stop_after", [1, 2, 3, 5, 6])
def test_resumed_losses_equal_those_of_the_uninterrupted_run(
    tiny: AdaptSettings,
    tmp_path: Path,
    stop_after: int,
    pseudo_labels: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(self_labels, "LABELLED_BOXES", 16)
    tiny = replace(tiny, pseudo_labels=pseudo_labels)
    whole, learner = finish(start(tiny))
    with RunFolder.create(tmp_path / "run", {}) as run:
        task = start(tiny, run)
        seen: list[Event] = []
        while len(losses(seen)) < stop_after:
            seen.append(next(task))
        task.close()
    with RunFolder.open(tmp_path / "run") as run:
        rest, resumed = finish(start(tiny, run))
    assert losses(seen) + losses(rest) == losses(whole)
    for name, value in learner.weights().items():
        assert torch.equal(value, resumed.weights()[name]), name
    assert resumed.threshold == learner.threshold


def test_a_run_killed_between_checkpoints_repeats_the_lost_steps(
    tiny: AdaptSettings, tmp_path: Path
) -> None:
    whole, _ = finish(start(tiny))
    run = RunFolder.create(tmp_path / "run", {})
    task = start(tiny, run)
    seen: list[Event] = []
    while len(losses(seen)) < 3:
        seen.append(next(task))
    run.close()  # killed: nothing after the checkpoint of step 2 is saved
    with RunFolder.open(tmp_path / "run") as again:
        rest, _ = finish(start(tiny, again))
    task.close()
    assert losses(rest) == losses(whole)[2:]


def test_a_damaged_checkpoint_is_set_aside_for_the_one_before(
    tiny: AdaptSettings, tmp_path: Path
) -> None:
    whole, _ = finish(start(tiny))
    run = RunFolder.create(tmp_path / "run", {})
    task = start(tiny, run)
    seen: list[Event] = []
    while len(losses(seen)) < 5:
        seen.append(next(task))
    run.close()  # killed after the checkpoints of steps 2 and 4
    newest = run.latest_checkpoint()
    assert newest is not None
    newest.write_bytes(newest.read_bytes()[:-100])
    with RunFolder.open(tmp_path / "run") as again:
        rest, _ = finish(start(tiny, again))
    task.close()
    assert losses(rest) == losses(whole)[2:]
    told = [event.text for event in rest if isinstance(event, Message)]
    assert told[0].startswith(f"The checkpoint {newest.name} is damaged; the one before it is used")
    assert newest.with_name(f"{newest.name}.damaged").exists()


def test_a_diverged_run_keeps_its_last_good_state(
    tiny: AdaptSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RunFolder.create(tmp_path / "run", {}) as run:
        task = start(tiny, run)
        for event in task:
            if isinstance(event, CheckpointSaved):
                break
        monkeypatch.setattr(
            "napari_voxuda.adaptation.step.segmentation_loss",
            lambda logits, *_: logits.sum() * float("nan"),
        )
        with pytest.raises(TrainingError, match="not finite at step 3"):
            finish(task)
        newest = run.latest_checkpoint()
        assert newest is not None
        tensors, _ = read_tensors(newest)
        for name, value in Learner(tiny, torch.device("cpu"), 0).weights().items():
            assert torch.equal(tensors[name], value), name  # the only copy was that of the start


def test_a_checkpoint_that_is_no_full_state_is_refused(tiny: AdaptSettings, tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", {}) as run:
        run.save_checkpoint(1, {"a": torch.zeros(1)}, {"step": 1})
        with pytest.raises(FileFormatError, match="does not fit this run's network"):
            finish(start(tiny, run))


def test_the_source_is_simulated_once(tiny: AdaptSettings) -> None:
    source = BlobSource()
    finish(adapt(source, BlobTarget(), tiny, source_count=20, seed=0, device=torch.device("cpu")))
    assert source.drawn == 20

"""Snapshots: bounded in number, readable as models, and the same after a stop or a kill."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from napari_voxuda._params import to_dict
from napari_voxuda._types import Event
from napari_voxuda.adaptation.events import SnapshotKept, StepDone
from napari_voxuda.adaptation.learner import Learner
from napari_voxuda.adaptation.loop import adapt
from napari_voxuda.adaptation.run_folder import RunFolder
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.adaptation.snapshots import MOST_SNAPSHOTS, is_due, snapshots
from napari_voxuda.networks.checkpoint import load_model

from .conftest import BlobSource, BlobTarget


def start(settings: AdaptSettings, run: RunFolder) -> Generator[Event, None, Learner]:
    card = {
        "network": to_dict(settings.network),
        "contrast": "dark",
        "normalisation": "volume",
        "voxel_size_angstrom": 10.0,
        "weights": "teacher",
    }
    return adapt(
        BlobSource(),
        BlobTarget(),
        settings,
        source_count=20,
        seed=0,
        device=torch.device("cpu"),
        run=run,
        card=card,
    )


def content(run: Path) -> dict[str, bytes]:
    return {snapshot.path.name: snapshot.path.read_bytes() for snapshot in snapshots(run)}


@pytest.mark.parametrize("steps", [1, 5, 19, 20, 21, 39, 40, 41, 600, 56_400])
def test_they_are_bounded_in_number_and_hold_the_last_step(steps: int) -> None:
    due = [step for step in range(steps + 1) if is_due(step, steps)]
    assert min(steps, MOST_SNAPSHOTS // 2) <= len(due) <= MOST_SNAPSHOTS
    assert due[-1] == steps
    assert due[0] > 0


def test_a_snapshot_is_the_teacher_of_its_step(tiny: AdaptSettings, tmp_path: Path) -> None:
    kept: dict[int, torch.Tensor] = {}
    with RunFolder.create(tmp_path / "run", {}) as run:
        task = start(tiny, run)
        told = []
        try:
            while True:
                event = next(task)
                if isinstance(event, SnapshotKept):
                    told.append((event.step, event.path))
        except StopIteration as stop:
            learner = stop.value
    assert told == [(s.step, s.path) for s in snapshots(tmp_path / "run")]
    assert [step for step, _ in told] == [1, 2, 3, 4, 5, 6]
    for step, path in told:
        model = load_model(path)
        assert model.contrast == "dark"
        kept[step] = next(model.network.parameters())
    assert not torch.equal(kept[1], kept[6])
    assert torch.equal(kept[6], next(learner.teacher.parameters()))


@pytest.mark.parametrize("close", [True, False])
@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_stopped_or_killed_run_leaves_the_snapshots_of_one_that_was_not(
    tiny: AdaptSettings, tmp_path: Path, stop_after: int, close: bool
) -> None:
    with RunFolder.create(tmp_path / "whole", {}) as run:
        list(start(tiny, run))
    with RunFolder.create(tmp_path / "run", {}) as run:
        task = start(tiny, run)
        while True:
            event = next(task)
            if isinstance(event, StepDone) and event.step == stop_after:
                break
        if close:
            task.close()  # between step and snapshot
    (tmp_path / "run" / "snapshots").mkdir(exist_ok=True)
    (tmp_path / "run" / "snapshots" / ".step-00000002.safetensors.part").write_bytes(b"half")
    with RunFolder.open(tmp_path / "run") as run:
        list(start(tiny, run))
    assert content(tmp_path / "run") == content(tmp_path / "whole")
    assert not list((tmp_path / "run" / "snapshots").glob(".*"))


def test_runs_without_snapshots_have_none(tmp_path: Path) -> None:
    assert snapshots(tmp_path) == []
    folder = tmp_path / "snapshots"
    folder.mkdir()
    (folder / "step-1.safetensors").touch()
    (folder / "step-00000001.safetensors.damaged").touch()
    assert snapshots(tmp_path) == []


def test_few_snapshots_of_many_steps(tiny: AdaptSettings, tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", {}) as run:
        list(start(replace(tiny, steps=42, checkpoint_every=1000, preview_every=1000), run))
    steps = [snapshot.step for snapshot in snapshots(tmp_path / "run")]
    assert steps == [*range(3, 43, 3)]

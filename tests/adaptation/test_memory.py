"""Memory that runs out: the same step again with fewer boxes, written down, and alike after a restart."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from napari_voxuda._types import Event
from napari_voxuda.adaptation import learner, training
from napari_voxuda.adaptation.events import Alarm, CheckpointSaved, StepDone
from napari_voxuda.adaptation.learner import Learner
from napari_voxuda.adaptation.memory import recorded_batch
from napari_voxuda.adaptation.run_folder import RunFolder, read_events, read_record
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.errors import FileFormatError, NoMemoryError

from .conftest import finish, start

CUDA_WORDS = "CUDA out of memory. Tried to allocate 2.00 GiB."
CPU_WORDS = "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 1e12 bytes"


@pytest.fixture
def settings(tiny: AdaptSettings) -> AdaptSettings:
    return replace(tiny, steps=5, batch=8, checkpoint_every=100)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that gives room for so many boxes from a step on, half-way through the step."""
    real, real_step = Learner.optimise, training.adaptation_step

    def room(boxes: int, from_step: int = 1, error: Exception | None = None) -> None:
        def watched(made: Learner, source: Any, *rest: Any, **options: Any) -> Any:
            fits = len(source.images) <= boxes or options["step"] + 1 < from_step

            def optimise(self: Learner, loss: torch.Tensor) -> None:
                real(self, loss)
                if not fits:  # the weights have changed already
                    raise error or RuntimeError(CUDA_WORDS)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(learner.Learner, "optimise", optimise)
                return real_step(made, source, *rest, **options)

        monkeypatch.setattr(training, "adaptation_step", watched)

    return room


def losses(events: list[Event]) -> list[dict[str, float]]:
    return [e.losses for e in events if isinstance(e, StepDone)]


def same(a: Learner, b: Learner) -> bool:
    return all(torch.equal(value, b.tensors()[name]) for name, value in a.tensors().items())


@pytest.mark.parametrize(
    "error", [RuntimeError(CUDA_WORDS), RuntimeError(CPU_WORDS), MemoryError()]
)
def test_a_step_that_does_not_fit_is_tried_again_with_half_the_boxes(
    settings: AdaptSettings, room: Callable[..., None], error: Exception
) -> None:
    small, small_learner = finish(start(replace(settings, batch=4)))
    room(4, error=error)
    events, found = finish(start(settings))
    (alarm,) = (e for e in events if isinstance(e, Alarm))
    assert (alarm.step, alarm.kind, alarm.restored_step) == (1, "out of memory", 0)
    assert "8 boxes did not fit" in alarm.text
    assert "from here on a step has 4 boxes" in alarm.text
    # The broken step has left no trace: all is as if the batch had been 4 from the start.
    assert losses(events) == losses(small)
    assert same(found, small_learner)


def test_it_is_halved_as_often_as_it_must_be(
    settings: AdaptSettings, room: Callable[..., None]
) -> None:
    room(2, from_step=3)
    events, _ = finish(start(settings))
    alarms = [e for e in events if isinstance(e, Alarm)]
    assert [(a.step, a.restored_step) for a in alarms] == [(3, 2), (3, 2)]
    assert [e.step for e in events if isinstance(e, StepDone)] == [1, 2, 3, 4, 5]


def test_another_error_ends_the_run(settings: AdaptSettings, room: Callable[..., None]) -> None:
    room(4, error=RuntimeError("shapes do not fit"))
    with pytest.raises(RuntimeError, match="shapes"):
        finish(start(settings))


def test_the_run_folder_keeps_what_happened(
    settings: AdaptSettings, room: Callable[..., None], tmp_path: Path
) -> None:
    room(2, from_step=3)
    with RunFolder.create(tmp_path / "run", {"seed": 0}) as run:
        for event in finish(start(settings, run))[0]:
            run.log(event)
    record = read_record(tmp_path / "run")
    assert record["smaller_batches"] == [{"step": 3, "batch": 4}, {"step": 3, "batch": 2}]
    assert record["seed"] == 0
    told = [e for e in read_events(tmp_path / "run") if e["event"] == "alarm"]
    assert [e["kind"] for e in told] == ["out of memory"] * 2
    assert json.dumps(record)


@pytest.mark.parametrize("stop_at", [2, 3, 4])
def test_a_run_that_was_killed_goes_on_with_the_smaller_batch_and_like_one_that_was_not(
    settings: AdaptSettings,
    room: Callable[..., None],
    learners: list[Learner],
    tmp_path: Path,
    stop_at: int,
) -> None:
    room(4, from_step=3)
    whole, learner = finish(start(settings))
    with RunFolder.create(tmp_path / "run", {}) as run:
        task = start(replace(settings, checkpoint_every=2), run)
        for event in task:
            if isinstance(event, CheckpointSaved) and event.step == stop_at:
                break
            if isinstance(event, Alarm) and stop_at == 3:
                break  # between alarm and step
        run.close()  # killed: nothing more is saved
    with RunFolder.open(tmp_path / "run") as run:
        rest, resumed = finish(start(settings, run))
    assert losses(rest) == losses(whole)[-len(losses(rest)) :]
    assert [e.step for e in rest if isinstance(e, Alarm)] == ([3] if stop_at == 2 else [])
    assert same(resumed, learner)


def test_where_nothing_smaller_is_possible_the_run_ends_with_words_and_can_go_on(
    settings: AdaptSettings, room: Callable[..., None], tmp_path: Path
) -> None:
    room(1, from_step=3)
    with (
        RunFolder.create(tmp_path / "run", {}) as run,
        pytest.raises(NoMemoryError, match=r"step 3, .*smallest batch, 2 boxes of 16³ voxels"),
    ):
        finish(start(settings, run))
    room(2)
    with RunFolder.open(tmp_path / "run") as run:
        events, _ = finish(start(settings, run))
    assert [e.step for e in events if isinstance(e, StepDone)] == [3, 4, 5]


@pytest.mark.parametrize("entries", [3, [3], [{}], [{"batch": "a"}], [{"batch": None}]])
def test_a_damaged_record_of_batches_is_refused(tmp_path, entries):
    with (
        RunFolder.create(tmp_path / "run", {"smaller_batches": entries}) as run,
        pytest.raises(FileFormatError, match="numbers of boxes were wanted"),
    ):
        recorded_batch(run, 8)

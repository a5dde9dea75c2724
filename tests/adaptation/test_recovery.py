"""Going back to the last good state: exactly, a few times, and alike after a restart."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from napari_voxuda._types import Event
from napari_voxuda.adaptation import health, recovery, step, training
from napari_voxuda.adaptation.events import Alarm, CheckpointSaved, StepDone
from napari_voxuda.adaptation.learner import Learner, learning_rate
from napari_voxuda.adaptation.recovery import Recovery
from napari_voxuda.adaptation.run_folder import RunFolder, read_events
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.adaptation.step import StepOutcome
from napari_voxuda.errors import FileFormatError, TrainingError
from napari_voxuda.networks.checkpoint import read_tensors

from .conftest import CPU, finish, start

State = dict[str, torch.Tensor]


@pytest.fixture
def settings(tiny: AdaptSettings) -> AdaptSettings:
    return replace(
        tiny, steps=16, consistency_weight=0.0, discriminator_weight=0.0, pseudo_labels="none"
    )


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge and copy within a few steps."""
    monkeypatch.setattr(health, "_WINDOW", 3)
    monkeypatch.setattr(recovery, "_COPY_EVERY", 4)


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that makes the images of the named steps NaN."""
    real = training.adaptation_step

    def spoil(*bad: int) -> None:
        def spoilt(learner: Learner, source: Any, *rest: Any, **options: Any) -> StepOutcome:
            if options["step"] + 1 in bad:
                nan = torch.full_like(source.images, float("nan"))
                source = replace(source, images=nan, clean=nan)
            return real(learner, source, *rest, **options)

        monkeypatch.setattr(training, "adaptation_step", spoilt)

    return spoil


def alarms(events: list[Event]) -> list[Alarm]:
    return [event for event in events if isinstance(event, Alarm)]


def told(events: list[Event]) -> list[Any]:
    """Return what must not differ between two runs of the same seed."""
    return [
        event if isinstance(event, Alarm) else (event.step, event.losses, event.learning_rate)
        for event in events
        if isinstance(event, Alarm | StepDone)
    ]


def copied(learner: Learner) -> State:
    return {name: value.clone() for name, value in learner.tensors().items()}


def assert_same(one: State, other: State) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


@pytest.mark.usefixtures("hasty")
def test_a_nan_takes_the_whole_state_back_each_time(
    settings: AdaptSettings, spoil: Callable[..., None], learners: list[Learner]
) -> None:
    spoil(5, 7)
    good: State = {}
    restored = []
    events = []
    for event in start(settings):
        events.append(event)
        if isinstance(event, StepDone) and event.step == 4:
            good = copied(learners[0])
        if isinstance(event, Alarm):
            assert_same(copied(learners[0]), good)
            restored.append(event.restored_step)
    assert restored == [4, 4]
    assert [e.step for e in events if isinstance(e, StepDone)] == [
        n for n in range(1, 17) if n not in (5, 7)
    ]
    rates = {e.step: e.learning_rate for e in events if isinstance(e, StepDone)}
    for number, factor in ((4, 1.0), (6, 0.5), (8, 0.25), (16, 0.25)):
        assert rates[number] == factor * learning_rate(number - 1, settings)
    first = alarms(events)[0]
    assert (first.step, first.kind) == (5, "not finite")
    assert "The state of step 4 was restored" in first.text
    assert "0.5 times" in first.text
    assert all(torch.isfinite(v).all() for v in learners[0].weights().values())


@pytest.mark.usefixtures("hasty")
def test_a_gradient_that_is_not_finite_is_taken_back_too(
    settings: AdaptSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = step.segmentation_loss, [0]

    def steep(logits: torch.Tensor, *rest: Any) -> torch.Tensor:
        seen[0] += 1
        loss = real(logits, *rest)
        # The slope of a root at 0 is infinite, its value is not.
        return loss + (logits - logits.detach()).abs().sum().sqrt() if seen[0] == 3 else loss

    monkeypatch.setattr(step, "segmentation_loss", steep)
    events, learner = finish(start(settings))
    assert [(alarm.step, alarm.kind) for alarm in alarms(events)] == [(3, "not finite")]
    assert all(torch.isfinite(v).all() for v in learner.weights().values())


def test_the_fourth_collapse_ends_the_run_and_names_them(
    settings: AdaptSettings, spoil: Callable[..., None], tmp_path: Path
) -> None:
    spoil(*range(3, 17))
    words = r"after 3 roll-backs: not finite at step 3, .*smaller learning rate"
    with RunFolder.create(tmp_path / "run", {}) as run:
        with pytest.raises(TrainingError, match=words):
            finish(start(settings, run))
        newest = run.latest_checkpoint()
    assert newest is not None
    # Only good states are on disk.
    assert all(torch.isfinite(v.float()).all() for v in read_tensors(newest)[0].values())


def test_alarms_that_ended_a_run_end_it_again_after_a_restart(
    settings: AdaptSettings, spoil: Callable[..., None], tmp_path: Path
) -> None:
    spoil(1, 2, 3, 4)
    with RunFolder.create(tmp_path / "run", {}) as run:
        task = start(settings, run)
        seen: list[Event] = []
        while len(alarms(seen)) < 4:
            seen.append(next(task))
        assert "the run ends" in alarms(seen)[-1].text
        task.close()
        with pytest.raises(TrainingError, match="after 3 roll-backs"):
            finish(start(settings, run))


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("stop_after", [3, 5, 6, 9])
def test_a_run_resumed_after_an_alarm_equals_the_uninterrupted_one(
    settings: AdaptSettings, spoil: Callable[..., None], tmp_path: Path, stop_after: int
) -> None:
    spoil(6, 11)
    whole, learner = finish(start(settings))
    assert [alarm.step for alarm in alarms(whole)] == [6, 11]
    with RunFolder.create(tmp_path / "run", {}) as run:
        task = start(settings, run)
        seen: list[Event] = []
        while len(told(seen)) < stop_after:
            seen.append(next(task))
        task.close()
    with RunFolder.open(tmp_path / "run") as run:
        rest, resumed = finish(start(settings, run))
    # Where the run was closed between alarm and step, that step is not told.
    assert told(seen) + told(rest) == told(whole)
    assert_same(resumed.weights(), learner.weights())


@pytest.mark.usefixtures("hasty")
def test_a_run_killed_after_an_alarm_repeats_it(
    settings: AdaptSettings, spoil: Callable[..., None], tmp_path: Path
) -> None:
    """The checkpoint of step 6 holds the copy of step 4, to which the alarm of step 7 goes back."""
    spoil(7)
    whole, learner = finish(start(settings))
    run = RunFolder.create(tmp_path / "run", {})
    task = start(settings, run)
    seen: list[Event] = []
    while not alarms(seen):
        seen.append(next(task))
    run.close()  # killed: the checkpoint is that of step 6
    with RunFolder.open(tmp_path / "run") as again:
        rest, resumed = finish(start(settings, again))
    task.close()
    assert alarms(rest) == alarms(seen) == alarms(whole)
    assert told(rest) == told(whole)[6:]
    assert_same(resumed.weights(), learner.weights())


@pytest.mark.usefixtures("hasty")
def test_pseudo_labels_that_collapse_are_left_out_from_there_on(
    settings: AdaptSettings, tmp_path: Path
) -> None:
    """No voxel of a network that has hardly begun is as sure as a pseudo-label must be."""
    labels = replace(settings, pseudo_labels="confident", pseudo_start=0.2, pseudo_ramp=0.0)

    with RunFolder.create(tmp_path / "whole", {}) as run:
        whole, learner = finish(start(labels, run))
    (alarm,) = alarms(whole)
    assert alarm.kind == "no coverage"
    assert "from here on pseudo-labels are left out" in alarm.text
    steps = [event for event in whole if isinstance(event, StepDone)]
    assert len(steps) == 16
    # The planned learning rate is kept.
    assert steps[-1].learning_rate == learning_rate(15, labels)
    with RunFolder.create(tmp_path / "run", {}) as run:
        task = start(labels, run)
        seen: list[Event] = []
        while not alarms(seen):
            seen.append(next(task))
        task.close()
        rest, resumed = finish(start(labels, run))
    assert [e.step for e in rest if isinstance(e, StepDone)] == list(range(alarm.step + 1, 17))
    assert told(rest) == told(whole)[-len(told(rest)) :]
    assert_same(resumed.weights(), learner.weights())


def test_a_teacher_that_calls_everything_foreground_is_caught_in_a_real_run(
    settings: AdaptSettings, tmp_path: Path
) -> None:
    """Every voxel is labelled by the likelier class, and that loss outweighs all others."""
    driven = replace(
        settings,
        steps=48,
        pseudo_labels="confident",
        confidence=0.5,
        pseudo_start=0.0,
        pseudo_ramp=0.0,
        pseudo_weight=100.0,
        checkpoint_every=100,
    )
    with RunFolder.create(tmp_path / "run", {}) as run:
        events = []
        for event in start(driven, run):
            run.log(event)
            events.append(event)
    (alarm,) = alarms(events)
    assert (alarm.kind, alarm.restored_step) == ("all foreground", 20)
    after = [e for e in events if isinstance(e, StepDone) and e.step > alarm.step]
    assert len(after) > 5
    assert all(event.losses["pseudo"] == event.coverage == 0 for event in after)
    (logged,) = [e for e in read_events(run.path) if e["event"] == "alarm"]
    assert (logged["kind"], logged["step"]) == (alarm.kind, alarm.step)
    assert logged["text"] == alarm.text


@pytest.mark.usefixtures("hasty")
def test_a_prediction_that_dies_is_seen_without_pseudo_labels(
    settings: AdaptSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look at the segmenting network tells, and the learning rate is halved."""
    monkeypatch.setattr(health, "_CHECK_WINDOW", 2)
    monkeypatch.setattr(recovery, "CHECK_EVERY", 1)
    real = training.adaptation_step

    def dying(learner: Learner, *rest: Any, **options: Any) -> StepOutcome:
        outcome = real(learner, *rest, **options)
        if options["step"] == 9:
            with torch.no_grad():
                learner.teacher.head_v6.classifier.bias -= 40
        return outcome

    monkeypatch.setattr(training, "adaptation_step", dying)
    events, _ = finish(start(settings))
    (alarm,) = alarms(events)
    assert alarm.kind == "all background"
    assert "the network calls 0.00% of the target foreground" in alarm.text
    assert "0.5 times" in alarm.text


def test_a_healthy_run_raises_no_alarm_and_keeps_its_newest_copy(
    settings: AdaptSettings, learners: list[Learner], tmp_path: Path
) -> None:
    long = replace(settings, steps=64, learning_rate=1e-2, checkpoint_every=64)
    good: State = {}
    with RunFolder.create(tmp_path / "run", {}) as run:
        for event in start(long, run):
            assert not isinstance(event, Alarm)
            if isinstance(event, StepDone) and event.step == 60:
                good = copied(learners[0])
            if isinstance(event, CheckpointSaved):
                tensors, metadata = read_tensors(event.path)
    assert metadata["recovery"]["good_step"] == 60
    assert metadata["recovery"]["alarms"] == []
    kept = {k.removeprefix("good."): v for k, v in tensors.items() if k.startswith("good.")}
    assert_same(kept, good)


def test_a_state_that_is_not_finite_is_not_copied(settings: AdaptSettings) -> None:
    learner = Learner(settings, CPU, 0)
    watcher = Recovery(learner, settings)
    first = {name: value.clone() for name, value in watcher.tensors().items()}
    outcome = StepOutcome(losses={"segmentation": 0.1}, coverage=0.0, foreground=0.0)
    running = learner.student.state_dict()
    name = next(name for name in running if name.endswith("running_var"))
    running[name].fill_(float("inf"))
    for number in range(1, 41):
        assert watcher.watch(number, outcome, lambda: 0.1) is None
    assert_same(watcher.tensors(), first)


def test_a_checkpoint_without_a_good_state_counts_as_one(
    settings: AdaptSettings, tmp_path: Path
) -> None:
    """Such were written before there were alarms."""
    with RunFolder.create(tmp_path / "run", {}) as run:
        old = Learner(settings, CPU, 3)
        state = torch.Generator().manual_seed(1).get_state()
        run.save_checkpoint(2, old.tensors() | {"generator": state}, {"step": 2, "model": None})
        task = start(replace(settings, steps=4), run)
        events, _ = finish(task)
        assert [e.step for e in events if isinstance(e, StepDone)] == [3, 4]
        tensors, metadata = read_tensors(run.path / "checkpoints" / "step-00000004.safetensors")
    assert metadata["recovery"]["good_step"] == 2
    for name, value in old.weights().items():
        assert torch.equal(tensors[f"good.{name}"], value)


@pytest.mark.parametrize("damage", ["tensors", "state"])
def test_a_damaged_good_state_is_refused(
    settings: AdaptSettings, tmp_path: Path, damage: str
) -> None:
    with RunFolder.create(tmp_path / "run", {}) as run:
        learner = Learner(settings, CPU, 0)
        watcher = Recovery(learner, settings)
        tensors = learner.tensors() | {"generator": torch.Generator().get_state()}
        state = watcher.state()
        if damage == "state":
            tensors |= watcher.tensors()
            del state["rate_factor"]
        run.save_checkpoint(2, tensors, {"step": 2, "recovery": state})
        with pytest.raises(FileFormatError, match="not a full state"):
            finish(start(settings, run))


def outcome(predicted: float) -> StepOutcome:
    return StepOutcome(
        losses={"segmentation": 0.1}, coverage=0.0, foreground=0.0, predicted=predicted
    )


def watch(watcher: Recovery, numbers: range, predicted: float) -> list[int]:
    """Return the steps that raise an alarm."""
    found = []
    for number in numbers:
        if watcher.watch(number, outcome(predicted), lambda: 0.03) is not None:
            found.append(number)
    return found


def test_a_restored_watcher_remembers_what_it_has_read(settings: AdaptSettings) -> None:
    one, other = (Recovery(Learner(settings, CPU, 0), replace(settings, steps=600)) for _ in "ab")
    assert watch(one, range(1, 201), 0.03) == []
    assert watch(one, range(201, 208), 0.6) == []
    other.load(207, one.tensors(), json.loads(json.dumps(one.state())))
    assert watch(one, range(208, 220), 0.6) == watch(other, range(208, 220), 0.6) == [211]


def test_a_state_taken_back_is_judged_as_it_was_then(settings: AdaptSettings) -> None:
    """The copy of step 40 had 20 steps of warm-up before it, and has them again."""
    watcher = Recovery(Learner(settings, CPU, 0), replace(settings, steps=600))
    assert watch(watcher, range(1, 50), 0.03) == []
    alarm = watcher.watch(50, None, lambda: 0.03)
    assert alarm is not None
    assert alarm.restored_step == 40
    assert watch(watcher, range(51, 100), 1.0) == [50 + 20 + 20]

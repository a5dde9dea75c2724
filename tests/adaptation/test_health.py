"""The rules: each collapse is named, and nothing honest is."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from napari_voxuda.adaptation.health import CHECK_EVERY, HealthMonitor, Reading, Verdict

STEPS = 600
WARM_UP = 60


def feed(
    monitor: HealthMonitor, steps: Iterable[int], **curves: Callable[[int], float]
) -> tuple[int, Verdict] | None:
    """Feed curves over the steps until the first verdict."""
    for step in steps:
        values: dict[str, Any] = {
            name: curve(step)
            for name, curve in curves.items()
            if name != "network" or step % CHECK_EVERY == 0
        }
        verdict = monitor.feed(Reading(**values))
        if verdict is not None:
            return step, verdict
    return None


def healthy(monitor: HealthMonitor, until: int = 300, level: float = 0.03) -> None:
    flat = dict.fromkeys(("labels", "student", "network"), lambda _: level)
    assert (
        feed(monitor, range(1, until), loss=lambda _: 0.1, coverage=lambda _: 0.9, **flat) is None
    )
    assert monitor.calm


@pytest.mark.parametrize(
    ("gauge", "value", "kind"),
    [
        ("coverage", 0.0, "no coverage"),
        ("coverage", 5e-4, "no coverage"),
        ("labels", 0.0, "all background"),
        ("student", 1e-5, "all background"),
        ("network", 1e-5, "all background"),
        ("labels", 0.99, "all foreground"),
        ("student", 1.0, "all foreground"),
        ("network", 0.99, "all foreground"),
        ("labels", 0.6, "runaway foreground"),
        ("student", 0.5, "runaway foreground"),
        ("network", 0.5, "runaway foreground"),
    ],
)
def test_each_collapse_is_named_by_the_gauge_that_sees_it(
    gauge: str, value: float, kind: str
) -> None:
    monitor = HealthMonitor(STEPS)
    healthy(monitor)
    found = feed(monitor, range(300, 400), **{gauge: lambda _: value})
    assert found is not None
    step, verdict = found
    assert (verdict.kind, verdict.gauge) == (kind, gauge)
    if gauge != "coverage":
        assert verdict.start == pytest.approx(0.03)
    # Not at once, and within two windows.
    window = 8 * CHECK_EVERY if gauge == "network" else 20
    assert 300 + window // 2 - CHECK_EVERY <= step <= 300 + 2 * window


def test_what_is_not_finite_alarms_at_once_even_in_the_first_step() -> None:
    for reading in (
        Reading(finite=False),
        Reading(student=math.nan),
        Reading(network=math.inf),
    ):
        verdict = HealthMonitor(STEPS).feed(reading)
        assert verdict is not None
        assert verdict.kind == "not finite"


@pytest.mark.parametrize("fraction", [0.005, 0.02, 0.1, 0.4, 0.6])
def test_honest_targets_of_any_crowding_raise_no_alarm(fraction: float) -> None:
    """From 50 % down (or up) to the true fraction, in noisy steps of six boxes."""
    draw = random.Random(round(fraction * 1e4))

    def prediction(step: int) -> float:
        blend = fraction + (0.5 - fraction) * math.exp(-step / 25)
        odds = blend / (1 - blend) * draw.lognormvariate(0, 0.7)
        return odds / (1 + odds)

    def sparse(step: int) -> float:
        # Six boxes of 32 voxels may well hold none of the molecules, of 800 voxels each.
        empty = math.exp(-6 * 32**3 * fraction / 800)
        return fraction / 20 if draw.random() < empty else prediction(step)

    monitor = HealthMonitor(STEPS)
    found = feed(
        monitor,
        range(1, STEPS + 1),
        loss=lambda step: 0.05 + math.exp(-step / 30),
        coverage=lambda step: 0.9 if step > 100 else 0.0 if step < 50 else 0.3,
        labels=sparse,
        student=prediction,
        network=sparse,
    )
    assert found is None
    assert monitor.calm


def test_a_slow_rise_to_a_crowded_target_is_honest_but_a_fast_one_is_not() -> None:
    def rise(over: float) -> Callable[[int], float]:
        odds = lambda step: 0.02 * (0.6 / 0.02) ** min(1.0, max(0, step - 400) / over)  # noqa: E731
        return lambda step: odds(step) / (1 + odds(step))

    slow, fast = HealthMonitor(2000), HealthMonitor(2000)
    assert feed(slow, range(1, 2000), student=rise(1500)) is None
    found = feed(fast, range(1, 2000), student=rise(20))
    assert found is not None
    assert found[1].kind == "runaway foreground"


def test_single_odd_steps_and_a_few_full_boxes_are_passed_over() -> None:
    monitor = HealthMonitor(STEPS)
    healthy(monitor, until=200)
    odd = lambda step: 1.0 if step % 3 == 0 else 0.03  # noqa: E731
    assert feed(monitor, range(200, 300), student=odd, labels=odd) is None
    rare = lambda step: 0.1 if step % 15 == 0 else 1e-6  # noqa: E731
    assert feed(monitor, range(300, 400), student=rare) is None


def test_a_target_that_was_empty_from_the_start_is_not_called_collapsed() -> None:
    monitor = HealthMonitor(STEPS)
    assert feed(monitor, range(1, 300), student=lambda _: 4e-4) is None
    assert feed(monitor, range(300, 400), student=lambda _: 1e-4) is None
    found = feed(monitor, range(400, 500), student=lambda _: 1e-6)
    assert found is not None
    assert found[1].kind == "all background"


def test_pseudo_labels_that_never_hold_foreground_alarm_without_a_healthy_past() -> None:
    found = feed(HealthMonitor(STEPS), range(1, 200), coverage=lambda _: 0.5, labels=lambda _: 0.0)
    assert found is not None
    assert found[0] == WARM_UP + 20
    assert found[1].kind == "all background"


@pytest.mark.parametrize(("steps", "first"), [(20, None), (100, 40), (600, 80)])
def test_nothing_is_judged_before_warm_up_and_a_full_window(steps: int, first: int | None) -> None:
    found = feed(HealthMonitor(steps), range(1, steps + 1), student=lambda _: 1.0)
    assert (None if found is None else found[0]) == first


def test_a_collapse_that_has_begun_ends_the_calm_before_it_alarms() -> None:
    for gauge, value in (("student", 0.9), ("labels", 0.0), ("coverage", 0.0), ("student", 1e-5)):
        monitor = HealthMonitor(STEPS)
        healthy(monitor)
        calm = []
        for _ in range(40):
            if monitor.feed(Reading(**{gauge: value})) is not None:
                break
            calm.append(monitor.calm)
        assert not calm[5], gauge
        assert len(calm) > 8


def test_a_jump_of_the_loss_ends_the_calm_alone() -> None:
    monitor = HealthMonitor(STEPS)
    healthy(monitor)
    assert monitor.feed(Reading(loss=0.9)) is None
    assert monitor.calm
    assert monitor.feed(Reading(loss=1.2)) is None
    assert not monitor.calm
    steady = HealthMonitor(STEPS)
    assert feed(steady, range(1, 100), loss=lambda _: 5.0) is None
    assert steady.calm


def test_a_restart_empties_the_windows_and_remembers_what_is_usual() -> None:
    monitor = HealthMonitor(STEPS)
    healthy(monitor)
    assert feed(monitor, range(300, 400), student=lambda _: 0.5) is not None
    monitor.restart()
    assert monitor.calm
    found = feed(monitor, range(400, 500), student=lambda _: 0.5)
    assert found is not None
    assert found[0] == 419
    assert found[1].kind == "runaway foreground"


@pytest.mark.parametrize("at", [5, 70, 300, 309])
def test_a_monitor_restored_from_json_judges_alike(at: int) -> None:
    def curve(step: int) -> float:
        return 0.03 if step < 300 else 0.5

    whole, first, second = (HealthMonitor(STEPS) for _ in range(3))
    expected = feed(whole, range(1, 400), student=curve, loss=lambda step: 1 / step)
    feed(first, range(1, at), student=curve, loss=lambda step: 1 / step)
    second.load(json.loads(json.dumps(first.state())))
    found = feed(second, range(at, 400), student=curve, loss=lambda step: 1 / step)
    assert found == expected
    assert expected is not None
    assert second.state() == whole.state()


def test_a_state_of_something_else_is_refused() -> None:
    with pytest.raises(KeyError):
        HealthMonitor(STEPS).load({"losses": []})


def test_what_does_not_look_well_never_becomes_usual() -> None:
    """From 3 % to 27 %, odds 12 times the usual: too little for an alarm, too much for calm."""
    monitor = HealthMonitor(STEPS)
    healthy(monitor)
    assert feed(monitor, range(300, 1300), student=lambda _: 0.27) is None
    assert not monitor.calm

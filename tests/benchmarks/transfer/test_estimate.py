"""The estimate: earlier results first, else what a training is made of."""

from __future__ import annotations

from typing import Any

from benchmarks.transfer.estimate import seconds_of
from benchmarks.transfer.rows import ROWS
from benchmarks.transfer.tiers import TIERS


def guess(row: str, tier: str = "cpu") -> float:
    return seconds_of(ROWS[row], TIERS[tier], [], "cpu")


def test_more_flows_and_larger_networks_take_longer() -> None:
    assert guess("otsu") < guess("source-only") < guess("dann") < guess("voxuda-ngm")
    assert guess("fast") < guess("default")
    assert guess("fast", "smoke") < 2
    assert guess("source-only", "gpu") > 100 * guess("source-only")


def test_what_a_row_took_before_counts(make_result: Any) -> None:
    results = [make_result(seed=0, seconds=40.0), make_result(seed=1, seconds=60.0)]
    assert seconds_of(ROWS["fast"], TIERS["cpu"], results, "cpu") == 50
    assert seconds_of(ROWS["fast"], TIERS["gpu"], results, "cpu") != 50


def test_the_cpu_tier_fits_into_about_an_hour() -> None:
    tier = TIERS["cpu"]
    rows = [seconds_of(ROWS[name], tier, [], "cpu") for name in tier.rows]
    assert sum(rows) * len(tier.targets) * len(tier.seeds) < 3900

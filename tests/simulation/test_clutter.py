from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_voxuda.simulation.catalogue import Catalogue, make_catalogue
from napari_voxuda.simulation.clutter import GOLD_CONTRAST
from napari_voxuda.simulation.placement import Draw, draw_box
from napari_voxuda.simulation.settings import SourceSettings

SETTINGS = SourceSettings(
    variety="fixed",
    neighbours=3,
    empty_fraction=0.1,
    small_proteins=10,
    gold_fraction=0.3,
    membrane_fraction=0.3,
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return make_catalogue(SETTINGS)


def draws(settings: SourceSettings, catalogue: Catalogue, count: int) -> list[Draw]:
    return [draw_box(settings, catalogue, np.random.default_rng(seed)) for seed in range(count)]


@pytest.fixture(scope="module")
def found(catalogue: Catalogue) -> list[Draw]:
    return draws(SETTINGS, catalogue, 200)


def test_the_fractions_are_as_stated(found: list[Draw]) -> None:
    kinds = [[d.kind for d in draw.distractors] for draw in found]
    assert np.mean(["gold bead" in k for k in kinds]) == pytest.approx(0.3, abs=0.09)
    assert np.mean(["membrane" in k for k in kinds]) == pytest.approx(0.3, abs=0.09)
    small = np.array([k.count("small protein") for k in kinds])
    assert small.min() == 0
    assert small.max() <= 10
    assert small.mean() == pytest.approx(5, abs=1.0)


def test_nothing_touches_a_molecule(found: list[Draw], catalogue: Catalogue) -> None:
    for draw in found[:40]:
        for placement in draw.placements:
            points = placement.apply(catalogue[placement.molecule].points)
            for distractor in draw.distractors:
                others = distractor.points[:: max(1, len(distractor.points) // 300)]
                apart = np.linalg.norm(points[::8, None] - others[None], axis=2)
                assert apart.min() > 0.4


def test_gold_and_membranes_reach_into_the_box(found: list[Draw]) -> None:
    for draw in found:
        for distractor in draw.distractors:
            if distractor.kind != "small protein":
                inside = ((distractor.points >= 0) & (distractor.points <= 31)).all(axis=1)
                assert inside.any()
            if distractor.kind == "gold bead":
                volume = 4 / 3 * np.pi * np.ptp(distractor.points, axis=0).max() ** 3 / 8
                assert (
                    0.6 * GOLD_CONTRAST[0]
                    < distractor.weights.sum() / volume
                    < 2 * GOLD_CONTRAST[1]
                )


def test_molecules_stay_the_same_without_distractors(catalogue: Catalogue) -> None:
    without = replace(SETTINGS, small_proteins=0, gold_fraction=0.0, membrane_fraction=0.0)
    some = replace(SETTINGS, gold_fraction=0.0, membrane_fraction=0.0)
    for one, other in zip(draws(without, catalogue, 20), draws(some, catalogue, 20), strict=True):
        assert one.distractors == ()
        assert one.snr == other.snr
        assert [p.molecule for p in one.placements] == [p.molecule for p in other.placements]
        for a, b in zip(one.placements, other.placements, strict=True):
            np.testing.assert_array_equal(a.centre, b.centre)


def test_the_published_source_has_none() -> None:
    settings = SourceSettings.paper()
    assert all(not d.distractors for d in draws(settings, make_catalogue(settings), 20))

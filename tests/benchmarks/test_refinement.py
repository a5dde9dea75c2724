"""The benchmark of corrections: where they are made, and its table."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest
from benchmarks.refinement import __main__ as refinement

from napari_voxuda.adaptation.refine_settings import RefineSettings

SHAPE = (24, 40, 40)


@pytest.fixture
def mask():
    values = np.zeros(SHAPE, bool)
    values[4:12, 4:20, 4:20] = True
    return values


@pytest.fixture
def uncertainty():
    return np.random.default_rng(0).random(SHAPE).astype(np.float32)


def test_a_brush_is_a_ball_inside_the_volume():
    whole = refinement.brush((12, 20, 20), SHAPE)
    assert len(whole) == 257
    assert (((whole - (12, 20, 20)) ** 2).sum(1) <= 16).all()
    corner = refinement.brush((0, 0, 39), SHAPE)
    assert (corner >= 0).all()
    assert (corner < SHAPE).all()
    assert 0 < len(corner) < len(whole)


def test_corrections_tell_the_truth_once_for_each_voxel(mask):
    found = refinement.corrections_at([(8, 4, 10), (8, 6, 10)], mask)
    assert len(np.unique(found.positions, axis=0)) == len(found) < 2 * 257
    np.testing.assert_array_equal(found.foreground, mask[tuple(found.positions.T)])
    assert 0 < found.foreground.sum() < len(found)


@pytest.mark.parametrize("way", list(refinement.WAYS))
def test_as_many_places_are_chosen_in_each_way(way, mask, uncertainty):
    places = refinement.choose_places(way, mask, uncertainty, seed=1)
    assert len(places) == refinement.CORRECTIONS
    assert refinement.choose_places(way, mask, uncertainty, seed=1) == places
    if way == "random-foreground":
        assert all(mask[place] for place in places)
    if way == "guided":
        apart = np.abs(np.array(places)[:, None] - np.array(places)[None]).max(-1)
        assert (apart[~np.eye(len(places), dtype=bool)] > refinement.RADIUS).all()
    else:
        assert refinement.choose_places(way, mask, uncertainty, seed=2) != places


def test_guided_places_are_the_uncertain_ones(mask):
    uncertainty = np.zeros(SHAPE, np.float32)
    uncertainty[8:13, 20:25, 28:33] = 1.0
    (first, *_) = refinement.choose_places("guided", mask, uncertainty, seed=0)
    assert np.abs(np.array(first) - (10, 22, 30)).max() <= 2


def test_the_table_has_a_row_for_each_seed_and_the_means():
    ways = {way: {"painted": 0.5, "refined": 0.6} for way in refinement.WAYS}
    other = {way: {"painted": 0.7, "refined": 0.7} for way in refinement.WAYS}
    rows = [{"seed": 4, "before": 0.4, **ways}, {"seed": 5, "before": 0.6, **other}]
    lines = refinement.markdown(rows).splitlines()
    assert lines[2] == "| 4 | 0.400 |" + " 0.500, 0.600 |" * 3
    assert lines[-1] == "| mean | 0.500 |" + " 0.600, 0.650 |" * 3


@pytest.mark.slow
def test_it_runs_from_the_tomogram_to_the_table(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(refinement, "WAYS", {"guided": "most uncertain places"})
    monkeypatch.setattr(refinement, "RefineSettings", partial(RefineSettings, source_count=2))
    small = "--shape 16 40 40 --molecules 3 --steps 2 --source 4 --refine-steps 1 --device cpu"
    arguments = ["--work", str(tmp_path / "work"), "--seeds", "0", *small.split()]
    refinement.main([*arguments, "--json", str(tmp_path / "out.json")])
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["settings"]["refine_steps"] == 1
    (row,) = content["rows"]
    assert all(0 <= row[way]["refined"] <= 1 for way in refinement.WAYS)
    assert all(row[way]["painted"] >= row["before"] for way in refinement.WAYS)
    refinement.main(arguments)  # nothing is made again
    assert "| 0 |" in capsys.readouterr().out

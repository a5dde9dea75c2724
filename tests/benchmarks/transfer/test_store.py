"""Results on disk: what counts as done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchmarks.transfer.rows import ROWS, ablation_rows, changed_row
from benchmarks.transfer.store import Store, fingerprint
from benchmarks.transfer.targets import Target
from benchmarks.transfer.tiers import Tier

from napari_voxuda.errors import FileFormatError


def test_results_are_found_again(tmp_path: Path, make_result: Any) -> None:
    store = Store(tmp_path / "results.json")
    store.add(make_result())
    store.add(make_result(seed=1, failure="training: got nan"))
    again = Store(store.path)
    assert again.results == store.results
    assert again.find("a", 1, "t") == store.results[1]
    assert again.find("a", 2, "t") is None
    assert again.find("b", 0, "t") is None
    assert again.find("a", 1, "another draw") is None


def test_a_result_takes_the_place_of_the_same_one_alone(tmp_path: Path, make_result: Any) -> None:
    store = Store(tmp_path / "results.json")
    for changes in ({}, {"fingerprint": "b"}, {"dice": 0.7}):
        store.add(make_result(**changes))
    assert [(r.fingerprint, r.dice) for r in store.results] == [("b", 0.5), ("a", 0.7)]


def test_one_training_serves_two_rows(tmp_path: Path, make_result: Any) -> None:
    store = Store(tmp_path / "results.json")
    done = make_result()
    store.add(done)
    wanted = make_result(table="samples", row="samples: N = 10", title="N = 10", dice=0.0)
    store.reuse(done, wanted)
    store.reuse(done, done)
    assert [(r.row, r.dice) for r in store.results] == [("fast", 0.5), ("samples: N = 10", 0.5)]


def test_other_files_are_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    for text in ("[]", "no json", '{"format": 0, "results": []}', '{"format": 1, "results": [{}]}'):
        file.write_text(text)
        with pytest.raises(FileFormatError, match="results of this benchmark were wanted"):
            Store(file)
        assert file.read_text() == text


def test_the_fingerprint_follows_settings_source_and_target(cubes: Target, smoke: Tier) -> None:
    fast = ROWS["fast"]
    mark = fingerprint(fast, cubes, smoke)
    assert mark == fingerprint(fast, replace(cubes, seed=5), smoke)
    others = {
        fingerprint(changed_row(fast, ["ema_decay=0.5"]), cubes, smoke),
        fingerprint(changed_row(fast, ["segment.roundness=0.5"]), cubes, smoke),
        fingerprint(fast, replace(cubes, facts={"molecules": 1}), smoke),
        fingerprint(fast, replace(cubes, name="tomogram"), smoke),
        fingerprint(fast, cubes, replace(smoke, source_count=5)),
        fingerprint(ROWS["source-only"], cubes, smoke),
        fingerprint(ROWS["source-only-A"], cubes, smoke),
        fingerprint(ROWS["supervised"], cubes, smoke),
        fingerprint(ROWS["otsu"], cubes, smoke),
        fingerprint(ROWS["oracle"], cubes, smoke),
    }
    assert len(others | {mark}) == 11


def test_the_same_training_under_two_names_has_one_fingerprint(cubes: Target, smoke: Tier) -> None:
    everything = next(ablation_rows(("components",)))
    ten = list(ablation_rows(("samples",)))[1]
    marks = {fingerprint(row, cubes, smoke) for row in (everything, ten, ROWS["voxuda-ngm"])}
    assert len(marks) == 1

"""Targets: which data a split may see, and that volume and truth move together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.transfer.targets import make_target, target_names
from benchmarks.transfer.tiers import Tier

from napari_voxuda.errors import InputError
from napari_voxuda.io.folders import find_pairs, find_subtomograms
from napari_voxuda.io.mrc import read_mrc


@pytest.fixture
def data(tmp_path: Path, make_pair: Any) -> Path:
    """Return a stand-in for the real data: the truth is where the values are large."""
    rng = np.random.default_rng(0)
    for tomogram in ("Unt_050", "Unt_076"):
        for number in range(3):
            values = rng.normal(size=(16, 16, 16)).astype(np.float32)
            name = f"{tomogram}_{number:06d}_subtomo"
            make_pair(tmp_path / "data" / "ribosome70S", name, values, values > 1)
    return tmp_path / "data"


def names(folder: Path) -> set[str]:
    return {path.stem for path in find_subtomograms(folder)}


def test_the_dev_split_does_not_see_the_tomograms_of_the_final_table(tmp_path: Path) -> None:
    assert set(target_names("dev", tmp_path)).isdisjoint({"scene", "microtubule"})
    assert {"scene", "microtubule"} <= set(target_names("final", tmp_path))
    assert target_names("final", None) == ("subtomograms", "tomogram")


def test_what_is_not_at_hand_is_said(smoke: Tier, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'ribosomes' is not at hand; give --data FOLDER"):
        make_target("ribosomes", "dev", 0, smoke, tmp_path)
    with pytest.raises(InputError, match="it is in the split final alone"):
        make_target("scene", "dev", 0, smoke, tmp_path, data=tmp_path)


def test_the_final_ribosomes_are_not_those_of_dev(smoke: Tier, tmp_path: Path, data: Path) -> None:
    scored, adapted, learnt = {}, {}, {}
    for split in ("dev", "final"):
        for name in ("ribosomes", "ribosomes-unseen"):
            target = make_target(name, split, 0, smoke, tmp_path / "t", data=data)
            scored[split, name] = {n[:7] for n in names(target.segment)}
            adapted[split, name] = {n[:7] for n in names(target.adapt_to)}
            assert target.labelled is not None
            learnt[split, name] = {n.partition("_")[2][:7] for n in names(target.labelled)}
            assert target.truth == target.segment
    assert scored["dev", "ribosomes"] == scored["dev", "ribosomes-unseen"] == {"Unt_050"}
    assert scored["final", "ribosomes"] == scored["final", "ribosomes-unseen"] == {"Unt_076"}
    for key in scored:
        assert (adapted[key] == scored[key]) is (key[1] == "ribosomes")
        assert learnt[key].isdisjoint(scored[key])


def test_ribosomes_and_truth_are_rolled_together_by_the_seed(
    smoke: Tier, tmp_path: Path, data: Path
) -> None:
    folders = []
    for seed in (0, 1):
        target = make_target("ribosomes", "dev", seed, smoke, tmp_path / "t", data=data)
        folders.append(target.segment)
        assert target.labelled is not None
        for path, truth in find_pairs(target.segment) + find_pairs(target.labelled):
            np.testing.assert_array_equal(read_mrc(path).data > 1, read_mrc(truth).data > 0)
    original = read_mrc(data / "ribosome70S" / "Unt_050_000000_subtomo.mrc").data
    moved = [read_mrc(folder / "Unt_050_000000_subtomo.mrc").data for folder in folders]
    assert not np.array_equal(moved[0], original)
    assert not np.array_equal(moved[0], moved[1])
    np.testing.assert_array_equal(np.sort(moved[0], axis=None), np.sort(original, axis=None))


@pytest.mark.parametrize("name", ["subtomograms", "tomogram"])
def test_a_simulated_target_is_made_once_and_anew_when_it_is_another(
    name: str, smoke: Tier, tmp_path: Path
) -> None:
    target = make_target(name, "final", 0, smoke, tmp_path)
    file = find_subtomograms(target.segment)[0] if target.is_folder else target.segment
    made = file.stat().st_mtime_ns
    make_target(name, "final", 0, smoke, tmp_path)
    assert file.stat().st_mtime_ns == made
    other = make_target(name, "final", 0, replace(smoke, molecules=5), tmp_path)
    assert other.facts != target.facts
    assert file.stat().st_mtime_ns != made


def test_the_supervised_row_learns_from_other_scenes(smoke: Tier, tmp_path: Path) -> None:
    target = make_target("subtomograms", "final", 0, smoke, tmp_path)
    assert target.labelled is not None
    scored = {read_mrc(path).data.tobytes() for path in find_subtomograms(target.segment)}
    learnt = {read_mrc(path).data.tobytes() for path in find_subtomograms(target.labelled)}
    assert scored.isdisjoint(learnt)
    tomogram = make_target("tomogram", "final", 0, smoke, tmp_path)
    values = read_mrc(tomogram.segment).data
    truth = read_mrc(tomogram.truth).data > 0
    assert values[truth].mean() < values[~truth].mean()  # dark, as raw data are
    assert {kind for kind, _ in tomogram.particles} <= {"ribosome", "proteasome", "chaperonin"}


def test_the_real_tomograms(smoke: Tier, tmp_path: Path, shared_data: Path) -> None:
    for name, contrast in (("scene", "dark"), ("microtubule", "bright")):
        target = make_target(name, "final", 0, smoke, tmp_path, data=shared_data)
        assert read_mrc(target.segment).shape == read_mrc(target.truth).shape
        assert (target.contrast, target.labelled) == (contrast, None)
    assert len(make_target("scene", "final", 0, smoke, tmp_path, data=shared_data).particles) == 70

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from napari_voxuda.scores.overlap import dice

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "baselines.py"


@pytest.fixture(scope="module")
def baselines() -> ModuleType:
    if not SCRIPT.is_file():
        pytest.skip("the benchmarks are not part of this copy")
    spec = importlib.util.spec_from_file_location("baselines", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_oracle_threshold_is_the_best_of_all(baselines: ModuleType) -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((6, 6, 6)) < 0.2
    values = rng.normal(size=truth.shape) + truth
    best = max(dice(values >= t, truth) for t in values.ravel())
    assert dice(values >= baselines.oracle_threshold(values, truth), truth) == best


def test_otsu_parts_two_humps(baselines: ModuleType) -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 1, 5000), rng.normal(10, 1, 5000)])
    assert 3 < baselines.otsu_threshold(values) < 7


def test_the_sphere_is_centred_and_round(baselines: ModuleType) -> None:
    sphere = baselines.centred_sphere((32, 32, 32))
    assert sphere.sum() == pytest.approx(4 / 3 * np.pi * 8**3, rel=0.02)
    np.testing.assert_allclose(np.argwhere(sphere).mean(axis=0), 16)


def test_volume_and_mask_roll_together_within_bounds(baselines: ModuleType) -> None:
    volume = np.zeros((32, 32, 32))
    volume[16, 16, 16] = 1
    generator = torch.Generator().manual_seed(0)
    places = []
    for _ in range(200):
        rolled, mask = baselines.roll_pair(volume, volume > 0, generator)
        np.testing.assert_array_equal(rolled > 0, mask)
        places.append(np.argwhere(mask)[0])
    assert np.min(places) == 10
    assert np.max(places) == 22


def test_known_figures(baselines: ModuleType, shared_data: Path) -> None:
    pairs = baselines.subtomograms(shared_data / "ribosome70S")
    sphere = baselines.centred_sphere((32, 32, 32))
    centred = np.mean([dice(sphere, mask.data) for _, mask in pairs])
    moved = np.mean([dice(sphere, mask.data) for _, mask in baselines.rolled(pairs, 0)])
    assert centred == pytest.approx(0.77, abs=0.005)
    assert moved == pytest.approx(0.39, abs=0.05)

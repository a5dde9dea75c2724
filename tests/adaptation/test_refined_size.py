from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_voxuda._types import Progress
from napari_voxuda.adaptation.corrected_target import CorrectedTarget
from napari_voxuda.adaptation.refined_size import size_keeping_threshold, wanted_share
from napari_voxuda.data.corrections import Corrections
from napari_voxuda.data.volume import Volume

SHAPE = (24, 40, 40)


class Stub(torch.nn.Module):
    """A network whose log-odds are the image, scaled and shifted."""

    def __init__(self, scale: float, shift: float) -> None:
        super().__init__()
        self.line = torch.nn.Parameter(torch.tensor([float(scale), float(shift)]))

    def forward(self, images):
        return images * self.line[0] + self.line[1], ()


@pytest.fixture(scope="module")
def values():
    return np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)


def _target(values, labels):
    corrections = Corrections.from_labels(labels)
    return CorrectedTarget(Volume(data=values), corrections, contrast="bright", box=16)


def _found(target, start, refined, threshold):
    task = size_keeping_threshold(
        start,
        refined,
        target,
        torch.Generator().manual_seed(0),
        threshold=threshold,
        smooth_voxels=0.0,
    )
    events = []
    while True:
        try:
            events.append(next(task))
        except StopIteration as stop:
            assert all(isinstance(e, Progress) for e in events)
            assert events[-1].done == events[-1].total == len(events)
            return stop.value


@pytest.fixture
def target(values):
    """Two corrected voxels that are right as they are."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[np.unravel_index(values.argmax(), SHAPE)] = 1
    labels[np.unravel_index(values.argmin(), SHAPE)] = 2
    return _target(values, labels)


def test_a_shift_of_all_voxels_moves_the_threshold_with_them(target):
    found = _found(target, Stub(2, 0), Stub(2, 1), 0.9)
    assert np.log(found / (1 - found)) == pytest.approx(np.log(9) + 1, abs=0.02)


def test_another_ranking_gets_the_same_number_of_voxels(target, values):
    found = _found(target, Stub(2, 0), Stub(-2, 0), 0.9)
    z = (values - values.mean()) / values.std()
    wanted = (1 / (1 + np.exp(-2 * z)) >= 0.9).mean()
    assert (1 / (1 + np.exp(2 * z)) >= found).mean() == pytest.approx(wanted, rel=0.1)


def test_what_was_corrected_is_added_elsewhere(values):
    labels = np.zeros(SHAPE, np.uint8)
    labels[4:12, 4:12, 4:12] = np.where(values[4:12, 4:12, 4:12] < 1.0, 1, 0)
    start = Stub(2, 0)
    z = (values - values.mean()) / values.std()
    before = (1 / (1 + np.exp(-2 * z)) >= 0.9)[labels == 0].mean()
    found = _found(_target(values, labels), start, start, 0.9)
    after = (1 / (1 + np.exp(-2 * z)) >= found)[labels == 0].mean()
    assert after - before == pytest.approx((labels == 1).mean(), rel=0.25)


def test_without_foreground_the_threshold_stays(target):
    assert _found(target, Stub(2, 0), Stub(2, 1), 0.9999) == 0.9999


@pytest.mark.parametrize(
    ("before", "corrected", "wanted"),
    [(0.1, 0.0, 0.1), (0.1, 0.02, 0.12), (0.1, -0.02, 0.08), (0.1, -0.09, 0.05), (0.9, 0.5, 1.0)],
)
def test_the_share_follows_the_corrections_within_bounds(before, corrected, wanted):
    assert wanted_share(before, corrected) == pytest.approx(wanted)

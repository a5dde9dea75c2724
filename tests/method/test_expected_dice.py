"""The label-free threshold: an oracle, the known limit, and its bounds."""

from __future__ import annotations

import pytest
import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import reached_by
from napari_voxuda.method.expected_dice import (
    expected_dice_score,
    expected_dice_threshold,
    mean_size_threshold,
    share_threshold,
)


def brute_force(probability: torch.Tensor) -> float:
    best, found = -1.0, 0.0
    total = probability.sum().item()
    for t in [i / 1000 for i in range(1000)]:
        chosen = probability[probability >= t]
        score = 2 * chosen.sum().item() / max(len(chosen) + total, 1e-12)
        if score > best + 1e-9:
            best, found = score, t
    return found


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_trying_every_threshold(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    probability = torch.rand(400, generator=generator) ** (1 + 2 * seed)
    found = expected_dice_threshold(probability, bounds=(0.001, 0.999))
    assert found == pytest.approx(brute_force(probability), abs=0.02)


def test_labels_drawn_from_the_probabilities_score_best_there() -> None:
    generator = torch.Generator().manual_seed(0)
    probability = torch.rand(200_000, generator=generator) ** 6
    truth = torch.rand(200_000, generator=generator) < probability

    def dice(threshold: float) -> float:
        mask = probability >= threshold
        return 2 * (mask & truth).sum().item() / (mask.sum() + truth.sum()).item()

    found = expected_dice_threshold(probability)
    best = max(dice(t / 100) for t in range(1, 100))
    assert dice(found) > best - 0.005
    assert dice(0.5) < best - 0.02  # which is why 0.5 will not do
    assert found == pytest.approx(best / 2, abs=0.03)  # Lipton et al.


def test_certain_probabilities_keep_any_threshold_between_them() -> None:
    probability = torch.tensor([0.001] * 90 + [0.999] * 10)
    assert 0.05 <= expected_dice_threshold(probability) <= 0.9


def test_nothing_that_looks_like_foreground_does_not_become_foreground() -> None:
    threshold = expected_dice_threshold(torch.full((4, 8, 8, 8), 0.01))
    assert threshold == 0.05


def test_bad_values_are_refused() -> None:
    with pytest.raises(InputError, match="at least one probability"):
        expected_dice_threshold(torch.empty(0))
    with pytest.raises(InputError, match="0 < low <= high < 1"):
        expected_dice_threshold(torch.rand(3), bounds=(0.9, 0.1))


@pytest.mark.parametrize("seed", range(3))
def test_the_mean_size_lies_between_both_estimates(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    probability = torch.rand(40_000, generator=generator) ** 8 * 0.6
    mass = probability.mean().item()
    likely = (probability >= expected_dice_threshold(probability)).float().mean().item()
    assert mass < likely  # else nothing is tested
    size = (probability >= mean_size_threshold(probability)).float().mean().item()
    assert size == pytest.approx((mass * likely) ** 0.5, abs=1e-4)


def test_the_mask_of_a_share_holds_that_share() -> None:
    probability = torch.rand(1000, generator=torch.Generator().manual_seed(0)) * 0.5
    threshold = share_threshold(probability, 0.125)
    assert (probability >= threshold).float().mean().item() == pytest.approx(0.125)
    assert share_threshold(probability, 0.0) == 0.99
    assert share_threshold(torch.zeros(10), 1.0) == 0.01
    with pytest.raises(InputError, match="share_threshold: at least one probability"):
        share_threshold(torch.zeros(0), 0.5)


def test_a_mask_is_the_mask_of_its_own_mean_size() -> None:
    mask = (torch.rand((8, 8, 8), generator=torch.Generator().manual_seed(0)) > 0.9).float()
    assert torch.equal(mask >= mean_size_threshold(mask), mask > 0)


def test_the_mean_size_of_nothing_is_nothing() -> None:
    assert mean_size_threshold(torch.zeros(4, 8, 8, 8)) == 0.99


def test_the_value_that_a_fraction_reaches() -> None:
    values = torch.tensor([[0.4, 0.1], [0.3, 0.2]])
    assert reached_by(values, 0.5) == pytest.approx(0.3)
    assert reached_by(values, 0.25) == pytest.approx(0.4)
    assert reached_by(values, 7.0) == pytest.approx(0.1)
    assert reached_by(values, 0.0) == float("inf")


def test_the_expected_score_of_certain_voxels_is_their_share() -> None:
    certain = torch.tensor([1.0, 1.0, 0.0, 0.0])
    assert expected_dice_score(certain, 0.5) == pytest.approx(1.0)
    assert expected_dice_score(torch.tensor([0.5, 0.5, 0.0]), 0.5) == pytest.approx(
        2 * 1.0 / (2 + 1.0)
    )
    assert expected_dice_score(torch.tensor([0.2, 0.1]), 0.5) == 0.0
    with pytest.raises(InputError, match="at least one probability"):
        expected_dice_score(torch.zeros(0), 0.5)


def test_the_best_threshold_has_the_best_expected_score() -> None:
    probability = torch.rand(400, generator=torch.Generator().manual_seed(1)) ** 2
    best = expected_dice_score(probability, expected_dice_threshold(probability))
    assert best >= max(expected_dice_score(probability, t / 100) for t in range(5, 90)) - 1e-3

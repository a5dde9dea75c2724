"""Labels by rank: how many, which, and what stays without."""

from __future__ import annotations

import pytest
import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method.expected_dice import expected_dice_threshold
from napari_voxuda.method.ranked_labels import ranked_pseudo_label


def unsure(seed: int = 0, count: int = 40_000) -> torch.Tensor:
    """Probabilities of a network that is sure of background and of nothing else."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, generator=generator) ** 8 * 0.6


@pytest.mark.parametrize("margin", [1.0, 2.0, 3.0])
def test_the_numbers_of_foreground_of_background_and_of_neither(margin: float) -> None:
    probability = unsure()
    labels, confident = ranked_pseudo_label(probability, margin=margin)
    mass = probability.mean().item()
    largest = (probability >= expected_dice_threshold(probability)).float().mean().item()
    assert mass < largest < 0.3  # else nothing is tested
    assert labels.float().mean().item() == pytest.approx(largest, abs=1e-4)
    wanted = 1 - margin * largest + largest
    assert confident.float().mean().item() == pytest.approx(wanted, abs=1e-4)


def test_the_highest_are_foreground_and_the_lowest_background() -> None:
    probability = unsure()
    labels, confident = ranked_pseudo_label(probability)
    without = ~confident
    assert without.any()
    assert probability[labels].min() > probability[without].max()
    assert probability[without].min() > probability[confident & ~labels].max()


def test_a_certain_network_keeps_its_own_labels() -> None:
    probability = torch.tensor([0.0] * 95 + [1.0] * 5)
    labels, confident = ranked_pseudo_label(probability, margin=1.0)
    assert labels.tolist() == [False] * 95 + [True] * 5
    assert confident.all()


def test_no_foreground_where_there_is_no_probability() -> None:
    labels, confident = ranked_pseudo_label(torch.zeros(4, 8, 8, 8))
    assert not labels.any()
    assert confident.all()


def test_shape_is_kept_and_half_precision_works() -> None:
    probability = unsure(count=2 * 8**3).reshape(2, 8, 8, 8)
    labels, confident = ranked_pseudo_label(probability.half())
    assert labels.shape == confident.shape == probability.shape
    assert labels.dtype == confident.dtype == torch.bool


def test_bad_values_are_refused() -> None:
    with pytest.raises(InputError, match=r"at least 1 was wanted, got 0\.5"):
        ranked_pseudo_label(torch.rand(8), margin=0.5)
    with pytest.raises(InputError, match="at least one probability"):
        ranked_pseudo_label(torch.empty(0))

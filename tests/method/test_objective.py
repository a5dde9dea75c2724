from __future__ import annotations

import math

import pytest
import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method.objective import total_loss


def test_the_parts_count_alike() -> None:
    parts = [torch.tensor(v) for v in (0.7, 0.2, 0.1)]
    assert float(total_loss(*parts)) == pytest.approx(1.0)


def test_weights_and_plain_numbers() -> None:
    found = total_loss(torch.tensor(1.0), 2.0, 3.0, weights=(1.0, 0.5, 0.1))
    assert float(found) == pytest.approx(2.3)


def test_a_part_of_weight_0_does_not_enter() -> None:
    found = total_loss(torch.tensor(1.0), math.nan, math.inf, weights=(1, 0, 0))
    assert float(found) == 1.0


def test_gradients_reach_every_part_with_its_weight() -> None:
    parts = [torch.tensor(v, requires_grad=True) for v in (1.0, 2.0, 3.0)]
    total_loss(*parts, weights=(1.0, 0.5, 2.0)).backward()
    assert [float(p.grad) for p in parts if p.grad is not None] == [1.0, 0.5, 2.0]


@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0, -1.0, 1.0), (1.0, math.nan, 1.0)])
def test_wrong_weights_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="three weights of at least 0 were wanted"):
        total_loss(torch.tensor(1.0), 1.0, 1.0, weights=weights)

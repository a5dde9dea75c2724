"""Boxes of several tomograms: their shares, their statistics, and that they are those of the parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_voxuda.data.picks import Picks
from napari_voxuda.data.targets import TomogramTarget
from napari_voxuda.data.tomogram_set import TomogramSet
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def part(
    shape: tuple[int, int, int], *, mean: float = 0.0, picks: int | None = None, box: int = 16
) -> TomogramTarget:
    values = np.random.default_rng(0).normal(mean, 3.0, shape).astype(np.float32)
    places = None if picks is None else Picks(positions=np.full((picks, 3), 10.0))
    return TomogramTarget(Volume(data=values), box=box, contrast="bright", picks=places)


def test_each_tomogram_gives_boxes_in_proportion_to_its_voxels() -> None:
    chosen = TomogramSet([part((16, 16, 16)), part((16, 16, 48))]).choose(4000, generator())
    assert np.mean(chosen) == pytest.approx(0.75, abs=0.03)


def test_with_picks_each_gives_boxes_in_proportion_to_them() -> None:
    parts = [part((20, 20, 80), picks=1), part((20, 20, 20), picks=4)]
    assert np.mean(TomogramSet(parts).choose(4000, generator())) == pytest.approx(0.8, abs=0.03)


def test_boxes_are_those_of_the_parts_each_normalised_by_itself() -> None:
    parts = [part((16, 16, 16), mean=100.0), part((16, 16, 16), mean=-7.0)]
    together = TomogramSet(parts)
    chosen = torch.tensor(together.choose(12, generator(3)))
    boxes = together.draw(12, generator(3))
    assert boxes.dtype == torch.float32
    for number, one in enumerate(parts):
        (only,) = one.draw(1, generator())  # such a tomogram holds one box alone
        assert (chosen == number).any()
        for box in boxes[chosen == number]:
            torch.testing.assert_close(box, only)


def test_the_same_seed_draws_the_same_boxes() -> None:
    together = TomogramSet([part((20, 24, 28)), part((24, 20, 30))])
    assert torch.equal(together.draw(6, generator(1)), together.draw(6, generator(1)))
    assert not torch.equal(together.draw(6, generator(1)), together.draw(6, generator(2)))


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(InputError, match="at least one tomogram"):
        TomogramSet([])
    with pytest.raises(InputError, match="one box edge"):
        TomogramSet([part((20, 20, 20)), part((20, 20, 20), box=8)])
    with pytest.raises(InputError, match="picks for all or for none"):
        TomogramSet([part((20, 20, 20)), part((20, 20, 20), picks=2)])

"""Target boxes: where they lie, how they are normalised, and that the sign is right."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_voxuda.data.picks import Picks
from napari_voxuda.data.targets import SubtomogramTarget, TomogramTarget
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(shape: tuple[int, int, int], seed: int = 0) -> Volume:
    values = np.random.default_rng(seed).normal(5.0, 3.0, shape).astype(np.float32)
    return Volume(data=values, name=f"noise{seed}")


def test_boxes_of_a_tomogram_are_parts_of_the_normalised_tomogram() -> None:
    volume = noise((20, 24, 28))
    whole = (volume.data - volume.data.mean()) / volume.data.std()
    boxes = TomogramTarget(volume, box=16, contrast="bright").draw(5, generator())
    assert boxes.shape == (5, 16, 16, 16)
    assert boxes.dtype == torch.float32
    windows = np.lib.stride_tricks.sliding_window_view(whole, (16, 16, 16)).reshape(-1, 16**3)
    for box in boxes.numpy().reshape(5, -1):
        assert np.abs(windows - box).max(axis=1).min() < 1e-4


def test_random_boxes_reach_both_ends() -> None:
    volume = Volume(data=np.arange(20 * 16 * 16, dtype=np.float32).reshape(20, 16, 16))
    boxes = TomogramTarget(volume, box=16, contrast="bright").draw(200, generator())
    starts = boxes[:, 0, 0, 0]
    assert len(torch.unique(starts)) == 5


def test_dark_protein_is_turned_bright() -> None:
    volume = noise((16, 16, 16))
    bright = TomogramTarget(volume, box=16, contrast="bright").draw(1, generator())
    dark = TomogramTarget(volume, box=16, contrast="dark").draw(1, generator())
    torch.testing.assert_close(dark, -bright)


def test_a_tomogram_thinner_than_the_box_is_mirrored() -> None:
    boxes = TomogramTarget(noise((5, 40, 40)), box=16, contrast="bright").draw(3, generator())
    assert boxes.shape == (3, 16, 16, 16)
    assert torch.isfinite(boxes).all()


def test_boxes_at_picks_hold_their_pick_near_the_centre() -> None:
    data = np.zeros((64, 64, 64), dtype=np.float32)
    data[40, 20, 30] = 1000.0
    picks = Picks(positions=np.array([[40.0, 20.0, 30.0]]))
    target = TomogramTarget(Volume(data=data), box=32, contrast="bright", picks=picks)
    boxes = target.draw(50, generator())
    places = boxes.flatten(1).argmax(dim=1)
    where = torch.stack([places // 1024, places // 32 % 32, places % 32], dim=1)
    assert (boxes.flatten(1).amax(dim=1) > 100).all()
    assert where.min() >= 16 - 8 - 1
    assert where.max() <= 16 + 8 + 1
    assert len(torch.unique(where, dim=0)) > 10


def test_picks_outside_the_tomogram_are_refused() -> None:
    picks = Picks(positions=np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 300.0]]))
    with pytest.raises(
        InputError, match=r"1 outside, for example \(z, y, x\) = \[1.0, 2.0, 300.0\]"
    ):
        TomogramTarget(noise((16, 16, 16)), box=16, contrast="bright", picks=picks)
    with pytest.raises(InputError, match="at least one position"):
        TomogramTarget(
            noise((16, 16, 16)), box=16, contrast="bright", picks=Picks(positions=np.zeros((0, 3)))
        )


def test_subtomograms_are_normalised_one_by_one() -> None:
    volumes = [noise((16, 16, 16), seed) for seed in range(4)]
    boxes = SubtomogramTarget(volumes, box=16, contrast="dark").draw(10, generator())
    torch.testing.assert_close(boxes.mean(dim=(1, 2, 3)), torch.zeros(10), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        boxes.std(dim=(1, 2, 3), correction=0), torch.ones(10), atol=1e-4, rtol=0
    )
    first = (volumes[0].data - volumes[0].data.mean()) / volumes[0].data.std()
    assert min(np.abs(box.numpy() + first).max() for box in boxes) < 1e-4


def test_larger_subtomograms_are_cropped_at_different_places() -> None:
    boxes = SubtomogramTarget([noise((20, 20, 20))], box=16, contrast="bright").draw(
        20, generator()
    )
    assert boxes.shape == (20, 16, 16, 16)
    assert len(torch.unique(boxes[:, 0, 0, 0])) > 5


def test_unusable_subtomograms_are_named() -> None:
    with pytest.raises(InputError, match="noise0: edges of at least 32"):
        SubtomogramTarget([noise((16, 16, 16))], box=32, contrast="bright")
    with pytest.raises(InputError, match="at least one subtomogram"):
        SubtomogramTarget([], box=32, contrast="bright")
    bad = noise((16, 16, 16)).data.copy()
    bad[3, 4, 5] = np.nan
    with pytest.raises(InputError, match=r"spoilt.*NaN"):
        SubtomogramTarget([Volume(data=bad, name="spoilt")], box=16, contrast="bright")


def test_the_same_generator_gives_the_same_boxes() -> None:
    target = TomogramTarget(noise((30, 30, 30)), box=16, contrast="bright")
    assert torch.equal(target.draw(4, generator(1)), target.draw(4, generator(1)))
    assert not torch.equal(target.draw(4, generator(1)), target.draw(4, generator(2)))

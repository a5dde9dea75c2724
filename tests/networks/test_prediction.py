"""Mirror images and smoothing: symmetry, a slow oracle, limits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_voxuda.networks.prediction import (
    move_threshold,
    predict_steadily,
    smooth_probability,
    told_threshold,
    untold_threshold,
)
from napari_voxuda.networks.settings import NetworkSettings
from napari_voxuda.networks.voxresnet import VoxResNet, predict_probability


@pytest.fixture(scope="module")
def network() -> VoxResNet:
    torch.manual_seed(0)
    return VoxResNet(NetworkSettings(stem=4, body=8)).eval()


@pytest.fixture
def volume() -> torch.Tensor:
    return torch.randn((2, 16, 8, 24), generator=torch.Generator().manual_seed(1))


def test_without_either_it_is_the_plain_prediction(
    network: VoxResNet, volume: torch.Tensor
) -> None:
    plain = predict_steadily(network, volume, mirrors=False, smooth_voxels=0.0)
    assert torch.equal(plain, predict_probability(network, volume))


@pytest.mark.parametrize("axes", [(-1,), (-2,), (-3,), (-1, -3)])
def test_a_mirrored_volume_gives_the_mirrored_answer(
    network: VoxResNet, volume: torch.Tensor, axes: tuple[int, ...]
) -> None:
    steady = predict_steadily(network, volume, mirrors=True, smooth_voxels=1.0)
    mirrored = predict_steadily(network, volume.flip(axes), mirrors=True, smooth_voxels=1.0)
    torch.testing.assert_close(mirrored.flip(axes), steady)
    plain = predict_probability(network, volume)
    assert not torch.allclose(predict_probability(network, volume.flip(axes)).flip(axes), plain)


def test_mirrors_are_averaged_not_summed(network: VoxResNet, volume: torch.Tensor) -> None:
    flips = [[], [-1], [-2], [-3], [-1, -2], [-1, -3], [-2, -3], [-1, -2, -3]]
    answers = [predict_probability(network, volume.flip(f)).flip(f) for f in flips]
    steady = predict_steadily(network, volume, mirrors=True, smooth_voxels=0.0)
    torch.testing.assert_close(steady, torch.stack(answers).mean(0))


@pytest.mark.parametrize("sigma", [0.5, 1.2, 2.0])
def test_smoothing_agrees_with_scipy(sigma: float) -> None:
    values = torch.rand((2, 20, 9, 13), generator=torch.Generator().manual_seed(2))
    smooth = smooth_probability(values, sigma)
    half = int(np.ceil(3 * sigma))
    wanted = [gaussian_filter(v.numpy(), sigma, mode="nearest", radius=half) for v in values]
    np.testing.assert_allclose(smooth.numpy(), np.stack(wanted), atol=1e-6)


def test_a_constant_stays_and_nothing_leaves_its_bounds() -> None:
    torch.testing.assert_close(
        smooth_probability(torch.full((1, 8, 8, 8), 0.7), 3.0), torch.full((1, 8, 8, 8), 0.7)
    )
    values = (torch.rand((1, 8, 8, 8), generator=torch.Generator().manual_seed(3)) > 0.5).float()
    smooth = smooth_probability(values, 0.3)
    assert 0 <= smooth.min() <= smooth.max() <= 1 + 1e-6


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.8])
def test_a_told_probability_is_traced_back(threshold):
    own = untold_threshold(0.7, threshold)
    assert move_threshold(torch.tensor(own), threshold).item() == pytest.approx(0.7)
    assert told_threshold(own, 0.7) == pytest.approx(threshold)

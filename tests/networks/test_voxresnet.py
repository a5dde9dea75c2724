"""VoxResNet: shapes of the taps, sizes, and prediction that leaves the network as it was."""

from __future__ import annotations

import pytest
import torch

from napari_voxuda.errors import InputError
from napari_voxuda.networks.settings import NetworkSettings
from napari_voxuda.networks.voxresnet import VoxResNet, predict_probability

SMALL = NetworkSettings(stem=4, body=8)


def make(settings: NetworkSettings = SMALL) -> VoxResNet:
    torch.manual_seed(0)
    return VoxResNet(settings)


def test_logits_keep_the_shape_and_taps_halve_it_thrice() -> None:
    logits, features = make()(torch.randn(2, 16, 24, 32))
    assert logits.shape == (2, 16, 24, 32)
    assert features.c.shape == (2, 4, 16, 24, 32)
    assert features.v2.shape == (2, 8, 8, 12, 16)
    assert features.v4.shape == (2, 8, 4, 6, 8)
    assert features.v6.shape == (2, 8, 2, 3, 4)


def test_published_size_has_twice_six_residual_convolutions_of_64_channels() -> None:
    network = VoxResNet(NetworkSettings(stem=32, body=64))
    square = [
        m
        for m in network.modules()
        if isinstance(m, torch.nn.Conv3d) and m.weight.shape[:2] == (64, 64) and m.stride[0] == 1
    ]
    assert len(square) == 12
    assert 1.7e6 < sum(p.numel() for p in network.parameters()) < 2.0e6


def test_every_head_reaches_the_logits() -> None:
    network = make()
    logits, _ = network(torch.randn(2, 16, 16, 16))
    logits.sum().backward()
    for name in ("head_c", "head_v2", "head_v4", "head_v6"):
        gradient = getattr(network, name).up.weight.grad
        assert gradient is not None
        assert gradient.abs().sum() > 0


@pytest.mark.parametrize("norm", ["batch", "group"])
def test_prediction_is_a_probability_and_changes_nothing(norm: str) -> None:
    network = make(NetworkSettings(stem=4, body=8, norm=norm)).train()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    volume = torch.randn(3, 16, 16, 16)
    probability = predict_probability(network, volume)
    assert probability.shape == volume.shape
    assert 0 <= probability.min() <= probability.max() <= 1
    assert network.training
    assert not probability.requires_grad
    assert all(torch.equal(before[k], v) for k, v in network.state_dict().items())


def test_one_volume_is_predicted_as_in_a_batch() -> None:
    network = make().eval()
    volume = torch.randn(2, 16, 16, 16)
    alone = predict_probability(network, volume[:1])
    assert alone.shape == (1, 16, 16, 16)
    torch.testing.assert_close(alone, predict_probability(network, volume)[:1])


def test_group_normalisation_fits_odd_widths() -> None:
    logits, _ = make(NetworkSettings(stem=6, body=10, norm="group"))(torch.randn(2, 8, 8, 8))
    assert logits.shape == (2, 8, 8, 8)


def test_settings_outside_their_bounds_are_refused() -> None:
    with pytest.raises(InputError, match=r"NetworkSettings\.stem: at least 1"):
        NetworkSettings(stem=0)

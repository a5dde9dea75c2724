from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from napari_voxuda.errors import InputError
from napari_voxuda.method.fourier import high_pass
from napari_voxuda.method.pseudo_labels import (
    balanced_pseudo_label,
    ema_update,
    ngm_denoise,
    pseudo_label,
)


def _probability(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def test_labels_by_hand() -> None:
    values = [0.0, 0.14, 0.15, 0.16, 0.5, 0.84, 0.85, 0.86, 1.0]
    probability = torch.tensor(values, dtype=torch.float64)
    labels, confident = pseudo_label(probability, 0.85)
    assert labels.tolist() == [False] * 5 + [True] * 4
    assert confident.tolist() == [True, True, False, False, False, False, False, True, True]


def test_labels_equal_a_slow_loop_on_any_shape() -> None:
    probability = _probability(2, 3, 4, 5)
    labels, confident = pseudo_label(probability, 0.7)
    for p in np.ndindex(*probability.shape):
        value = float(probability[p])
        assert bool(labels[p]) == (value > 0.5)
        assert bool(confident[p]) == (max(value, 1 - value) > 0.7)
    assert labels.dtype == confident.dtype == torch.bool


def test_confident_labels_are_the_same_for_the_opposite_class() -> None:
    probability = _probability(4, 4, 4).double()
    first, second = pseudo_label(probability), pseudo_label(1 - probability)
    assert torch.equal(first.confident, second.confident)
    assert torch.equal(first.labels[first.confident], ~second.labels[first.confident])


@pytest.mark.parametrize("threshold", [0.49, 1.0, -1.0])
def test_threshold_outside_its_bounds_is_refused(threshold: float) -> None:
    with pytest.raises(InputError, match=r"threshold in \[0.5, 1\) was wanted, got"):
        pseudo_label(_probability(2, 2, 2), threshold)


def test_balanced_threshold_is_each_volumes_own() -> None:
    ramp = torch.linspace(0, 1, 1000).reshape(10, 10, 10)
    volumes = torch.stack([ramp, 0.6 * ramp, 0.1 * ramp])
    labels, confident = balanced_pseudo_label(volumes)
    thresholds = [0.85, float(volumes[1].flatten()[-10]), 0.4]  # clamped, the top 1 %, clamped
    for volume, label, sure, threshold in zip(volumes, labels, confident, thresholds, strict=True):
        assert torch.equal(label, volume >= threshold)
        assert torch.equal(sure, (volume >= threshold) | (volume < 0.15))
    assert int(labels[1].sum()) == 10
    assert not labels[2].any()


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 4, 5), (2, 2, 3, 3, 3)])
def test_balanced_labels_on_any_shape(shape: tuple[int, ...]) -> None:
    probability = _probability(*shape)
    labels, confident = balanced_pseudo_label(probability, top_fraction=0.2)
    assert labels.shape == confident.shape == probability.shape
    assert not (labels & ~confident).any()
    flat = probability.reshape(-1, *shape[-3:])
    each = torch.stack([balanced_pseudo_label(v, top_fraction=0.2).labels for v in flat])
    assert torch.equal(labels.reshape(flat.shape), each)


def test_balanced_labels_in_half_precision() -> None:
    probability = _probability(5, 5, 5).bfloat16()
    assert torch.equal(
        balanced_pseudo_label(probability).labels, balanced_pseudo_label(probability.float()).labels
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"top_fraction": 0.0},
        {"top_fraction": 1.1},
        {"background_threshold": 0.4},
        {"foreground_bounds": (0.9, 0.8)},
        {"foreground_bounds": (0.5, 1.1)},
    ],
)
def test_balanced_settings_outside_their_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match="foreground bounds <= 1 were wanted, got"):
        balanced_pseudo_label(_probability(2, 2, 2), **wrong)  # type: ignore[arg-type]


def test_balanced_labels_need_a_volume() -> None:
    with pytest.raises(InputError, match=r"\(..., d, h, w\) was wanted, got shape \(4, 4\)"):
        balanced_pseudo_label(_probability(4, 4))


def _network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv3d(1, 2, 3), nn.BatchNorm3d(2), nn.Conv3d(2, 1, 1))


@pytest.mark.parametrize("decay", [0.0, 0.9, 0.999, 1.0])
def test_teacher_follows_in_parameters_and_statistics(decay: float) -> None:
    student = _network()
    teacher = copy.deepcopy(student)
    before = copy.deepcopy(teacher.state_dict())
    for p in student.parameters():
        p.data.add_(torch.randn_like(p))
    student(torch.randn(2, 1, 6, 6, 6))  # moves BatchNorm's mean, variance and counter
    kept = copy.deepcopy(student.state_dict())
    ema_update(teacher, student, decay)
    for name, now in teacher.state_dict().items():
        if now.is_floating_point():
            expected = decay * before[name] + (1 - decay) * kept[name]
            torch.testing.assert_close(now, expected, rtol=1e-5, atol=1e-6)
        else:
            assert torch.equal(now, kept[name])
            assert not torch.equal(now, before[name])
    for name, now in student.state_dict().items():
        assert torch.equal(now, kept[name])


def test_teacher_follows_exponentially_and_outside_the_graph() -> None:
    student, teacher = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.ones_(student.weight)
    nn.init.zeros_(teacher.weight)
    for _ in range(10):
        ema_update(teacher, student, 0.9)
    assert float(teacher.weight.detach()) == pytest.approx(1 - 0.9**10, rel=1e-5)
    assert teacher.weight.grad_fn is None
    assert teacher.weight.requires_grad


def test_a_teacher_of_another_kind_is_refused_and_left_alone() -> None:
    student, teacher = _network(), _network()
    teacher[2] = nn.Conv3d(2, 3, 1)  # type: ignore[index]
    before = copy.deepcopy(teacher.state_dict())
    with pytest.raises(InputError, match=r"make the teacher with copy\.deepcopy\(student\)"):
        ema_update(teacher, student, 0.5)
    assert all(torch.equal(v, before[k]) for k, v in teacher.state_dict().items())


@pytest.mark.parametrize("decay", [-0.1, 1.1, float("nan")])
def test_decay_outside_its_bounds_is_refused(decay: float) -> None:
    with pytest.raises(InputError, match=r"decay in \[0, 1\] was wanted, got"):
        ema_update(_network(), _network(), decay)


def test_ngm_denoising_subtracts_the_high_frequencies() -> None:
    volume = torch.randn(2, 6, 7, 8, generator=torch.Generator().manual_seed(0)).double()
    torch.testing.assert_close(
        ngm_denoise(volume, 0.4, shape="radial") + high_pass(volume, 0.4, shape="radial"), volume
    )
    assert ngm_denoise(volume).var() < volume.var()
    torch.testing.assert_close(ngm_denoise(volume, 1.0), torch.zeros_like(volume))
    constant = torch.full((6, 6, 6), 3.5)
    torch.testing.assert_close(ngm_denoise(constant), constant)


def test_ngm_denoising_removes_a_plane_wave_of_high_frequency_only() -> None:
    z, y, x = torch.meshgrid(*[torch.arange(32.0)] * 3, indexing="ij")
    low = torch.cos(2 * torch.pi * 3 * z / 32)
    high = torch.cos(2 * torch.pi * (12 * z + 10 * y + 13 * x) / 32)
    torch.testing.assert_close(ngm_denoise(low + high), low, rtol=0, atol=1e-5)

"""Optimiser, schedule, and the state that a checkpoint holds."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from napari_voxuda.adaptation.learner import Learner, NotFiniteError, label_step, learning_rate
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.errors import FileFormatError, TrainingError
from napari_voxuda.networks.voxresnet import predict_probability

CPU = torch.device("cpu")


def loss_of(learner: Learner) -> torch.Tensor:
    logits, _ = learner.student(torch.ones(2, 8, 8, 8))
    return logits.square().mean() + learner.discriminator.layers[0].weight.square().mean()


def test_the_seed_decides_the_weights_and_the_global_generator_is_left_alone(
    tiny: AdaptSettings,
) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, two, other = (Learner(tiny, CPU, seed) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(v, two.weights()[k]) for k, v in one.weights().items())
    assert any(not torch.equal(v, other.weights()[k]) for k, v in one.weights().items())


def test_the_teacher_starts_as_a_copy_and_takes_no_gradient(tiny: AdaptSettings) -> None:
    learner = Learner(tiny, CPU, 0)
    for name, value in learner.teacher.state_dict().items():
        assert torch.equal(value, learner.student.state_dict()[name])
    assert not any(p.requires_grad for p in learner.teacher.parameters())


def test_state_restored_elsewhere_goes_on_alike(tiny: AdaptSettings) -> None:
    learner = Learner(tiny, CPU, 0)
    for _ in range(3):
        learner.optimise(loss_of(learner))
    saved = {k: v.clone() for k, v in learner.tensors().items()}
    other = Learner(tiny, CPU, 99)
    other.load(saved)
    for each in (learner, other):
        each.optimise(loss_of(each))
    for name, value in learner.tensors().items():
        assert torch.equal(value, other.tensors()[name]), name


def test_a_state_of_another_network_is_refused(tiny: AdaptSettings) -> None:
    wider = replace(tiny, network=replace(tiny.network, body=8))
    with pytest.raises(FileFormatError, match="does not fit this run's network"):
        Learner(tiny, CPU, 0).load(Learner(wider, CPU, 0).tensors())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_and_spoils_nothing(
    tiny: AdaptSettings, value: float
) -> None:
    learner = Learner(tiny, CPU, 0)
    before = {k: v.clone() for k, v in learner.weights().items()}
    with pytest.raises(TrainingError, match="a finite loss was wanted"):
        learner.optimise(loss_of(learner) * value)
    # The forward pass alone moves BatchNorm's running statistics.
    weights = {
        k: v
        for k, v in learner.weights().items()
        if not k.startswith("student.") or "running" not in k
    }
    for name, value_ in weights.items():
        if "num_batches" not in name:
            assert torch.equal(value_, before[name]), name


def test_a_gradient_that_is_not_finite_spoils_nothing(tiny: AdaptSettings) -> None:
    learner = Learner(tiny, CPU, 0)
    learner.optimise(loss_of(learner))
    loss = loss_of(learner)
    before = {k: v.clone() for k, v in learner.tensors().items()}
    parameter = learner.parameters[0]
    # The slope of a root at 0 is infinite, its value is not.
    steep = loss + (parameter - parameter.detach()).abs().sum().sqrt()
    assert torch.isfinite(steep)
    with pytest.raises(NotFiniteError, match="a finite gradient was wanted"):
        learner.optimise(steep)
    for name, value in learner.tensors().items():
        assert torch.equal(value, before[name]), name


def test_the_labeller_is_a_copy_that_stays_and_is_restored(tiny: AdaptSettings) -> None:
    learner = Learner(tiny, CPU, 0)
    assert not any(name.startswith("labeller.") for name in learner.tensors())
    kept = learner.keep_labeller()
    volume = torch.randn(2, 8, 8, 8)
    before = predict_probability(learner.teacher, volume)
    for parameter in learner.teacher.parameters():
        parameter.add_(0.1)
    assert torch.equal(predict_probability(kept, volume), before)
    other = Learner(tiny, CPU, 1)
    other.load(learner.tensors())
    assert other.labeller is not None
    assert torch.equal(predict_probability(other.labeller, volume), before)
    other.load(Learner(tiny, CPU, 2).tensors())
    assert other.labeller is None


def test_schedules() -> None:
    cosine = AdaptSettings(steps=100, learning_rate=1.0, pseudo_labels="none")
    rates = [learning_rate(step, cosine) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == pytest.approx(1.0, abs=0.01)
    assert rates[-1] < 0.001
    assert rates[10:] == sorted(rates[10:], reverse=True)
    twice = AdaptSettings(steps=100, learning_rate=1.0, pseudo_labels="ranked", pseudo_start=0.7)
    assert label_step(twice) == 70
    rates = [learning_rate(step, twice) for step in range(100)]
    assert max(rates[:70]) == pytest.approx(1.0, abs=0.01)
    assert rates[69] < 0.001  # the labeller has settled
    assert rates[70] == pytest.approx(0.25)
    assert rates[70:] == sorted(rates[70:], reverse=True)
    assert rates[-1] < 0.001
    assert label_step(cosine) == 100
    step = AdaptSettings(steps=300, learning_rate=1.0, schedule="step")
    published = [learning_rate(i, step) for i in (0, 99, 100, 199, 200, 299)]
    assert published == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])

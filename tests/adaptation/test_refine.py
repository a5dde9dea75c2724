from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_voxuda.adaptation.corrected_target import CorrectedBoxes, CorrectedTarget
from napari_voxuda.adaptation.refine import (
    RefineStep,
    correction_loss,
    keep_loss,
    refine,
    target_losses,
)
from napari_voxuda.adaptation.refine_settings import RefineSettings
from napari_voxuda.data.corrections import Corrections
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import TrainingError
from napari_voxuda.networks.settings import NetworkSettings
from napari_voxuda.networks.voxresnet import VoxResNet, predict_probability


def _boxes(labels, known):
    known = torch.as_tensor(known)
    return CorrectedBoxes(
        images=torch.zeros(known.shape), labels=torch.as_tensor(labels), known=known
    )


def _one(label, known=True):
    shape = (1, 1, 1, 1)
    return _boxes(torch.full(shape, label), torch.full(shape, known))


@pytest.mark.parametrize(
    ("logit", "label", "wanted"),
    [(0.0, True, 1.0), (0.0, False, 1.0), (2.0, True, 0.0), (-1.5, False, 0.0), (-1.0, True, 4.0)],
)
def test_a_corrected_voxel_costs_its_way_to_the_right_side(logit, label, wanted):
    logits = torch.full((1, 1, 1, 1), logit)
    assert correction_loss(logits, _one(label), 0.5).item() == pytest.approx(wanted)


def test_the_right_side_is_that_of_the_networks_threshold():
    logits = torch.logit(torch.full((1, 1, 1, 1), 0.1))
    assert correction_loss(logits, _one(True), 0.1).item() == pytest.approx(1.0, abs=1e-5)


def test_without_corrections_there_is_no_loss():
    assert correction_loss(torch.ones((1, 1, 1, 1)), _one(True, known=False), 0.5).item() == 0


def test_nothing_is_lost_where_nothing_moves_and_corrections_are_left_alone():
    before = torch.rand((2, 9, 9, 9), generator=torch.Generator().manual_seed(0))
    known = torch.zeros(before.shape, dtype=torch.bool)
    same = keep_loss(torch.logit(before), before, known, threshold=0.3, margin=0)
    # the probability as told is another, but its distance to itself is 0 all the same
    assert same.item() == pytest.approx(0.0, abs=1e-5)
    known[:, 4, 4, 4] = True
    moved = torch.logit(before)
    moved[:, 3:6, 3:6, 3:6] += 3.0
    assert keep_loss(moved, before, known, threshold=0.3, margin=1).item() == pytest.approx(
        0.0, abs=1e-5
    )
    assert keep_loss(moved, before, known, threshold=0.3, margin=0).item() > 0.01


@pytest.fixture
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VoxResNet(NetworkSettings(stem=2, body=4, head=2)).eval()


@pytest.fixture
def target():
    values = np.random.default_rng(0).normal(size=(16, 32, 32)).astype(np.float32)
    labels = np.zeros(values.shape, np.uint8)
    values[4:9, 4:9, 4:9] += 4.0
    values[4:9, 20:25, 20:25] += 4.0
    labels[4:9, 4:9, 4:9] = 1
    labels[10:14, 10:14, 10:14] = 2
    corrections = Corrections.from_labels(labels)
    return CorrectedTarget(Volume(data=values), corrections, contrast="bright", box=16), corrections


def _finish(task):
    events = []
    while True:
        try:
            events.append(next(task))
        except StopIteration as stop:
            return stop.value, events


def _run(network, target, source=None, **changes):
    settings = RefineSettings(batch=2, margin=1, **changes)
    return _finish(
        refine(network, target, source, settings, threshold=0.5, smooth_voxels=0.0, seed=0)
    )


def test_corrected_voxels_move_to_their_side(network, target):
    drawn, _ = target
    refined, events = _run(network, drawn, steps=40, learning_rate=0.03, keep_weight=0.0)
    assert [type(e) for e in events] == [RefineStep] * 40
    assert events[-1].losses["corrections"] < 0.7 * events[0].losses["corrections"]
    boxes = drawn.around_corrections(8, torch.Generator().manual_seed(5))
    for learnt in (refined.student, refined.teacher):
        probability = predict_probability(learnt, boxes.images)
        inside = probability[boxes.known & boxes.labels].mean()
        outside = probability[boxes.known & ~boxes.labels].mean()
        assert inside > outside + 0.05


def test_only_the_heads_of_a_copy_are_changed(network, target):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    refined, _ = _run(network, target[0], steps=3)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    changed = {
        name.split(".")[0]
        for name, value in refined.student.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert changed == {"head_c", "head_v2", "head_v4", "head_v6"}
    statistics = [n for n in before if "running" in n]
    assert statistics
    for name in statistics:
        assert torch.equal(refined.teacher.state_dict()[name], before[name])


def test_the_shared_body_gives_the_students_own_logits(network, target):
    boxes = target[0].anywhere(2, torch.Generator().manual_seed(0))
    losses = target_losses(network, network, boxes, threshold=0.5, smooth_voxels=1.0, margin=1)
    assert losses["keep"].item() == pytest.approx(0.0, abs=1e-5)


def test_the_source_is_learnt_and_seeds_repeat(network, target):
    asked = []

    def source(generator):
        asked.append(1)
        images = torch.randn((2, 16, 16, 16), generator=generator)
        return images, images > 2

    first, events = _run(network, target[0], source, steps=2)
    again, _ = _run(network, target[0], source, steps=2)
    assert len(asked) == 4
    assert events[0].losses["source"] > 0
    for a, b in zip(first.student.parameters(), again.student.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_loss_that_is_no_number_is_said(network, target):
    def source(generator):
        images = torch.full((2, 16, 16, 16), float("nan"))
        return images, images > 2

    with pytest.raises(TrainingError, match="finite"):
        _run(network, target[0], source, steps=1)

"""A pool of target boxes that the network labels once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from napari_voxuda._types import Progress
from napari_voxuda.adaptation.learner import Learner
from napari_voxuda.adaptation.self_labels import (
    LABELLED_BOXES,
    LabelledTarget,
    as_pseudo_labels,
    label_target,
)
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.method.ranked_labels import ranked_pseudo_label
from napari_voxuda.networks.prediction import predict_steadily

from .conftest import BOX, BlobTarget


def labelled(settings: AdaptSettings, seed: int = 0) -> tuple[Learner, LabelledTarget, list[Any]]:
    learner = Learner(settings, torch.device("cpu"), 0)
    for head in ("head_c", "head_v2", "head_v4", "head_v6"):  # an opinion, as if it were trained
        getattr(learner.teacher, head).classifier.weight *= 40
    learner.teacher.head_v6.classifier.bias -= 8
    task = label_target(learner.teacher, BlobTarget(), settings, seed)
    events = []
    try:
        while True:
            events.append(next(task))
    except StopIteration as stop:
        return learner, stop.value, events


def test_labels_are_those_of_the_steady_prediction_by_rank(tiny: AdaptSettings) -> None:
    settings = replace(tiny, mirrors=True, smooth_voxels=1.0)
    learner, pool, events = labelled(settings)
    assert 0.02 < pool.labels.float().mean() < 0.98  # else nothing is tested
    assert pool.boxes.shape == (LABELLED_BOXES, BOX, BOX, BOX)
    probability = predict_steadily(learner.teacher, pool.boxes, mirrors=True, smooth_voxels=1.0)
    wanted = ranked_pseudo_label(probability)
    assert (pool.labels == wanted.labels).float().mean() > 0.999
    assert (pool.confident == wanted.confident).float().mean() > 0.999
    done = [(e.done, e.total) for e in events if isinstance(e, Progress)]
    assert done[0] == (0, LABELLED_BOXES)
    assert done[-1] == (LABELLED_BOXES, LABELLED_BOXES)


def test_the_seed_alone_decides_the_pool(tiny: AdaptSettings) -> None:
    settings = replace(tiny, mirrors=False)
    first, again, other = (labelled(settings, seed)[1] for seed in (0, 0, 1))
    assert torch.equal(first.boxes, again.boxes)
    assert torch.equal(first.labels, again.labels)
    assert not torch.equal(first.boxes, other.boxes)


def test_a_draw_keeps_boxes_and_labels_together() -> None:
    numbers = torch.arange(6.0).view(6, 1, 1, 1).expand(6, 2, 2, 2)
    pool = LabelledTarget(boxes=numbers, labels=numbers > 2, confident=numbers > 0, share=0.5)
    drawn = pool.draw(50, torch.Generator().manual_seed(0))
    boxes, (labels, confident) = as_pseudo_labels(drawn, torch.device("cpu"))
    assert set(boxes.unique().tolist()) == {0, 1, 2, 3, 4, 5}
    assert torch.equal(labels, boxes > 2)
    assert torch.equal(confident, boxes > 0)
    assert labels.dtype == confident.dtype == torch.bool


@pytest.mark.parametrize("mirrors", [False, True])
def test_mirrors_are_a_choice(tiny: AdaptSettings, mirrors: bool) -> None:
    learner, pool, _ = labelled(replace(tiny, mirrors=mirrors, smooth_voxels=0.0))
    plain = predict_steadily(learner.teacher, pool.boxes, mirrors=False, smooth_voxels=0.0)
    same = (pool.labels == ranked_pseudo_label(plain).labels).float().mean().item()
    assert (same > 0.999) is not mirrors

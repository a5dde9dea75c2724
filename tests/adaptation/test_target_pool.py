"""Boxes of the target, predicted a few at a time."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from napari_voxuda.adaptation import target_pool
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.adaptation.target_pool import predict_pool
from napari_voxuda.networks.prediction import predict_steadily
from napari_voxuda.networks.voxresnet import VoxResNet

from .conftest import BOX, BlobTarget


def pool(
    settings: AdaptSettings, seed: int = 0, **options: Any
) -> tuple[VoxResNet, Tensor, Tensor, list[Any]]:
    torch.manual_seed(5)
    network = VoxResNet(settings.network)
    task = predict_pool(network, BlobTarget(), settings, seed, count=32, stage="Trying", **options)
    events = []
    try:
        while True:
            events.append(next(task))
    except StopIteration as stop:
        return network, *stop.value, events


def test_boxes_are_predicted_steadily(tiny: AdaptSettings) -> None:
    network, boxes, probability, _ = pool(tiny)
    assert boxes.shape == probability.shape == (32, BOX, BOX, BOX)
    whole = predict_steadily(network, boxes, mirrors=tiny.mirrors, smooth_voxels=tiny.smooth_voxels)
    torch.testing.assert_close(probability, whole)
    assert probability.std() > 0


def test_the_seed_decides_the_boxes(tiny: AdaptSettings) -> None:
    first, again, other = (pool(tiny, seed)[1] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_network_sees_sixteen_boxes_in_the_view(tiny: AdaptSettings) -> None:
    seen: list[Tensor] = []

    def view(boxes: Tensor) -> Tensor:
        seen.append(boxes)
        return torch.zeros_like(boxes)

    _, boxes, probability, _ = pool(tiny, view=view)
    assert [len(part) for part in seen] == [16, 16]
    assert torch.equal(torch.cat(seen), boxes)
    torch.testing.assert_close(probability, probability[:1].expand_as(probability))


def test_a_run_can_stop_between_a_few_boxes(
    tiny: AdaptSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target_pool, "_VOXELS", 4 * BOX**3 + 1)
    _, _, few, events = pool(tiny)
    assert [event.done for event in events] == list(range(0, 33, 4))
    assert {(event.stage, event.total) for event in events} == {("Trying", 32)}
    monkeypatch.undo()
    _, _, many, events = pool(tiny)
    assert [event.done for event in events] == [0, 16, 32]
    torch.testing.assert_close(few, many)

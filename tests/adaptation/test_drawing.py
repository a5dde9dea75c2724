"""Boxes of a step: image, truth and labels stay together under mirroring."""

from __future__ import annotations

from dataclasses import replace

import torch

from napari_voxuda.adaptation.drawing import draw_source, draw_target, simulate_source
from napari_voxuda.adaptation.noise_match import SourceImages
from napari_voxuda.adaptation.self_labels import LabelledTarget
from napari_voxuda.adaptation.settings import AdaptSettings

from .conftest import BlobSource, BlobTarget

CPU = torch.device("cpu")


def lopsided(count: int) -> torch.Tensor:
    """Return boxes that no mirroring leaves as they are."""
    return torch.arange(count * 4.0**3).reshape(count, 4, 4, 4)


def test_the_source_is_drawn_in_chunks_and_told() -> None:
    source = BlobSource()
    task = simulate_source(source, 20, seed=0)
    events = []
    try:
        while True:
            events.append(next(task))
    except StopIteration as stop:
        pool, variance = stop.value
    assert source.drawn == len(pool.images) == len(pool.masks) == 20
    assert 0 < variance < 1
    assert len(events) == 3


def test_image_truth_and_clean_image_are_mirrored_alike(tiny: AdaptSettings) -> None:
    boxes = lopsided(5)
    pool = SourceImages(images=boxes, clean=2 * boxes, masks=boxes % 3 == 0)
    drawn = draw_source(pool, replace(tiny, batch=40), torch.Generator().manual_seed(0), CPU)
    assert torch.equal(drawn.clean, 2 * drawn.images)
    assert torch.equal(drawn.masks, drawn.images % 3 == 0)
    as_they_were = [any(torch.equal(box, own) for own in boxes) for box in drawn.images]
    assert 0 < sum(as_they_were) < 20  # an eighth of 40
    still = draw_source(
        pool, replace(tiny, batch=40, augment=False), torch.Generator().manual_seed(0), CPU
    )
    assert all(any(torch.equal(box, own) for own in boxes) for box in still.images)


def test_target_boxes_come_with_their_labels_once_there_are_some(tiny: AdaptSettings) -> None:
    generator = torch.Generator().manual_seed(0)
    boxes, labels = draw_target(BlobTarget(), None, tiny, generator, CPU)
    assert boxes.shape == (tiny.batch, 16, 16, 16)
    assert labels is None
    own = lopsided(5)
    pool = LabelledTarget(boxes=own, labels=own % 3 == 0, confident=own % 2 == 0, share=0.3)
    boxes, labels = draw_target(BlobTarget(), pool, replace(tiny, batch=9), generator, CPU)
    assert labels is not None
    assert torch.equal(labels.labels, boxes % 3 == 0)
    assert torch.equal(labels.confident, boxes % 2 == 0)

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_voxuda.adaptation.corrected_target import CorrectedTarget
from napari_voxuda.data.corrections import Corrections
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError


@pytest.fixture
def volume():
    return Volume(data=np.random.default_rng(0).normal(5, 2, (20, 40, 40)).astype(np.float32))


@pytest.fixture
def marks():
    labels = np.zeros((20, 40, 40), np.uint8)
    labels[2, 3, 38] = 1
    labels[18, 30:33, 5] = 2
    return labels


def _target(volume, marks, contrast="bright"):
    corrections = Corrections.from_labels(marks)
    return CorrectedTarget(volume, corrections, contrast=contrast, box=16)


def test_each_box_around_corrections_holds_one(volume, marks):
    boxes = _target(volume, marks).around_corrections(40, torch.Generator().manual_seed(0))
    assert boxes.images.shape == (40, 16, 16, 16)
    assert boxes.known.flatten(1).any(1).all()
    assert boxes.labels.flatten(1).any(1).float().mean() > 0.2  # both places are drawn
    assert not (boxes.labels & ~boxes.known).any()


def test_values_are_normalised_with_protein_bright(volume, marks):
    generator = torch.Generator().manual_seed(0)
    bright = _target(volume, marks).anywhere(60, generator).images
    assert abs(bright.mean()) < 0.1
    assert abs(bright.std() - 1) < 0.1
    dark = _target(volume, marks, "dark").anywhere(60, torch.Generator().manual_seed(0)).images
    torch.testing.assert_close(dark, -bright)


def test_images_and_marks_are_mirrored_alike(marks):
    volume = Volume(data=marks.astype(np.float32))
    boxes = _target(volume, marks).around_corrections(10, torch.Generator().manual_seed(1))
    background = boxes.images.flatten(1).min(1).values
    np.testing.assert_array_equal(
        boxes.known.numpy(), (boxes.images > background.min() + 0.1).numpy()
    )


def test_a_volume_thinner_than_a_box_is_mirrored(marks):
    labels = marks[:10].copy()
    volume = Volume(data=np.random.default_rng(0).normal(size=labels.shape))
    boxes = _target(volume, labels).around_corrections(3, torch.Generator().manual_seed(0))
    assert boxes.images.shape == (3, 16, 16, 16)


def test_no_corrections_and_those_of_another_volume_are_refused(volume, marks):
    with pytest.raises(InputError, match="got none"):
        _target(volume, np.zeros_like(marks))
    with pytest.raises(InputError, match="shape"):
        _target(volume, marks[:10])

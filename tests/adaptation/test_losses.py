"""Voxel losses against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from napari_voxuda.adaptation.losses import pseudo_label_loss, segmentation_loss


def test_cross_entropy_of_an_undecided_network_is_log_two() -> None:
    loss = segmentation_loss(torch.zeros(2, 4, 4, 4), torch.rand(2, 4, 4, 4) < 0.3, dice_weight=0.0)
    assert loss.item() == pytest.approx(math.log(2), rel=1e-6)


def test_dice_term_by_hand() -> None:
    logits = torch.full((1, 1, 1, 4), -100.0)
    logits[..., :2] = 100.0
    mask = torch.tensor([True, False, True, False]).view(1, 1, 1, 4)
    without = segmentation_loss(logits, mask, dice_weight=0.0)
    with_dice = segmentation_loss(logits, mask, dice_weight=1.0)
    assert (with_dice - without).item() == pytest.approx(1 - (2 * 1 + 1) / (2 + 2 + 1), abs=1e-5)


def test_a_perfect_prediction_costs_nothing() -> None:
    mask = torch.rand(2, 4, 4, 4) < 0.5
    logits = torch.where(mask, 50.0, -50.0)
    assert segmentation_loss(logits, mask).item() == pytest.approx(0.0, abs=1e-4)


def test_voxels_without_confidence_do_not_count() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 4, 4, 4, requires_grad=True)
    labels = torch.rand(2, 4, 4, 4) < 0.5
    confident = torch.rand(2, 4, 4, 4) < 0.5
    loss = pseudo_label_loss(logits, labels, confident)
    changed = torch.where(confident, labels, ~labels)
    assert pseudo_label_loss(logits, changed, confident).item() == loss.item()
    loss.backward()
    assert logits.grad is not None
    assert (logits.grad[~confident] == 0).all()
    assert (logits.grad[confident] != 0).all()


def test_no_confident_voxel_gives_no_gradient_and_no_nan() -> None:
    logits = torch.randn(1, 4, 4, 4, requires_grad=True)
    nothing = torch.zeros(1, 4, 4, 4, dtype=torch.bool)
    loss = pseudo_label_loss(logits, nothing, nothing)
    loss.backward()
    assert loss.item() == pytest.approx(0.0, abs=1e-6)
    assert logits.grad is not None
    assert (logits.grad == 0).all()

"""A short adaptation to voxels that the user corrected, starting from an adapted network.

The student learns three things at once: the corrected voxels, the simulated source as before, and
its own earlier prediction wherever that was sure and nothing was corrected nearby, so that it does not
forget. The statistics of BatchNorm stay as they are: a handful of boxes would distort them.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from napari_voxuda._types import Event, Task
from napari_voxuda.adaptation.corrected_target import CorrectedBoxes, CorrectedTarget
from napari_voxuda.adaptation.losses import segmentation_loss
from napari_voxuda.adaptation.refine_settings import RefineSettings
from napari_voxuda.adaptation.triton import load_triton
from napari_voxuda.errors import TrainingError
from napari_voxuda.method.pseudo_labels import ema_update
from napari_voxuda.networks.prediction import move_threshold
from napari_voxuda.networks.voxresnet import VoxResNet, predict_probability

__all__ = ["DrawSource", "RefineStep", "Refined", "correction_loss", "keep_loss", "refine"]

DrawSource = Callable[[torch.Generator], tuple[Tensor, Tensor]]
"""Draws source boxes with the target's noise and their masks, (n, d, h, w) each."""


@dataclass(frozen=True, kw_only=True)
class RefineStep(Event):
    """One optimisation step of a refinement.

    Parameters
    ----------
    step, total : int
        Steps done and in all.
    losses : dict of float
        ``corrections``, ``keep`` and ``source``, unweighted.
    """

    step: int
    total: int
    losses: dict[str, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Refined:
    """What a refinement has learnt.

    Parameters
    ----------
    student, teacher : VoxResNet
        The trained network, and the moving average of its weights; in evaluation mode.
    """

    student: VoxResNet
    teacher: VoxResNet


def refine(
    start: VoxResNet,
    target: CorrectedTarget,
    source: DrawSource | None,
    settings: RefineSettings,
    *,
    threshold: float,
    seed: int,
) -> Task[Refined]:
    """Adapt a network to corrected voxels.

    Parameters
    ----------
    start : VoxResNet
        The network that is refined; left as it is.
    target : CorrectedTarget
        Boxes with corrected voxels.
    source : callable or None
        Draws source boxes; without, nothing is learnt from the source.
    settings : RefineSettings
        Steps and weights.
    threshold : float
        The network's threshold, in (0, 1): corrected voxels are moved to its other side.
    seed : int
        Seed of the drawing.

    Yields
    ------
    RefineStep
        After each step.

    Raises
    ------
    TrainingError
        When a loss is not finite.
    """
    student = copy.deepcopy(start).eval().requires_grad_(True)
    teacher = copy.deepcopy(start).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    device = next(start.parameters()).device
    load_triton()  # torch would, and might crash
    optimiser = torch.optim.Adam(student.parameters(), lr=settings.learning_rate)
    for step in range(settings.steps):
        fraction = 0.5 * (1 + math.cos(math.pi * step / settings.steps))
        for group in optimiser.param_groups:
            group["lr"] = settings.learning_rate * fraction
        near = target.around_corrections(settings.batch, generator).to(device)
        far = target.anywhere(settings.batch, generator).to(device)
        boxes = CorrectedBoxes(
            images=torch.cat([near.images, far.images]),
            labels=torch.cat([near.labels, far.labels]),
            known=torch.cat([near.known, far.known]),
        )
        losses = _losses(start, student, boxes, source, settings, threshold, generator)
        loss = (
            settings.correction_weight * losses["corrections"]
            + settings.keep_weight * losses["keep"]
            + settings.source_weight * losses["source"]
        )
        _optimise(optimiser, student, loss)
        ema_update(teacher, student, min(settings.ema_decay, (1 + step) / (10 + step)))
        yield RefineStep(
            step=step + 1,
            total=settings.steps,
            losses={name: value.item() for name, value in losses.items()},
        )
    return Refined(student=student.requires_grad_(False), teacher=teacher)


def correction_loss(logits: Tensor, boxes: CorrectedBoxes, threshold: float) -> Tensor:
    """Return the cross-entropy of the corrected voxels, particle and background weighed alike.

    Parameters
    ----------
    logits : Tensor
        (n, d, h, w) foreground logits.
    boxes : CorrectedBoxes
        What the user says of their voxels; 0 where that is nothing.
    threshold : float
        Probability in (0, 1) from which on the network calls a voxel foreground.
    """
    shifted = logits - math.log(threshold / (1 - threshold))
    entropy = F.binary_cross_entropy_with_logits(
        shifted, boxes.labels.to(logits.dtype), reduction="none"
    )
    parts = [
        entropy[chosen].mean()
        for chosen in (boxes.known & boxes.labels, boxes.known & ~boxes.labels)
        if chosen.any()
    ]
    return torch.stack(parts).mean() if parts else logits.new_zeros(())


def keep_loss(
    logits: Tensor, before: Tensor, known: Tensor, *, threshold: float, margin: int
) -> Tensor:
    """Return how far the prediction has moved where nothing was corrected.

    Parameters
    ----------
    logits : Tensor
        (n, d, h, w) foreground logits.
    before : Tensor
        (n, d, h, w) the earlier probability.
    known : Tensor
        (n, d, h, w) bool, the corrected voxels; those within `margin` of one do not count either.
    threshold : float
        The network's threshold: a voxel counts the more, the farther it was from it.
    margin : int
        In voxels along the axes.
    """
    free = known.float().unsqueeze(1)
    if margin:
        free = F.max_pool3d(free, 2 * margin + 1, stride=1, padding=margin)
    sure = (2 * move_threshold(before, threshold) - 1).abs()
    weight = sure * (1 - free.squeeze(1))
    # The difference of two cross-entropies, 0 where nothing has moved.
    moved = F.binary_cross_entropy_with_logits(logits, before, reduction="none")
    least = F.binary_cross_entropy(before, before, reduction="none")
    return ((moved - least) * weight).sum() / weight.sum().clamp(min=1)


def _losses(
    start: VoxResNet,
    student: VoxResNet,
    boxes: CorrectedBoxes,
    source: DrawSource | None,
    settings: RefineSettings,
    threshold: float,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    before = predict_probability(start, boxes.images).clone()  # no inference tensor
    flows = [boxes.images]
    masks = None
    if source is not None and settings.source_weight > 0:
        images, masks = source(generator)
        flows.append(images)
    logits, _ = student(torch.cat(flows))
    count = len(boxes.images)
    target = logits[:count]
    return {
        "corrections": correction_loss(target, boxes, threshold),
        "keep": keep_loss(
            target, before, boxes.known, threshold=threshold, margin=settings.margin
        ),
        "source": logits.new_zeros(())
        if masks is None
        else segmentation_loss(logits[count:], masks, 0.0),
    }


def _optimise(optimiser: torch.optim.Optimizer, student: VoxResNet, loss: Tensor) -> None:
    if not torch.isfinite(loss):
        raise TrainingError(
            f"refine: a finite loss was wanted, got {loss.item()}. Take a smaller learning rate."
        )
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(student.parameters(), 5.0)
    optimiser.step()

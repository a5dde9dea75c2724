"""A short adaptation to voxels that the user corrected, starting from an adapted network.

Only the network's four heads learn. A few corrections hold the noise of a few boxes, and a whole network that is
trained on them learns that noise by heart: tried on synthetic tomograms, it ranked all other voxels worse
than before, while the heads ranked them slightly better. For the same reason the corrected voxels are judged after
the smoothing that a prediction gets.

Three things are learnt at once: the corrected voxels, the simulated source as before, and the
earlier prediction wherever nothing was corrected nearby, so that it is not forgotten. The statistics of
BatchNorm stay as they are: a handful of boxes would distort them.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from napari_voxuda._types import Progress, Task
from napari_voxuda.adaptation.corrected_target import CorrectedBoxes, CorrectedTarget
from napari_voxuda.adaptation.losses import segmentation_loss
from napari_voxuda.adaptation.refine_settings import RefineSettings
from napari_voxuda.adaptation.triton import load_triton
from napari_voxuda.errors import TrainingError
from napari_voxuda.method.pseudo_labels import ema_update
from napari_voxuda.networks.prediction import move_threshold, smooth_probability
from napari_voxuda.networks.voxresnet import VoxResNet

__all__ = [
    "DrawSource",
    "RefineStep",
    "Refined",
    "correction_loss",
    "keep_loss",
    "refine",
    "target_losses",
]

_MARGIN = 1.0  # log-odds; a told probability of 0.73

DrawSource = Callable[[torch.Generator], tuple[Tensor, Tensor]]
"""Draws source boxes with the target's noise and their masks, (n, d, h, w) each."""


@dataclass(frozen=True, kw_only=True)
class RefineStep(Progress):
    """One optimisation step of a refinement.

    Parameters
    ----------
    losses : dict of float
        ``corrections``, ``keep`` and ``source``, unweighted.
    """

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
    smooth_voxels: float,
    seed: int,
) -> Task[Refined]:
    """Adapt a network's heads to corrected voxels.

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
    smooth_voxels : float
        Standard deviation in voxels of the Gaussian that smooths the network's predictions.
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
    student = copy.deepcopy(start).eval().requires_grad_(False)
    teacher = copy.deepcopy(student)
    learnt = [p for head in _heads(student) for p in head.requires_grad_(True).parameters()]
    generator = torch.Generator().manual_seed(seed)
    device = next(start.parameters()).device
    load_triton()  # torch would, and might crash
    optimiser = torch.optim.Adam(learnt, lr=settings.learning_rate)
    weights = {
        "corrections": settings.correction_weight,
        "keep": settings.keep_weight,
        "source": settings.source_weight,
    }
    for step in range(settings.steps):
        for group in optimiser.param_groups:
            cosine = 0.5 * (1 + math.cos(math.pi * step / settings.steps))
            group["lr"] = settings.learning_rate * cosine
        boxes = _draw(target, settings, generator, device)
        losses = target_losses(
            start,
            student,
            boxes,
            threshold=threshold,
            smooth_voxels=smooth_voxels,
            margin=settings.margin,
        )
        losses["source"] = boxes.images.new_zeros(())
        if source is not None and settings.source_weight > 0:
            images, masks = source(generator)
            losses["source"] = segmentation_loss(student(images)[0], masks, 0.0)
        loss = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
        _optimise(optimiser, learnt, loss)
        ema_update(teacher, student, min(settings.ema_decay, (1 + step) / (10 + step)))
        yield RefineStep(
            stage="Refining",
            done=step + 1,
            total=settings.steps,
            losses={name: value.item() for name, value in losses.items()},
        )
    return Refined(student=student.requires_grad_(False), teacher=teacher)


def target_losses(
    start: VoxResNet,
    student: VoxResNet,
    boxes: CorrectedBoxes,
    *,
    threshold: float,
    smooth_voxels: float,
    margin: int,
) -> dict[str, Tensor]:
    """Return the losses ``corrections`` and ``keep`` of target boxes; see the functions below.

    `student` must have the body of `start`, whose features are computed once for both.
    """
    start.eval()
    with torch.no_grad():
        earlier, features = start(boxes.images)
    logits = torch.stack(
        [head(tap) for head, tap in zip(_heads(student), features, strict=True)]
    ).sum(0)
    logits = smooth_probability(logits.squeeze(1), smooth_voxels)
    before = torch.sigmoid(smooth_probability(earlier, smooth_voxels))
    return {
        "corrections": correction_loss(logits, boxes, threshold),
        "keep": keep_loss(logits, before, boxes.known, threshold=threshold, margin=margin),
    }


def correction_loss(logits: Tensor, boxes: CorrectedBoxes, threshold: float) -> Tensor:
    """Return how far corrected voxels are from the right side of the threshold.

    Parameters
    ----------
    logits : Tensor
        (n, d, h, w) foreground logits.
    boxes : CorrectedBoxes
        What the user says of their voxels; the loss is 0 where that is nothing.
    threshold : float
        Probability in (0, 1) from which on the network calls a voxel foreground.

    Notes
    -----
    A squared hinge on the log-odds beyond the threshold with a margin of 1. Voxels that are right by
    the margin count nothing: under cross-entropy a user who confirms much background would push the
    whole tomogram to background.
    """
    beyond = logits - _log_odds(threshold)
    short = F.relu(_MARGIN - torch.where(boxes.labels, beyond, -beyond)).square()
    return (short * boxes.known).sum() / boxes.known.sum().clamp(min=1)


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
        The network's threshold; probabilities are compared as they are told, with 0.5 there.
    margin : int
        In voxels along the axes.

    Notes
    -----
    Cross-entropy less its smallest value, averaged over what was foreground and what was background
    apart, since there is little of the first.
    """
    near = known.float().unsqueeze(1)
    if margin:
        near = F.max_pool3d(near, 2 * margin + 1, stride=1, padding=margin)
    free = near.squeeze(1) == 0
    told = move_threshold(before, threshold)
    moved = F.binary_cross_entropy_with_logits(
        logits - _log_odds(threshold), told, reduction="none"
    ) - F.binary_cross_entropy(told, told, reduction="none")
    parts = [
        moved[chosen].mean()
        for chosen in (free & (told >= 0.5), free & (told < 0.5))
        if chosen.any()
    ]
    return torch.stack(parts).mean() if parts else logits.new_zeros(())


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _heads(network: VoxResNet) -> tuple[torch.nn.Module, ...]:
    return network.head_c, network.head_v2, network.head_v4, network.head_v6


def _draw(
    target: CorrectedTarget,
    settings: RefineSettings,
    generator: torch.Generator,
    device: torch.device,
) -> CorrectedBoxes:
    near = target.around_corrections(settings.batch, generator).to(device)
    far = target.anywhere(settings.batch, generator).to(device)
    return CorrectedBoxes(
        images=torch.cat([near.images, far.images]),
        labels=torch.cat([near.labels, far.labels]),
        known=torch.cat([near.known, far.known]),
    )


def _optimise(
    optimiser: torch.optim.Optimizer, learnt: list[torch.nn.Parameter], loss: Tensor
) -> None:
    if not torch.isfinite(loss):
        raise TrainingError(
            f"refine: a finite loss was wanted, got {loss.item()}. Take a smaller learning rate."
        )
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(learnt, 5.0)
    optimiser.step()

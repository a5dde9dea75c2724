"""Labels that the network gives the target once, in the middle of a run, and then learns from.

The published teacher labels anew in every step while it follows the student; what it gets wrong, both
talk each other into. Here a copy of the teacher labels a pool of target boxes a single time, as steadily as it
can (mirror images, smoothing) and by rank, and training goes on with the source and these labels.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from napari_voxuda._types import Event
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.adaptation.target_pool import predict_pool
from napari_voxuda.data.targets import Target
from napari_voxuda.method.denoising import denoise
from napari_voxuda.method.expected_dice import mean_size_share
from napari_voxuda.method.pseudo_labels import PseudoLabels
from napari_voxuda.method.ranked_labels import ranked_pseudo_label
from napari_voxuda.networks.voxresnet import VoxResNet

__all__ = ["LABELLED_BOXES", "LabelledTarget", "as_pseudo_labels", "label_target", "teacher_view"]

LABELLED_BOXES = 192
"""Target boxes that are labelled; with 32³ boxes 6 million voxels, 40 MB. Fewer leave the size of the mask to chance."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledTarget:
    """A pool of target boxes with the labels that the network gave them.

    Parameters
    ----------
    boxes : Tensor
        (n, d, h, w) float32, normalised, protein bright.
    labels, confident : Tensor
        (n, d, h, w) bool; see `PseudoLabels`.
    share : float
        Of foreground, in [0, 1], as the network saw it (`mean_size_share`). After learning its own labels
        it sees more.
    """

    boxes: Tensor
    labels: Tensor
    confident: Tensor
    share: float

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return (3, count, d, h, w) float32: boxes, labels and confidence, drawn at random."""
        chosen = torch.randint(len(self.boxes), (count,), generator=generator)
        parts = (self.boxes[chosen], self.labels[chosen].float(), self.confident[chosen].float())
        return torch.stack(parts)


def label_target(
    labeller: VoxResNet, target: Target, settings: AdaptSettings, seed: int
) -> Generator[Event, None, LabelledTarget]:
    """Label a pool of target boxes, chosen by the seed alone so that a resumed run has the same.

    Parameters
    ----------
    labeller : VoxResNet
        The network that labels.
    target : Target
        Where boxes are drawn.
    settings : AdaptSettings
        ``teacher_input``, ``denoise``, ``mirrors`` and ``smooth_voxels`` are used.
    seed : int
        Seed of the drawing.

    Yields
    ------
    Progress
        After every few boxes.
    """
    boxes, probabilities = yield from predict_pool(
        labeller,
        target,
        settings,
        seed,
        count=LABELLED_BOXES,
        stage="Labelling the target",
        view=partial(teacher_view, settings=settings),
    )
    labels, confident = ranked_pseudo_label(probabilities)
    share = mean_size_share(probabilities)
    return LabelledTarget(boxes=boxes, labels=labels, confident=confident, share=share)


def teacher_view(target: Tensor, settings: AdaptSettings) -> Tensor:
    """Return target boxes (n, d, h, w) as the teacher sees them: denoised, on their own scale."""
    if settings.teacher_input == "raw":
        return target
    denoised = denoise(target, settings.denoise)
    # Without the target's own scale again the teacher calls everything background.
    scale = target.std() / denoised.std().clamp(min=1e-6)
    return (denoised - denoised.mean()) * scale + target.mean()


def as_pseudo_labels(drawn: Tensor, device: torch.device) -> tuple[Tensor, PseudoLabels]:
    """Split what `LabelledTarget.draw` returned into boxes and labels on a device."""
    boxes, labels, confident = drawn.to(device)
    return boxes, PseudoLabels(labels=labels > 0.5, confident=confident > 0.5)

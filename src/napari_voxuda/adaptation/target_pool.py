"""Boxes of the target as a network sees them, predicted a few at a time so that a run can stop in between."""

from __future__ import annotations

from collections.abc import Callable, Generator

import torch
from torch import Tensor

from napari_voxuda._types import Progress
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.data.targets import Target
from napari_voxuda.networks.prediction import predict_steadily
from napari_voxuda.networks.voxresnet import VoxResNet

__all__ = ["predict_pool"]

_DRAWN = 16
_VOXELS = 1 << 17  # at once: half a second of a core, after which a run can be stopped


def predict_pool(
    network: VoxResNet,
    target: Target,
    settings: AdaptSettings,
    seed: int,
    *,
    count: int,
    stage: str,
    view: Callable[[Tensor], Tensor] = lambda boxes: boxes,
) -> Generator[Progress, None, tuple[Tensor, Tensor]]:
    """Draw boxes, chosen by the seed alone so that a resumed run has the same, and predict them steadily.

    Parameters
    ----------
    network : VoxResNet
        The network; boxes are predicted on its device.
    target : Target
        Where boxes are drawn.
    settings : AdaptSettings
        ``mirrors`` and ``smooth_voxels`` are used.
    seed : int
        Seed of the drawing.
    count : int
        Number of boxes, a multiple of 16.
    stage : str
        Name of the work in its progress.
    view : callable
        Makes of 16 boxes what the network sees of them.

    Yields
    ------
    Progress
        Before each few boxes, and at the end.

    Returns
    -------
    tuple of Tensor
        The boxes as drawn and their foreground probabilities, both (count, d, h, w) on the CPU.
    """
    device = next(network.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    boxes: list[Tensor] = []
    probabilities: list[Tensor] = []
    for start in range(0, count, _DRAWN):
        yield Progress(stage=stage, done=start, total=count)
        boxes.append(target.draw(_DRAWN, generator))
        few = max(1, _VOXELS // boxes[-1][0].numel())
        for first, part in enumerate(torch.split(view(boxes[-1].to(device)), few)):
            if first:
                yield Progress(stage=stage, done=start + first * few, total=count)
            probability = predict_steadily(
                network, part, mirrors=settings.mirrors, smooth_voxels=settings.smooth_voxels
            )
            probabilities.append(probability.cpu())
    yield Progress(stage=stage, done=count, total=count)
    return torch.cat(boxes), torch.cat(probabilities)

"""The boxes of a step: drawn from the simulated source and from the target."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol

import torch
from torch import Tensor

from napari_voxuda._types import Event, Progress
from napari_voxuda.adaptation.noise_match import SourceImages
from napari_voxuda.adaptation.self_labels import LabelledTarget, as_pseudo_labels
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.data.targets import Target
from napari_voxuda.method.pseudo_labels import PseudoLabels

__all__ = ["LabelledSource", "draw_source", "draw_target", "simulate_source"]

_CHUNK = 16


class _Labelled(Protocol):
    @property
    def images(self) -> Tensor: ...
    @property
    def clean(self) -> Tensor: ...
    @property
    def masks(self) -> Tensor: ...
    @property
    def signal_variance(self) -> Tensor: ...


class LabelledSource(Protocol):
    """Anything that draws labelled boxes."""

    def draw(self, count: int, generator: torch.Generator) -> _Labelled:
        """Return `count` boxes: ``images``, ``clean``, ``masks``, each (count, d, h, w).

        And ``signal_variance`` (count,), that of the labelled molecules in each box.
        """
        ...


def simulate_source(
    source: LabelledSource, count: int, seed: int
) -> Generator[Event, None, tuple[SourceImages, float]]:
    """Draw the source's boxes once; return them and the mean variance of their molecules."""
    generator = torch.Generator().manual_seed(seed)
    parts: list[SourceImages] = []
    variances: list[Tensor] = []
    for start in range(0, count, _CHUNK):
        yield Progress(stage="Simulating the source", done=start, total=count)
        drawn = source.draw(min(_CHUNK, count - start), generator)
        variances.append(drawn.signal_variance)
        parts.append(SourceImages(images=drawn.images, clean=drawn.clean, masks=drawn.masks))
    yield Progress(stage="Simulating the source", done=count, total=count)
    pool = SourceImages(
        images=torch.cat([p.images for p in parts]),
        clean=torch.cat([p.clean for p in parts]),
        masks=torch.cat([p.masks for p in parts]),
    )
    return pool, max(torch.cat(variances).mean().item(), 1e-12)


def draw_source(
    pool: SourceImages,
    settings: AdaptSettings,
    generator: torch.Generator,
    device: torch.device,
) -> SourceImages:
    """Draw source boxes of one step."""
    chosen = torch.randint(len(pool.images), (settings.batch,), generator=generator)
    picked = torch.stack([pool.images[chosen], pool.clean[chosen], pool.masks[chosen].float()])
    # One mirror image for all three, so that they stay aligned.
    images, clean, masks = _mirror(picked.transpose(0, 1), settings, generator).transpose(0, 1)
    return SourceImages(
        images=images.to(device), clean=clean.to(device), masks=masks.to(device) > 0.5
    )


def draw_target(
    target: Target,
    labelled: LabelledTarget | None,
    settings: AdaptSettings,
    generator: torch.Generator,
    device: torch.device,
) -> tuple[Tensor, PseudoLabels | None]:
    """Draw target boxes: with their labels, once there are some."""
    if labelled is None:
        drawn = target.draw(settings.batch, generator)
        return _mirror(drawn, settings, generator).to(device), None
    mirrored = _mirror(
        labelled.draw(settings.batch, generator).transpose(0, 1), settings, generator
    )
    return as_pseudo_labels(mirrored.transpose(0, 1), device)


def _mirror(boxes: Tensor, settings: AdaptSettings, generator: torch.Generator) -> Tensor:
    """Mirror each box along a random choice of axes, which keeps the missing wedge in place."""
    if not settings.augment:
        return boxes
    flips = torch.rand((len(boxes), 3), generator=generator) < 0.5
    mirrored = [
        box.flip([axis - 3 for axis in range(3) if flip[axis]])
        for box, flip in zip(boxes, flips.tolist(), strict=True)
    ]
    return torch.stack(mirrored)

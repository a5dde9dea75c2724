"""A small target and source that need no simulator."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from napari_voxuda._types import Event, Normalisation
from napari_voxuda.adaptation import loop
from napari_voxuda.adaptation.learner import Learner
from napari_voxuda.adaptation.loop import adapt
from napari_voxuda.adaptation.run_folder import RunFolder
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.data.targets import Target
from napari_voxuda.networks.settings import NetworkSettings

BOX = 16
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Batch:
    images: torch.Tensor
    clean: torch.Tensor
    masks: torch.Tensor
    signal_variance: torch.Tensor


def blobs(count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a bright ball in each box, and its mask."""
    axis = torch.arange(BOX, dtype=torch.float32)
    grid = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"))
    centre = 4 + 8 * torch.rand((count, 3, 1, 1, 1), generator=generator)
    masks = (grid - centre).square().sum(dim=1) < 9
    return masks.float() - masks.float().mean(dim=(1, 2, 3), keepdim=True), masks


class BlobSource:
    """Balls in white noise; counts its draws."""

    def __init__(self) -> None:
        self.drawn = 0

    def draw(self, count: int, generator: torch.Generator) -> Batch:
        self.drawn += count
        clean, masks = blobs(count, generator)
        noise = 0.3 * torch.randn(clean.shape, generator=generator)
        return Batch(
            images=clean + noise,
            clean=clean,
            masks=masks,
            signal_variance=clean.var(dim=(1, 2, 3)),
        )


class BlobTarget(Target):
    """Balls in stronger noise."""

    box = BOX

    def __init__(self, normalisation: Normalisation = "volume") -> None:
        self.normalisation = normalisation

    def draw(self, count: int, generator: torch.Generator) -> torch.Tensor:
        clean, _ = blobs(count, generator)
        return clean + torch.randn(clean.shape, generator=generator)

    def describe(self) -> dict[str, Any]:
        return {"kind": "blobs"}


@pytest.fixture
def source() -> BlobSource:
    return BlobSource()


@pytest.fixture
def target() -> BlobTarget:
    return BlobTarget()


@pytest.fixture
def tiny() -> AdaptSettings:
    return AdaptSettings(
        steps=6,
        batch=2,
        network=NetworkSettings(stem=2, body=4),
        noise_samples=3,
        pseudo_labels="balanced",
        pseudo_start=0.3,
        consistency_weight=1.0,
        discriminator_weight=1.0,
        mirrors=False,
        checkpoint_every=2,
        preview_every=3,
    )


@pytest.fixture
def learners(monkeypatch: pytest.MonkeyPatch) -> list[Learner]:
    """Return the learners that runs have made, while they are trained."""
    made: list[Learner] = []

    def make(*args: Any) -> Learner:
        made.append(Learner(*args))
        return made[-1]

    monkeypatch.setattr(loop, "Learner", make)
    return made


def start(settings: AdaptSettings, run: RunFolder | None = None) -> Generator[Event, None, Learner]:
    """Begin to adapt to blobs."""
    return adapt(BlobSource(), BlobTarget(), settings, source_count=20, seed=0, device=CPU, run=run)


def finish(task: Generator[Event, None, Learner]) -> tuple[list[Event], Learner]:
    """Return the events and the result of a task."""
    events = []
    try:
        while True:
            events.append(next(task))
    except StopIteration as stop:
        return events, stop.value

"""Measure how far the source is from the target, before and after noise matching, on a run's boxes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_voxuda._types import Contrast, Progress, Task
from napari_voxuda.adaptation.domain_gap import Domain, DomainGap
from napari_voxuda.adaptation.drawing import LabelledSource, draw_source, simulate_source
from napari_voxuda.adaptation.noise_match import SourceImages, match_noise
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.data.normalise import z_score
from napari_voxuda.data.targets import Target
from napari_voxuda.method.fourier import high_pass
from napari_voxuda.method.noise_generation import target_noise_variance
from napari_voxuda.method.radial_spectrum import radial_frequencies, radial_power

__all__ = ["measure_gap"]

_POOL = 32
_FEWEST_BOXES = 48
_MOST_VOXELS = 1 << 26
_LIMIT, _BINS = 6.0, 120
_KERNEL = np.exp(-0.5 * (np.arange(-8, 9) / 2.0) ** 2)  # a fifth of a standard deviation
_SIGNAL_SHARE = 0.05
_FEWEST_SHELLS = 3


def measure_gap(
    source: LabelledSource,
    target: Target,
    settings: AdaptSettings,
    *,
    source_count: int,
    seed: int,
    voxel_size_angstrom: float,
    contrast: Contrast = "bright",
) -> Task[DomainGap]:
    """Measure the gap on a few tens of boxes, drawn, noised and normalised as a run does it.

    Parameters
    ----------
    source : LabelledSource
        Labelled boxes; the first 32 that a run would simulate are used.
    target : Target
        Unlabelled boxes.
    settings : AdaptSettings
        How the source is given the target's noise.
    source_count : int
        Source boxes of the run.
    seed : int
        Seed of everything random.
    voxel_size_angstrom : float
        Voxel size of both, in Å.
    contrast : {"bright", "dark"}
        Contrast of protein in the target's file; told in the result.

    Yields
    ------
    Progress
        While simulating and while measuring.
    """
    pool, signal_variance = yield from simulate_source(source, min(source_count, _POOL), seed)
    generator = torch.Generator().manual_seed(seed)
    cpu = torch.device("cpu")
    tally = _Tally(settings)
    steps = _step_count(settings, target.box)
    for step in range(steps):
        yield Progress(stage="Measuring the gap", done=step, total=steps)
        drawn = draw_source(pool, settings, generator, cpu)
        subset = target.draw(settings.noise_samples, generator)
        matched = None
        if settings.noise != "none":
            matched = match_noise(
                drawn,
                subset,
                settings,
                signal_variance=signal_variance,
                normalisation=target.normalisation,
                generator=generator,
            )
        tally.add(drawn, subset, matched)
    yield Progress(stage="Measuring the gap", done=steps, total=steps)
    return tally.result(target.box, voxel_size_angstrom, contrast)


def _step_count(settings: AdaptSettings, box: int) -> int:
    """Return how many steps' boxes are enough, or as many as are quickly measured."""
    wanted = math.ceil(_FEWEST_BOXES / min(settings.batch, settings.noise_samples))
    quick = _MOST_VOXELS // ((settings.batch + settings.noise_samples) * box**3)
    return max(1, min(wanted, quick))


@dataclass(eq=False)
class _Sums:
    """Sums over the boxes of one domain."""

    pass_fraction: float
    boxes: int = 0
    power: Tensor | float = 0.0
    counts: Tensor | float = 0.0
    variance: float = 0.0
    noise: float = 0.0
    image: npt.NDArray[np.float32] | None = None

    def add(self, boxes: Tensor, shown: int) -> None:
        count = len(boxes)
        self.boxes += count
        self.power = self.power + radial_power(boxes).double().sum(dim=0)
        self.counts = (
            self.counts + torch.histc(boxes, _BINS, -_LIMIT, _LIMIT).double() / boxes[0].numel()
        )
        self.variance += float(boxes.var(dim=(1, 2, 3), correction=0).sum())
        noise = target_noise_variance(boxes, self.pass_fraction, estimate="calibrated")
        self.noise += float(noise) * count
        if self.image is None:
            self.image = _central(boxes[shown])

    def domain(self) -> Domain:
        image = self.image if self.image is not None else np.zeros((1, 1), np.float32)
        width = 2 * _LIMIT / _BINS
        return Domain(
            power=np.asarray(self.power / self.boxes),
            density=_smoothed(np.asarray(self.counts / (self.boxes * width))),
            spread=math.sqrt(self.variance / self.boxes),
            noise=math.sqrt(self.noise / self.boxes),
            image=image,
        )


@dataclass(eq=False)
class _Tally:
    """What has been measured so far."""

    settings: AdaptSettings
    sigma_t: list[float] = field(default_factory=list)
    signal: Tensor | float = 0.0
    residual: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        fraction = self.settings.noise_pass_fraction
        self.target, self.source, self.matched = (_Sums(fraction) for _ in range(3))

    def add(self, drawn: SourceImages, subset: Tensor, matched: Tensor | None) -> None:
        fraction = self.settings.noise_pass_fraction
        middle = drawn.masks.shape[1] // 2
        fullest = int(drawn.masks[:, middle].sum(dim=(1, 2)).argmax())
        before = z_score(drawn.images)
        self.target.add(subset, 0)
        self.source.add(before, fullest)
        if matched is not None:
            self.matched.add(matched, fullest)
        learnt = before if matched is None else matched
        self.signal = self.signal + _signal_power(learnt, drawn.clean).double().sum(dim=0)
        self.sigma_t.append(float(target_noise_variance(subset, fraction).sqrt()))
        if self.residual is None:
            self.residual = _central(high_pass(subset[0], fraction))

    def result(self, box: int, voxel_size_angstrom: float, contrast: Contrast) -> DomainGap:
        target, source = self.target.domain(), self.source.domain()
        signal = np.asarray(self.signal / self.source.boxes)
        noisy = signal < _SIGNAL_SHARE * target.power
        has_band = int(noisy.sum()) >= _FEWEST_SHELLS
        if not has_band:
            noisy = np.arange(len(noisy)) >= len(noisy) - max(1, len(noisy) // 3)
        return DomainGap(
            frequencies=radial_frequencies(box).numpy(),
            voxel_size_angstrom=voxel_size_angstrom,
            edges=np.linspace(-_LIMIT, _LIMIT, _BINS + 1),
            target=target,
            source=source,
            matched=self.matched.domain() if self.matched.boxes else None,
            signal=signal,
            noisy=noisy,
            has_noisy_band=has_band,
            sigma_t=tuple(self.sigma_t),
            residual=self.residual if self.residual is not None else np.zeros((1, 1), np.float32),
            settings=self.settings,
            contrast=contrast,
            target_boxes=self.target.boxes,
            source_boxes=self.source.boxes,
        )


def _smoothed(density: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a histogram without the comb that files of whole numbers would show."""
    return np.convolve(density, _KERNEL / _KERNEL.sum(), mode="same")


def _signal_power(boxes: Tensor, clean: Tensor) -> Tensor:
    """Return (n, shells): the power of the part of each box that is its noise-free image."""
    inner = (1, 2, 3)
    image = clean - clean.mean(dim=inner, keepdim=True)
    square = image.square().sum(dim=inner)
    gain = (boxes * image).sum(dim=inner) / square.clamp(min=1e-30)
    gain = torch.where(square > 1e-6 * square.mean(), gain, 0.0)  # an empty box has no signal
    return gain.square()[:, None] * radial_power(clean)


def _central(box: Tensor) -> npt.NDArray[np.float32]:
    return box[len(box) // 2].float().numpy().copy()

"""The gap between a source and a target that are known."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from napari_voxuda._types import Normalisation, Progress
from napari_voxuda.adaptation.domain_gap import DomainGap
from napari_voxuda.adaptation.measure_gap import measure_gap
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.data.targets import SubtomogramTarget, Target
from napari_voxuda.io.folders import find_pairs
from napari_voxuda.io.mrc import read_mrc
from napari_voxuda.method.fourier import high_pass
from napari_voxuda.method.noise_generation import target_noise_variance
from napari_voxuda.method.radial_spectrum import radial_power
from napari_voxuda.simulation.settings import SourceSettings
from napari_voxuda.simulation.source import make_source

BOX = 16
SETTINGS = AdaptSettings(snr=(0.05, 0.05), batch=6)


@dataclass(frozen=True)
class Batch:
    images: torch.Tensor
    clean: torch.Tensor
    masks: torch.Tensor
    signal_variance: torch.Tensor


class WaveSource:
    """One slow wave of variance 1 in white noise of a chosen strength."""

    def __init__(self, noise: float) -> None:
        self.noise = noise

    def draw(self, count: int, generator: torch.Generator) -> Batch:
        wave = math.sqrt(2) * torch.cos(2 * math.pi * torch.arange(BOX) / BOX)
        clean = wave.expand(count, BOX, BOX, BOX).clone()
        noise = self.noise * torch.randn(clean.shape, generator=generator)
        return Batch(
            images=clean + noise, clean=clean, masks=clean > 1, signal_variance=clean.var((1, 2, 3))
        )


class WhiteTarget(Target):
    """White noise of variance 1."""

    box = BOX
    normalisation: Normalisation = "volume"

    def draw(self, count: int, generator: torch.Generator) -> torch.Tensor:
        return torch.randn((count, BOX, BOX, BOX), generator=generator)

    def describe(self) -> dict[str, Any]:
        return {}


class OneSetTarget(WhiteTarget):
    """The same boxes in every draw."""

    boxes = torch.randn((10, BOX, BOX, BOX), generator=torch.Generator().manual_seed(5)).cumsum(3)

    def draw(self, count: int, generator: torch.Generator) -> torch.Tensor:
        return self.boxes[:count]


def measured(
    source: Any, target: Target, settings: AdaptSettings, voxel_size: float = 10.0
) -> DomainGap:
    task = measure_gap(
        source, target, settings, source_count=20, seed=3, voxel_size_angstrom=voxel_size
    )
    try:
        while True:
            assert isinstance(next(task), Progress)
    except StopIteration as stop:
        gap: DomainGap = stop.value
        return gap


@pytest.mark.parametrize("factor", [4.0, 2.0])
def test_a_clean_source_is_too_clean_by_its_factor_and_is_matched(factor: float) -> None:
    noise = 1 / math.sqrt(factor**2 - 1)  # the box has variance 1 + noise², and is scaled to 1
    gap = measured(WaveSource(noise), WhiteTarget(), SETTINGS)
    assert gap.has_noisy_band
    assert not gap.noisy[0]
    assert gap.compare(gap.source).level == pytest.approx(1 / factor, rel=0.03)
    assert gap.matched is not None
    assert gap.compare(gap.matched).deviation < 0.1
    assert gap.compare(gap.matched).level == pytest.approx(1.0, abs=0.05)
    assert gap.source.noise == pytest.approx(1 / factor, rel=0.03)
    assert gap.overlap(gap.matched) > gap.overlap(gap.source)


def test_the_numbers_are_those_of_the_method() -> None:
    target = OneSetTarget()
    gap = measured(WaveSource(0.5), target, replace(SETTINGS, noise_pass_fraction=0.3))
    boxes = target.boxes
    literal = float(target_noise_variance(boxes, 0.3).sqrt())
    assert gap.sigma_t == pytest.approx([literal] * len(gap.sigma_t))
    calibrated = float(target_noise_variance(boxes, 0.3, estimate="calibrated").sqrt())
    assert gap.target.noise == pytest.approx(calibrated, rel=1e-5)
    torch.testing.assert_close(
        torch.from_numpy(gap.target.power), radial_power(boxes).double().mean(dim=0)
    )
    middle = BOX // 2
    torch.testing.assert_close(torch.from_numpy(gap.target.image), boxes[0, middle])
    torch.testing.assert_close(
        torch.from_numpy(gap.residual), high_pass(boxes[0], 0.3)[middle].float()
    )


def test_the_signal_is_found_where_it_is() -> None:
    gap = measured(WaveSource(3.0), WhiteTarget(), SETTINGS)
    assert gap.signal[0] > 50 * gap.signal[1:].max()
    # A wave of share 0.05 / 1.05, gathered in the first shell's 18 coefficients.
    assert gap.signal[0] == pytest.approx(0.05 / 1.05 * BOX**3 / 18, rel=0.15)


def test_a_target_of_whole_numbers_has_no_comb_in_its_histogram() -> None:
    class Rounded(WhiteTarget):
        def draw(self, count: int, generator: torch.Generator) -> torch.Tensor:
            return (super().draw(count, generator) / 0.28).round() * 0.28

    gap = measured(WaveSource(0.5), Rounded(), SETTINGS)
    assert gap.matched is not None
    assert gap.overlap(gap.matched) > 0.95  # unsmoothed, two bins of three are empty
    assert float(gap.target.density.sum()) * 0.1 == pytest.approx(1.0, abs=1e-3)


def test_without_noise_there_is_no_matched_source() -> None:
    gap = measured(WaveSource(0.5), WhiteTarget(), replace(SETTINGS, noise="none"))
    assert gap.matched is None
    assert gap.compare(gap.source).level == pytest.approx(math.sqrt(0.2), rel=0.05)


def test_where_the_signal_is_everywhere_the_finest_third_is_compared() -> None:
    class NoisySignal(WaveSource):
        def draw(self, count: int, generator: torch.Generator) -> Batch:
            drawn = super().draw(count, generator)
            return replace(drawn, clean=drawn.images)

    gap = measured(NoisySignal(1.0), WhiteTarget(), replace(SETTINGS, snr=(9.0, 9.0)))
    assert not gap.has_noisy_band
    assert gap.noisy.tolist() == [False] * 6 + [True] * 2


def test_it_stops_between_two_steps() -> None:
    task = measure_gap(
        WaveSource(1.0),
        WhiteTarget(),
        SETTINGS,
        source_count=20,
        seed=0,
        voxel_size_angstrom=10.0,
    )
    stages = {next(task).stage for _ in range(5)}  # type: ignore[attr-defined]
    assert stages == {"Simulating the source", "Measuring the gap"}
    task.close()


def test_real_ribosomes_are_matched_by_their_spectrum(shared_data: Path) -> None:
    volumes = [read_mrc(path) for path, _ in find_pairs(shared_data / "ribosome70S")]
    target = SubtomogramTarget(volumes, box=32, contrast="bright")
    source = make_source(SourceSettings(voxel_size_angstrom=12.0))
    gap = measured(source, target, AdaptSettings(), 12.0)
    assert gap.matched is not None
    assert gap.compare(gap.source).highest > 2.0  # white noise, where the target has next to none
    assert gap.compare(gap.matched).deviation < 0.1

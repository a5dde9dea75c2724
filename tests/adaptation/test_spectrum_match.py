"""The matched source's radial power spectrum against the target's, where noise dominates."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from napari_voxuda.adaptation.noise_match import SourceImages, match_noise
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.data.targets import SubtomogramTarget, Target, TomogramTarget
from napari_voxuda.io.folders import find_pairs
from napari_voxuda.io.mrc import read_mrc
from napari_voxuda.method.noise_spectrum import noise_power_spectrum
from napari_voxuda.simulation.scene import SceneSettings, make_scene
from napari_voxuda.simulation.settings import SourceSettings
from napari_voxuda.simulation.source import make_source

BOX = 32
STEPS = 12
BATCH = 16


def simulated() -> Target:
    scene = make_scene(
        SceneSettings(shape=(40, 96, 96), molecules=12, small_proteins=80),
        torch.Generator().manual_seed(3),
    )
    return TomogramTarget(scene.volume, box=BOX, contrast="dark")


def from_another_simulator(data: Path) -> Target:
    volume = read_mrc(data / "tomograms" / "scene.mrc")
    return TomogramTarget(volume, box=BOX, contrast="dark")


def microtubule(data: Path) -> Target:
    volume = read_mrc(data / "microtubule" / "13pf_MT.mrc")
    return TomogramTarget(volume, box=BOX, contrast="bright")


def ribosomes(data: Path) -> Target:
    volumes = [read_mrc(path) for path, _ in find_pairs(data / "ribosome70S")]
    return SubtomogramTarget(volumes, box=BOX, contrast="bright")


@pytest.fixture(scope="module")
def source() -> SourceImages:
    settings = SourceSettings(voxel_size_angstrom=12.0)
    drawn = make_source(settings).draw(BATCH, torch.Generator().manual_seed(0))
    return SourceImages(images=drawn.images, clean=drawn.clean, masks=drawn.masks)


def radial(power: torch.Tensor) -> torch.Tensor:
    """Return the mean power in shells of one frequency step, from 1 to 15."""
    full, half = torch.fft.fftfreq(BOX), torch.fft.rfftfreq(BOX)
    radius = (full[:, None, None] ** 2 + full[None, :, None] ** 2 + half**2).sqrt()
    shell = (radius * BOX).round().long()
    return torch.stack([power[shell == k].mean() for k in range(1, 16)])


def check(target: Target, source: SourceImages) -> None:
    generator = torch.Generator().manual_seed(1)
    settings = AdaptSettings(noise="spectrum")
    variance = source.clean.var(dim=(1, 2, 3)).mean().item()
    subsets = [target.draw(settings.noise_samples, generator) for _ in range(STEPS)]
    matched = torch.cat(
        [
            match_noise(
                source,
                subset,
                settings,
                signal_variance=variance,
                normalisation=target.normalisation,
                generator=generator,
            )
            for subset in subsets
        ]
    )
    wanted = radial(noise_power_spectrum(torch.cat(subsets)))
    found = radial(noise_power_spectrum(matched))
    # Where the signal, on average at its mean ratio, is below a twentieth of the noise.
    low, high = settings.snr
    ratio = (high - low) / torch.log(torch.tensor(high / low))
    total = noise_power_spectrum(matched).mean() / noise_power_spectrum(source.clean).mean()
    signal = radial(noise_power_spectrum(source.clean)) * total * ratio
    noisy = signal < 0.05 * wanted
    assert noisy.sum() >= 6, "noise dominates in too few shells for a test"
    assert (found / wanted)[noisy].sub(1).abs().max() < 0.1


def test_a_simulated_target(source: SourceImages) -> None:
    check(simulated(), source)


@pytest.mark.parametrize("make", [from_another_simulator, microtubule, ribosomes])
def test_targets_from_files(make: object, source: SourceImages, shared_data: Path) -> None:
    check(make(shared_data), source)  # type: ignore[operator]


def test_white_noise_of_the_right_variance_would_fail(source: SourceImages) -> None:
    target = simulated()
    generator = torch.Generator().manual_seed(1)
    white = torch.randn((100, BOX, BOX, BOX), generator=generator)
    wanted = radial(noise_power_spectrum(target.draw(100, generator)))
    assert (radial(noise_power_spectrum(white)) / wanted).sub(1).abs().max() > 0.5

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_voxuda.errors import InputError
from napari_voxuda.method.fourier import (
    HighPassShape,
    dft,
    high_pass,
    high_pass_mask,
    high_pass_spectrum,
    inverse_dft,
    kept_energy,
)

FORMS: list[HighPassShape] = ["cube", "radial"]
both_forms = pytest.mark.parametrize("form", FORMS)
shapes = st.tuples(*[st.integers(1, 9)] * 3)


def _volume(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def slow_dft(volume: np.ndarray) -> np.ndarray:
    """Eq. (2) as the sum that it is."""
    out = np.zeros(volume.shape, dtype=complex)
    for k in np.ndindex(*volume.shape):
        for p in np.ndindex(*volume.shape):
            phase = sum(a * b / n for a, b, n in zip(k, p, volume.shape, strict=True))
            out[k] += volume[p] * np.exp(-2j * np.pi * phase)
    return out


def literal_high_pass(volume: np.ndarray, fraction: float, form: HighPassShape) -> np.ndarray:
    """Eq. (2) to (4) with the full complex spectrum, real part taken at the end."""
    mask = high_pass_mask(volume.shape, fraction, form=form).numpy()
    filtered: np.ndarray = np.fft.ifftn(np.fft.fftn(volume) * mask).real
    return filtered


@pytest.mark.parametrize("shape", [(4, 3, 5), (3, 2, 4), (1, 1, 3)])
def test_dft_is_the_sum_over_voxels(shape: tuple[int, int, int]) -> None:
    volume = _volume(*shape)
    expected = slow_dft(volume.numpy())[..., : shape[-1] // 2 + 1]
    np.testing.assert_allclose(dft(volume).numpy(), expected, atol=1e-12)
    torch.testing.assert_close(inverse_dft(dft(volume), shape), volume)


@pytest.mark.parametrize(
    ("fraction", "side"), [(0.084, 14), (0.178, 18), (0.244, 20), (0.422, 24), (1.0, 32)]
)
def test_published_rates_are_cubes_of_a_whole_number(fraction: float, side: int) -> None:
    mask = high_pass_mask((32, 32, 32), fraction)
    start = (32 - side) // 2
    expected = torch.zeros(32, 32, 32, dtype=torch.bool)
    expected[(slice(start, start + side),) * 3] = True
    assert torch.equal(mask, expected)


def test_published_cube_keeps_indices_6_to_25() -> None:
    kept = high_pass_mask((32, 32, 32), 0.244)[16, 16].nonzero().flatten().tolist()
    assert kept == list(range(6, 26))


@both_forms
def test_published_fraction_is_kept(form: HighPassShape) -> None:
    assert high_pass_mask((32, 32, 32), 0.244, form=form).float().mean() == pytest.approx(
        0.244, abs=0.002
    )


def test_real_part_keeps_22_7_percent_of_white_noise() -> None:
    assert kept_energy((32, 32, 32), 0.244) == pytest.approx(0.227, abs=0.0005)
    noise = high_pass(_volume(40, 32, 32, 32))
    assert float(noise.var()) == pytest.approx(kept_energy((32, 32, 32), 0.244), rel=0.02)


@settings(deadline=None, max_examples=60)
@given(shape=shapes, fraction=st.floats(0.001, 1.0), form=st.sampled_from(FORMS))
def test_high_pass_is_the_real_part_of_the_literal_filter(
    shape: tuple[int, int, int], fraction: float, form: HighPassShape
) -> None:
    volume = _volume(*shape)
    expected = literal_high_pass(volume.numpy(), fraction, form)
    result = high_pass(volume, fraction, shape=form)
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(shape=shapes, fraction=st.floats(0.001, 1.0))
def test_cube_side_is_the_cube_root_of_the_fraction_along_every_axis(
    shape: tuple[int, int, int], fraction: float
) -> None:
    mask = high_pass_mask(shape, fraction)
    sides = [max(1, round(n * fraction ** (1 / 3))) for n in shape]
    assert int(mask.sum()) == np.prod(sides)
    for axis, (n, side) in enumerate(zip(shape, sides, strict=True)):
        line = mask.any(dim=tuple(a for a in range(3) if a != axis))
        distance = torch.minimum(torch.arange(n), n - torch.arange(n))
        assert int(line.sum()) == side
        assert bool((distance[line] >= (n - side) / 2).all())


@settings(deadline=None, max_examples=60)
@given(shape=shapes, fraction=st.floats(0.001, 1.0))
def test_radial_keeps_the_highest_frequencies_and_both_signs(
    shape: tuple[int, int, int], fraction: float
) -> None:
    mask = high_pass_mask(shape, fraction, form="radial").numpy()
    radius = np.sqrt(
        sum(
            f**2
            for f in np.meshgrid(*(np.fft.fftfreq(n) for n in shape), indexing="ij", sparse=True)
        )
    )
    assert mask.sum() >= max(1, round(fraction * mask.size))
    if not mask.all():
        assert radius[mask].min() >= radius[~mask].max() - 1e-6
    for p in itertools.product(*map(range, shape)):
        assert mask[p] == mask[tuple(-a % n for a, n in zip(p, shape, strict=True))]


@both_forms
def test_keeping_everything_changes_nothing(form: HighPassShape) -> None:
    volume = _volume(5, 6, 7)
    torch.testing.assert_close(high_pass(volume, 1.0, shape=form), volume)
    assert kept_energy((5, 6, 7), 1.0, form=form) == 1.0


@both_forms
def test_a_constant_has_no_high_frequencies(form: HighPassShape) -> None:
    assert high_pass(torch.full((8, 9, 10), 7.0), shape=form).abs().max() < 1e-6


@both_forms
def test_filtering_is_linear(form: HighPassShape) -> None:
    a, b = _volume(6, 7, 8), _volume(6, 7, 8, seed=1)
    both = high_pass(2 * a - 3 * b, shape=form)
    torch.testing.assert_close(both, 2 * high_pass(a, shape=form) - 3 * high_pass(b, shape=form))


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(InputError, match="pass_fraction above 0 and at most 1 was wanted, got 0"):
        high_pass_mask((4, 4, 4), 0)
    with pytest.raises(InputError, match=r"at most 1 was wanted, got 1\.5"):
        high_pass(torch.ones(4, 4, 4), 1.5)
    with pytest.raises(InputError, match=r"shape \(d, h, w\) was wanted, got \(4, 4\)"):
        high_pass_mask((4, 4), 0.2)
    with pytest.raises(InputError, match=r"shape \(d, h, w\) was wanted, got \(4, 0, 4\)"):
        high_pass_mask((4, 0, 4), 0.2)
    with pytest.raises(InputError, match="form 'cube' or 'radial' was wanted, got 'star'"):
        high_pass_mask((4, 4, 4), 0.2, form="star")  # type: ignore[arg-type]
    spectrum = dft(torch.ones(4, 4, 6))
    with pytest.raises(InputError, match="a width of 6 or 7 was wanted for this spectrum, got 8"):
        high_pass_spectrum(spectrum, 8, 0.2)
    with pytest.raises(InputError, match=r"got \(4, 4, 8\) for a spectrum of shape \(4, 4, 4\)"):
        inverse_dft(spectrum, (4, 4, 8))


def test_a_large_volume_is_transformed_back_within_its_memory() -> None:
    code = (
        "import torch; from napari_voxuda.method.fourier import dft, inverse_dft; "
        "v = torch.ones(16, 1024, 1024); w = inverse_dft(dft(v) * 1, v.shape); "
        "assert torch.allclose(v, w, atol=1e-4)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr

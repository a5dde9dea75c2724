from __future__ import annotations

import pytest
import torch

from napari_voxuda._params import parameters
from napari_voxuda.errors import InputError
from napari_voxuda.method.bilateral import bilateral_filter
from napari_voxuda.method.denoising import DenoiseSettings, denoise, denoise_halo
from napari_voxuda.method.improved_bilateral import improved_bilateral_filter
from napari_voxuda.method.pseudo_labels import ngm_denoise


def _volume(*shape: int) -> torch.Tensor:
    return 40 + 3 * torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_defaults_are_the_published_ones() -> None:
    settings = DenoiseSettings()
    assert (settings.method, settings.sigma_domain, settings.sigma_range) == ("ibf", 120.0, 1.2)
    assert settings.pass_fraction == 0.244
    assert all(p.help.endswith(".") for p in parameters(settings).values())


@pytest.mark.parametrize("operator", ["sobel", "laplacian"])
def test_ibf_gets_its_settings(operator: str) -> None:
    settings = DenoiseSettings(sigma_domain=1.5, sigma_range=0.9, operator=operator)  # type: ignore[arg-type]
    volume = _volume(2, 5, 6, 7)
    expected = improved_bilateral_filter(volume, 1.5, 0.9, operator=operator)  # type: ignore[arg-type]
    assert torch.equal(denoise(volume, settings), expected)
    expected = improved_bilateral_filter(
        volume,
        1.5,
        0.9,
        operator=operator,
        value_range=(0.0, 99.0),  # type: ignore[arg-type]
    )
    assert torch.equal(denoise(volume, settings, value_range=(0.0, 99.0)), expected)


@pytest.mark.parametrize("shape", ["cube", "radial"])
def test_ngm_gets_its_settings(shape: str) -> None:
    settings = DenoiseSettings(method="ngm", pass_fraction=0.4, shape=shape)  # type: ignore[arg-type]
    volume = _volume(2, 5, 6, 7)
    expected = ngm_denoise(volume, 0.4, shape=shape)  # type: ignore[arg-type]
    assert torch.equal(denoise(volume, settings), expected)


def test_bilateral_counts_standard_deviations_of_each_volume() -> None:
    settings = DenoiseSettings(method="bilateral", sigma_domain=1.5, sigma_range=0.9)
    volume = torch.stack([_volume(6, 6, 6), 1e-3 * _volume(6, 6, 6)])
    for one, found in zip(volume, denoise(volume, settings), strict=True):
        width = 0.9 * float(one.std(correction=0))
        torch.testing.assert_close(found, bilateral_filter(one, 1.5, width))
    found = denoise(volume[0], settings, standard_deviation=10.0)
    torch.testing.assert_close(found, bilateral_filter(volume[0], 1.5, 9.0))


def test_bilateral_leaves_z_scored_volumes_in_their_units() -> None:
    volume = _volume(8, 8, 8).double()
    volume = (volume - volume.mean()) / volume.std(correction=0)
    found = denoise(volume, DenoiseSettings(method="bilateral"))
    torch.testing.assert_close(found, bilateral_filter(volume, 120.0, 1.2))


@pytest.mark.parametrize("method", ["ibf", "bilateral", "ngm"])
@pytest.mark.parametrize("value", [0.0, 7.25])
def test_a_constant_stays(method: str, value: float) -> None:
    volume = torch.full((2, 5, 6, 7), value)
    settings = DenoiseSettings(method=method)  # type: ignore[arg-type]
    torch.testing.assert_close(denoise(volume, settings), volume)


def test_halos() -> None:
    assert denoise_halo(DenoiseSettings()) == 2
    assert denoise_halo(DenoiseSettings(operator="laplacian")) == 3
    assert denoise_halo(DenoiseSettings(method="bilateral")) == 1
    assert denoise_halo(DenoiseSettings(method="ngm")) is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"method": "median"}, "method: one of ibf, bilateral, ngm was wanted, got 'median'"),
        ({"sigma_range": 0.0}, "sigma_range: at least 0.01 was wanted, got 0"),
        ({"sigma_domain": -1.0}, "sigma_domain: at least 0.1 voxels was wanted"),
        ({"pass_fraction": 1.5}, "pass_fraction: at most 1 was wanted"),
        ({"shape": "star"}, "shape: one of cube, radial was wanted"),
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        DenoiseSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "settings",
    [
        DenoiseSettings(method="bilateral"),
        DenoiseSettings(),
        DenoiseSettings(operator="laplacian"),
        DenoiseSettings(sigma_range=0.01),
    ],
)
def test_a_block_that_brings_its_surroundings_gives_the_bits_of_the_whole(settings) -> None:
    volume = torch.randn((10, 11, 12), generator=torch.Generator().manual_seed(3))
    facts = {"value_range": (-4.0, 5.0), "standard_deviation": 1.3}
    whole = denoise(volume, settings, **facts)
    halo = denoise_halo(settings)
    inner = denoise(volume, settings, **facts, padded=True)
    assert torch.equal(inner, whole[halo:-halo, halo:-halo, halo:-halo])
    slice_only = volume[4 - halo : 5 + halo]
    found = denoise(slice_only, settings, **facts, padded=True)
    assert torch.equal(found, whole[4:5, halo:-halo, halo:-halo])
    with pytest.raises(InputError, match="surroundings"):
        denoise(volume[: 2 * halo], settings, **facts, padded=True)

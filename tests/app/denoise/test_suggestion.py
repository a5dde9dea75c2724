from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.app.denoise.preview import PreviewSource
from napari_voxuda.app.denoise.suggestion import suggest_settings
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError
from napari_voxuda.method.denoising import DenoiseSettings

SHAPE = (30, 100, 100)


def _noise(deviation, seed=0):
    return deviation * np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)


def _structure():
    """Smooth blobs and two gold beads: stronger than the noise, and nothing of it."""
    z, y, x = np.indices(SHAPE, dtype=np.float32)
    values = 3 * np.sin(2 * np.pi * x / 40) * np.sin(2 * np.pi * y / 40)
    for centre in ((15, 20, 20), (15, 70, 80)):
        inside = sum((a - c) ** 2 for a, c in zip((z, y, x), centre, strict=True)) < 16
        values[inside] = -40.0
    return values


def _width(values, method, limits=None):
    volume = Volume(data=values, name="tomo")
    statistics = PreviewSource().statistics("key", volume)
    suggestion = suggest_settings(volume, DenoiseSettings(method=method), statistics)
    assert f"{suggestion.settings.sigma_range:g}" in suggestion.words
    assert suggestion.settings.method == method
    return suggestion.settings.sigma_range


@pytest.mark.parametrize("method", ["ibf", "bilateral"])
def test_of_nothing_but_noise_it_is_about_the_papers_value(method):
    assert _width(_noise(250.0), method) == pytest.approx(1.2, rel=0.2)


@pytest.mark.parametrize("deviation", [0.5, 1.0, 2.0])
def test_of_the_bilateral_filter_it_is_a_multiple_of_the_known_noise(deviation):
    values = _structure() + _noise(deviation)
    expected = 1.2 * deviation / values.std()
    assert _width(values, "bilateral") == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("deviation", [0.5, 1.0, 2.0])
def test_of_the_ibf_it_follows_the_known_noise_in_the_range_of_values(deviation):
    # In white noise the median difference of the gradients of neighbours is 16.5 deviations of the
    # noise (found by drawing some); beside structures it stays that.
    values = _structure() + _noise(deviation)
    expected = 0.65 * 16.5 * deviation / (values.max() - values.min())
    assert _width(values, "ibf") == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("method", ["ibf", "bilateral"])
def test_empty_margins_do_not_count(method):
    values = _noise(1.0)
    whole = _width(values, method)
    values[:, :45] = 0.0
    values[:, 45, 0] = (values.min(), *values[1:, 45, 0])
    scale = _noise(1.0).std() / values.std() if method == "bilateral" else 1.0
    assert _width(values, method) == pytest.approx(whole * scale, rel=0.1)


def test_values_that_do_not_vary_are_refused():
    with pytest.raises(InputError, match="tomo: a volume whose values vary was wanted"):
        _width(np.ones(SHAPE, np.float32), "ibf")


def test_ngm_has_no_range_kernel():
    with pytest.raises(InputError, match="NGM has none"):
        _width(_noise(1.0), "ngm")


def test_integers_and_small_volumes_are_taken():
    values = np.random.default_rng(0).integers(-100, 100, (3, 5, 7), dtype=np.int16)
    assert _width(values, "bilateral") > 0

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_voxuda.data import normalise
from napari_voxuda.data.normalise import volume_statistics, z_score
from napari_voxuda.errors import InputError


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u1", "i2", "u2"])
@pytest.mark.parametrize("slab_bytes", [1, 1000, 1 << 25])
def test_statistics_are_those_of_the_whole_volume(dtype, slab_bytes, monkeypatch):
    monkeypatch.setattr(normalise, "_SLAB_BYTES", slab_bytes)
    data = (np.random.default_rng(0).normal(60, 12, (7, 5, 6))).astype(dtype)
    wanted = data.astype(np.float64)
    assert volume_statistics(data) == pytest.approx((wanted.mean(), wanted.std()), rel=1e-12)


def test_statistics_survive_huge_offsets():
    noise = np.random.default_rng(1).normal(0, 1, (40, 20, 20))
    mean, std = volume_statistics(noise + 1e9)
    assert mean == pytest.approx(1e9 + noise.mean(), rel=1e-15)
    assert std == pytest.approx(noise.std(), rel=1e-5)


def test_statistics_of_the_simulated_tomogram(shared_data):
    from napari_voxuda.io.mrc import read_mrc

    mean, std = volume_statistics(read_mrc(shared_data / "tomograms" / "scene.mrc").data)
    assert (mean, std) == pytest.approx((41.0, 7.3), abs=1e-6)  # as its header says


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_and_located(value, monkeypatch):
    monkeypatch.setattr(normalise, "_SLAB_BYTES", 2 * 9 * 8)
    data = np.random.default_rng(0).random((6, 3, 3), dtype=np.float32)
    data[3, 1, 1] = value
    with pytest.raises(InputError, match="got NaN or infinity in slices 2 to 3; replace them"):
        volume_statistics(data)


@pytest.mark.parametrize("value", [0.0, 0.1, -3e38])
def test_constant_volumes_are_refused(value):
    with pytest.raises(InputError, match=r"varying values were wanted, got .* in every voxel"):
        volume_statistics(np.full((4, 4, 4), value, np.float32))


@pytest.mark.parametrize("shape", [(5, 6, 7), (2, 5, 6, 7), (2, 3, 5, 6, 7)])
def test_z_score_has_mean_0_and_deviation_1(shape):
    values = torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 9 + 40
    scored = z_score(values)
    assert scored.shape == values.shape
    dims = (-3, -2, -1)
    torch.testing.assert_close(scored.mean(dims), torch.zeros(shape[:-3]), atol=1e-6, rtol=0)
    torch.testing.assert_close(scored.std(dims, correction=0), torch.ones(shape[:-3]))
    oracle = (values - values.mean(dims, True)) / values.std(dims, correction=0, keepdim=True)
    torch.testing.assert_close(scored, oracle, atol=1e-4, rtol=1e-4)


def test_z_score_over_other_dimensions():
    values = torch.rand((2, 3, 4, 4, 4), generator=torch.Generator().manual_seed(0))
    scored = z_score(values, dims=(-4, -3, -2, -1))
    torch.testing.assert_close(scored.mean((-4, -3, -2, -1)), torch.zeros(2), atol=1e-6, rtol=0)
    assert (scored.mean((-3, -2, -1)).abs() > 1e-3).any()


@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1.0, 1e12, 1e30])
@pytest.mark.parametrize("offset", [0.0, -4.0])
def test_z_score_does_not_depend_on_scale_and_offset(scale, offset):
    values = torch.randn((8, 8, 8), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        z_score((values + offset) * scale), z_score(values), atol=1e-5, rtol=1e-5
    )


def test_z_score_of_a_constant_is_zero():
    for value in (0.0, 0.1, -1e30):
        assert not z_score(torch.full((2, 4, 4, 4), value)).any()


@pytest.mark.parametrize(
    ("dtype", "result"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.int16, torch.float32),
        (torch.uint8, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_z_score_type(dtype, result):
    values = torch.arange(64).reshape(4, 4, 4).to(dtype)
    scored = z_score(values)
    assert scored.dtype == result
    torch.testing.assert_close(
        scored.double().std(correction=0), torch.ones((), dtype=torch.float64)
    )
    torch.testing.assert_close(values, torch.arange(64).reshape(4, 4, 4).to(dtype))

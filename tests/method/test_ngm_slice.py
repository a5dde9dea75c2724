from __future__ import annotations

import pytest
import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method import ngm_denoise, ngm_denoise_slice


@pytest.mark.parametrize("shape", ["cube", "radial"])
@pytest.mark.parametrize("fraction", [0.05, 0.244, 1.0])
@pytest.mark.parametrize("size", [(6, 7, 8), (8, 5, 3)])
def test_equals_the_slice_of_the_denoised_volume(size, fraction, shape) -> None:
    volume = torch.randn(size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole = ngm_denoise(volume, fraction, shape=shape)
    for axis in range(3):
        for index in (0, size[axis] - 1):
            found = ngm_denoise_slice(volume, axis, index, fraction, shape=shape)
            torch.testing.assert_close(found, whole.select(axis, index))


@pytest.mark.parametrize(("axis", "index"), [(3, 0), (0, 4), (1, -1)])
def test_a_slice_that_is_not_there_is_refused(axis, index) -> None:
    with pytest.raises(InputError, match=f"axis {axis}, index {index}"):
        ngm_denoise_slice(torch.zeros(4, 4, 4), axis, index)


def test_the_fraction_is_checked() -> None:
    with pytest.raises(InputError, match="pass_fraction"):
        ngm_denoise_slice(torch.zeros(4, 4, 4), 0, 0, 1.5)

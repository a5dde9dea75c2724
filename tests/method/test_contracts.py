"""What every function from volume to volume keeps: shape, dtype, device, batches, its input."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method import (
    DenoiseSettings,
    bilateral_filter,
    denoise,
    gaussian_noise,
    high_pass,
    improved_bilateral_filter,
    laplacian_gradient,
    ngm_denoise,
    poisson_noise,
    speckle_noise,
)

Filter = Callable[[torch.Tensor], torch.Tensor]

FILTERS: dict[str, Filter] = {
    "bilateral": bilateral_filter,
    "ibf": improved_bilateral_filter,
    "ibf laplacian": partial(improved_bilateral_filter, operator="laplacian"),
    "high_pass": high_pass,
    "high_pass radial": partial(high_pass, shape="radial"),
    "ngm": ngm_denoise,
    "denoise ibf": partial(denoise, settings=DenoiseSettings()),
    "denoise bilateral": partial(denoise, settings=DenoiseSettings(method="bilateral")),
    "denoise ngm": partial(denoise, settings=DenoiseSettings(method="ngm")),
}
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
SHAPES = [(1, 1, 1), (1, 5, 2), (2, 3, 4), (7, 6, 5)]

every_filter = pytest.mark.parametrize("apply", FILTERS.values(), ids=FILTERS.keys())


def _volume(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return (3 + 2 * drawn).to(dtype)


@every_filter
@pytest.mark.parametrize("shape", SHAPES)
def test_any_leading_shape_gives_what_each_volume_gives(
    apply: Filter, shape: tuple[int, ...]
) -> None:
    batch = _volume(2, 3, *shape)
    result = apply(batch)
    assert result.shape == batch.shape
    for i in range(2):
        for j in range(3):
            torch.testing.assert_close(result[i, j], apply(batch[i, j]), rtol=1e-5, atol=1e-5)


@every_filter
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("device", DEVICES)
def test_dtype_and_device_are_kept_and_the_work_is_done_in_float32(
    apply: Filter, dtype: torch.dtype, device: str
) -> None:
    volume = _volume(6, 7, 8, dtype=dtype).to(device)
    result = apply(volume)
    assert (result.dtype, result.device) == (volume.dtype, volume.device)
    exact = apply(volume.cpu().to(torch.float32)).to(dtype)
    wide = dtype == torch.float64
    torch.testing.assert_close(
        result.cpu(), exact, rtol=1e-5 if wide else None, atol=1e-5 if wide else None
    )


@every_filter
def test_the_input_is_not_changed_and_not_shared(apply: Filter) -> None:
    volume = _volume(5, 5, 5)
    before = volume.clone()
    apply(volume).zero_()
    assert torch.equal(volume, before)


@every_filter
def test_strided_input_counts_by_value_not_by_memory(apply: Filter) -> None:
    volume = _volume(6, 7, 8)
    strided = volume.permute(2, 1, 0).contiguous().permute(2, 1, 0)
    torch.testing.assert_close(apply(strided), apply(volume))


@every_filter
def test_no_randomness(apply: Filter) -> None:
    volume = _volume(2, 6, 6, 6)
    assert torch.equal(apply(volume), apply(volume))


@every_filter
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (torch.ones(4, 4), r"\(..., d, h, w\) was wanted, got shape \(4, 4\)"),
        (torch.ones(0, 4, 4, 4), r"non-empty .* got shape \(0, 4, 4, 4\)"),
        (torch.ones(4, 4, 4, dtype=torch.int16), "floating-point .* got torch.int16"),
    ],
)
def test_no_volume_is_refused(apply: Filter, wrong: torch.Tensor, message: str) -> None:
    with pytest.raises(InputError, match=message):
        apply(wrong)


@pytest.mark.parametrize("draw", [gaussian_noise, speckle_noise, poisson_noise])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("device", DEVICES)
def test_noise_takes_shape_dtype_and_device_and_repeats_with_its_seed(
    draw: Callable[..., torch.Tensor], dtype: torch.dtype, device: str
) -> None:
    volume = _volume(2, 3, 4, 5, dtype=dtype).to(device)
    first = draw(volume, 0.5, torch.Generator().manual_seed(4))
    again = draw(volume, 0.5, torch.Generator().manual_seed(4))
    other = draw(volume, 0.5, torch.Generator().manual_seed(5))
    assert (first.shape, first.dtype, first.device) == (volume.shape, dtype, volume.device)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("operator", ["sobel", "laplacian"])
def test_gradient_has_three_components_before_the_volume(operator: str) -> None:
    assert laplacian_gradient(_volume(2, 4, 5, 6), operator=operator).shape == (2, 3, 4, 5, 6)  # type: ignore[arg-type]

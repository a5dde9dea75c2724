from __future__ import annotations

import pytest
import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method import bilateral_filter, improved_bilateral_filter, slice_filter
from napari_voxuda.method.slice_filter import (
    bilateral_slice,
    improved_bilateral_slice,
    slice_gradient,
    slice_mean,
)

SIGMAS = [(120.0, 1.2), (0.7, 0.1), (1.0, 1e-3), (3.0, float("inf"))]


def _noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize(("domain", "width"), SIGMAS)
def test_a_bilateral_slice_is_that_of_the_filtered_volume(domain, width) -> None:
    slab = _noise(3, 9, 12)
    whole = bilateral_filter(slab, domain, width, padded=True)
    torch.testing.assert_close(bilateral_slice(slab, domain, width), whole[0])


@pytest.mark.parametrize("operator", ["sobel", "laplacian"])
@pytest.mark.parametrize(("domain", "width"), SIGMAS)
def test_an_improved_bilateral_slice_is_that_of_the_filtered_volume(
    domain, width, operator
) -> None:
    halo = 2 if operator == "sobel" else 3
    slab = 40.0 * _noise(2 * halo + 1, 11, 14) - 7.0
    limits = (-180.0, 300.0)
    whole = improved_bilateral_filter(
        slab, domain, width, operator=operator, value_range=limits, padded=True
    )
    found = improved_bilateral_slice(slab, domain, width, operator=operator, value_range=limits)
    torch.testing.assert_close(found, whole[0])


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (8, 1), (7, 5)])
@pytest.mark.parametrize("piece", [1, 13, 1000])
@pytest.mark.parametrize("operator", ["sobel", "laplacian"])
def test_pieces_of_any_length_give_slices_of_any_shape(size, piece, operator, monkeypatch) -> None:
    monkeypatch.setattr(slice_filter, "_PIECE", piece)
    halo = 2 if operator == "sobel" else 3
    slab = _noise(2 * halo + 1, size[0] + 2 * halo, size[1] + 2 * halo)
    whole = improved_bilateral_filter(
        slab, 1.0, 0.5, operator=operator, value_range=(-4.0, 4.0), padded=True
    )
    features = slice_gradient(slab, operator=operator, value_range=(-4.0, 4.0))
    for _ in range(2):  # nothing that is kept is changed
        torch.testing.assert_close(slice_mean(features, 1.0, 0.5), whole[0])
    inner = slab[halo - 1 : 1 - halo, halo - 1 : 1 - halo, halo - 1 : 1 - halo]
    whole = bilateral_filter(inner, 1.0, 0.5, padded=True)
    torch.testing.assert_close(bilateral_slice(inner, 1.0, 0.5), whole[0])


def test_equal_values_are_kept_to_the_bit_and_the_type_too() -> None:
    slab = torch.full((5, 8, 9), 0.1)
    found = improved_bilateral_slice(slab, value_range=(0.1, 0.1))
    assert found.dtype == torch.float32
    assert torch.equal(found, torch.full((4, 5), 0.1))


@pytest.mark.parametrize("shape", [(3, 8, 8), (5, 4, 8), (5, 8)])
def test_a_slab_of_another_size_is_refused(shape) -> None:
    with pytest.raises(InputError, match=r"slab \(5, h \+ 4, w \+ 4\)"):
        improved_bilateral_slice(torch.zeros(shape), value_range=(0.0, 1.0))


def test_a_width_of_zero_is_refused() -> None:
    with pytest.raises(InputError, match="sigma_range"):
        bilateral_slice(torch.zeros(3, 4, 4), 1.0, 0.0)

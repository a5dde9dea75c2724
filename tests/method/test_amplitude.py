"""The exchange of amplitudes: whose amplitude, whose phase, and at which frequencies."""

from __future__ import annotations

import pytest
import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method import exchange_amplitude


def draw(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_no_window_changes_nothing() -> None:
    volume = draw(0, 2, 6, 5, 8)
    result = exchange_amplitude(volume, draw(1, 2, 6, 5, 8), 0.0)
    assert torch.equal(result, volume)
    assert result.data_ptr() != volume.data_ptr()


def test_the_same_volume_changes_nothing() -> None:
    volume = draw(0, 6, 7, 8)
    torch.testing.assert_close(exchange_amplitude(volume, volume, 0.7), volume)


@pytest.mark.parametrize("shape", [(8, 8, 8), (6, 7, 5), (5, 4, 9)])
def test_the_full_window_takes_the_whole_amplitude_and_keeps_the_phase(
    shape: tuple[int, ...],
) -> None:
    volume, other = draw(0, *shape), draw(1, *shape)
    mixed = torch.fft.fftn(exchange_amplitude(volume, other, 1.0))
    torch.testing.assert_close(mixed.abs(), torch.fft.fftn(other).abs())
    turn = torch.angle(mixed * torch.fft.fftn(volume).conj())
    torch.testing.assert_close(turn, torch.zeros_like(turn), atol=1e-6, rtol=0)


def test_amplitudes_are_exchanged_inside_the_window_alone() -> None:
    volume, other = draw(0, 8, 8, 8), draw(1, 8, 8, 8)
    mixed = torch.fft.fftn(exchange_amplitude(volume, other, 0.5))
    k = (torch.fft.fftfreq(8) * 8).abs()
    z, y, x = torch.meshgrid(k, k, k, indexing="ij")
    inside = (z <= 2) & (y <= 2) & (x <= 2)
    assert int(inside.sum()) == 5**3
    torch.testing.assert_close(mixed[inside].abs(), torch.fft.fftn(other)[inside].abs())
    torch.testing.assert_close(mixed[~inside], torch.fft.fftn(volume)[~inside])


def test_the_mean_takes_the_size_of_the_other_and_keeps_its_sign() -> None:
    volume, other = draw(0, 4, 4, 4), draw(1, 4, 4, 4) - 3
    volume += 1 - volume.mean()
    assert exchange_amplitude(volume, other, 0.1).mean().item() == pytest.approx(
        abs(other.mean().item())
    )


def test_each_volume_of_a_batch_meets_its_own_partner_in_its_own_type() -> None:
    volume, other = draw(0, 3, 4, 5, 6).float(), draw(1, 3, 4, 5, 6).float()
    result = exchange_amplitude(volume, other, 0.6)
    assert result.dtype == torch.float32
    for i in range(3):
        torch.testing.assert_close(result[i], exchange_amplitude(volume[i], other[i], 0.6))


def test_what_does_not_fit_is_refused() -> None:
    volume = draw(0, 4, 4, 4)
    with pytest.raises(InputError, match=r"shape \(4, 4, 4\) was wanted, got \(4, 4, 5\)"):
        exchange_amplitude(volume, draw(0, 4, 4, 5), 0.5)
    with pytest.raises(InputError, match=r"window in \[0, 1\] was wanted, got 1.5"):
        exchange_amplitude(volume, volume, 1.5)

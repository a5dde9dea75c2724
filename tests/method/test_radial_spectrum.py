from __future__ import annotations

import pytest
import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method import radial_frequencies, radial_power


@pytest.mark.parametrize("edge", [15, 16])
def test_white_noise_has_its_variance_on_every_shell(edge: int) -> None:
    drawn = torch.randn((200, edge, edge, edge), generator=torch.Generator().manual_seed(0))
    power = radial_power(3 * drawn + 5).mean(0)
    assert power.shape == (edge // 2,)
    torch.testing.assert_close(power, torch.full_like(power, 9.0), rtol=0.06, atol=0)


@pytest.mark.parametrize("cycles", [1, 3, 8])
def test_a_wave_lies_on_its_shell_whatever_its_direction(cycles: int) -> None:
    edge = 16
    wave = torch.cos(2 * torch.pi * cycles * torch.arange(edge, dtype=torch.float64) / edge)
    for axis in range(3):
        box = wave.reshape([edge if a == axis else 1 for a in range(3)]).expand(edge, edge, edge)
        power = radial_power(box)
        assert int(power.argmax()) == cycles - 1
        assert radial_frequencies(edge)[cycles - 1] == pytest.approx(cycles / edge)
        assert power.sum() == pytest.approx(float(power.max()), rel=1e-5)


def test_equals_the_mean_over_the_full_spectrum() -> None:
    edge = 6
    box = torch.randn((edge,) * 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    power = torch.fft.fftn(box).abs().square() / edge**3
    line = torch.fft.fftfreq(edge, dtype=torch.float64) * edge
    z, y, x = torch.meshgrid(line, line, line, indexing="ij")
    shell = (z * z + y * y + x * x).sqrt().round()
    expected = torch.stack([power[shell == k].mean() for k in (1, 2, 3)]).float()
    torch.testing.assert_close(radial_power(box), expected)


def test_only_cubes_are_taken() -> None:
    with pytest.raises(InputError, match="cubes"):
        radial_power(torch.zeros(4, 4, 5))

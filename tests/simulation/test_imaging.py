from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_voxuda.simulation.imaging import (
    contrast_transfer,
    electron_wavelength_angstrom,
    envelope,
    wedge,
)


@pytest.mark.parametrize(("kv", "angstrom"), [(100, 0.03701), (200, 0.02508), (300, 0.01969)])
def test_the_wavelength_is_that_of_the_textbooks(kv: float, angstrom: float) -> None:
    assert electron_wavelength_angstrom(kv) == pytest.approx(angstrom, rel=1e-3)


def test_the_wavelength_follows_from_the_constants_of_nature() -> None:
    h, m, e, c = 6.62607015e-34, 9.1093837015e-31, 1.602176634e-19, 299792458.0
    volts = 300e3
    momentum = np.sqrt(2 * m * e * volts * (1 + e * volts / (2 * m * c**2)))
    assert electron_wavelength_angstrom(300) == pytest.approx(h / momentum * 1e10, rel=1e-6)


def test_the_ctf_is_that_of_the_closed_formula() -> None:
    k = np.linspace(0, 0.1, 50)
    got = contrast_transfer(
        torch.from_numpy(k),
        defocus_um=3.0,
        voltage_kv=200,
        spherical_aberration_mm=2.0,
        amplitude_contrast=0.07,
    )
    wavelength, amplitude = 0.025079340, 0.07
    chi = np.pi * wavelength * 3e4 * k**2 - np.pi / 2 * 2e7 * wavelength**3 * k**4
    wanted = np.sqrt(1 - amplitude**2) * np.sin(chi) + amplitude * np.cos(chi)
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_zeros_lie_where_the_phase_is_a_multiple_of_pi() -> None:
    wavelength = electron_wavelength_angstrom(300)
    zeros = torch.tensor([np.sqrt(n / (wavelength * 5e4)) for n in range(1, 5)])
    values = contrast_transfer(
        zeros, defocus_um=5.0, spherical_aberration_mm=0.0, amplitude_contrast=0.0
    )
    np.testing.assert_allclose(values, 0.0, atol=1e-4)


def test_protein_is_bright() -> None:
    k = torch.linspace(0, 1 / 40, 20)
    assert (contrast_transfer(k, defocus_um=5.0) > 0).all()
    assert contrast_transfer(k[:1], defocus_um=5.0, amplitude_contrast=0.1) == pytest.approx(0.1)


def test_flipped_phases_are_the_absolute_value() -> None:
    k = torch.linspace(0, 0.1, 100)
    raw = contrast_transfer(k, defocus_um=4.0)
    assert raw.min() < -0.9
    torch.testing.assert_close(contrast_transfer(k, defocus_um=4.0, mode="flipped"), raw.abs())
    assert (contrast_transfer(k, defocus_um=4.0, mode="none") == 1).all()


def test_the_envelope_has_its_sigma() -> None:
    assert envelope(torch.tensor(0.2), 0.2).item() == pytest.approx(np.exp(-0.5))
    assert envelope(torch.tensor(0.0), 0.2).item() == 1.0


def test_the_wedge_lacks_what_no_tilt_measures() -> None:
    shape = (16, 10, 16)
    measured = wedge(shape, -60, 60)
    for z, y, x in np.ndindex(16, 10, 9):
        k_z, k_x = np.fft.fftfreq(16)[z], np.fft.rfftfreq(16)[x]
        inside = abs(k_z) <= k_x * np.tan(np.deg2rad(60)) + 1e-6
        assert bool(measured[z, y, x]) == inside


def test_the_wedge_has_the_share_of_its_angle() -> None:
    assert wedge((64, 4, 64), -45, 45).mean().item() == pytest.approx(0.5, abs=0.03)
    assert wedge((16, 4, 16), -90, 90).min() == 1
    one_sided = wedge((32, 4, 32), 0, 45)
    assert one_sided.mean().item() == pytest.approx(0.25, abs=0.05)


def test_the_planes_of_the_projections_are_measured() -> None:
    shape = (33, 8, 33)
    measured = wedge(shape, -60, 60)
    for degrees in (-59.0, -30.0, 0.0, 45.0, 59.0):
        for x in range(1, 9):
            z = x * np.tan(np.deg2rad(degrees))
            if abs(z - round(z)) < 0.02 and abs(z) <= 16:
                assert measured[round(z) % 33, :, x].all()
    assert measured[0].all()  # the untilted projection

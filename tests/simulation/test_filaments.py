from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_voxuda.simulation.filaments import FILAMENT_RADIUS_ANGSTROM, random_filament
from napari_voxuda.simulation.molecules import Molecule


def filament(seed: int, length: float = 800.0) -> Molecule:
    return random_filament(torch.Generator().manual_seed(seed), length_angstrom=length)


@pytest.fixture(scope="module")
def some() -> list[Molecule]:
    return [filament(seed) for seed in range(16)]


def test_the_generator_alone_decides() -> None:
    np.testing.assert_array_equal(filament(3).points, filament(3).points)
    assert filament(3).name != filament(4).name


def test_filaments_have_the_wanted_length_and_width(some: list[Molecule]) -> None:
    for molecule in some:
        z = molecule.points[:, 0]
        assert 780 < np.ptp(z) < 1100
        across = np.linalg.norm(molecule.points[:, 1:], axis=1)
        assert 0.8 * FILAMENT_RADIUS_ANGSTROM[0] < across.max() < 1.15 * FILAMENT_RADIUS_ANGSTROM[1]
        assert molecule.volume_angstrom3 / molecule.mass_dalton == pytest.approx(1.21, rel=1e-3)
        # Equally dense along the axis: no gap and no end within the length.
        counts = np.histogram(z, bins=np.arange(-350, 351, 70))[0]
        assert np.ptp(counts) < 0.3 * counts.mean()


def test_tubes_have_a_lumen_and_rods_do_not(some: list[Molecule]) -> None:
    assert {"tube", "rod"} == {"tube" if "tube" in m.name else "rod" for m in some}
    for molecule in some:
        across = np.linalg.norm(molecule.points[:, 1:], axis=1)
        if "tube" in molecule.name:
            assert across.min() > 5
            assert np.quantile(across, 0.01) > 0.15 * across.max()
        else:
            assert np.quantile(across, 0.02) < 0.35 * across.max()

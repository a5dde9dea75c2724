from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_voxuda.simulation.random_assembly import SHAPES, random_assembly


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_generator_alone_decides() -> None:
    one, other = random_assembly(generator(3)), random_assembly(generator(3))
    assert one.name == other.name
    np.testing.assert_array_equal(one.points, other.points)
    assert not np.array_equal(one.points, random_assembly(generator(4)).points)


def test_a_seed_makes_the_same_assembly_on_every_processor() -> None:
    """Symmetric sites tie in density, and which of them come first must not depend on rounding."""
    molecule = random_assembly(generator(3))
    assert molecule.name == "random phantom (shell, T, 1249 kDa)"
    there = [
        [-84.6332, -4.4814, -10.3037],
        [3.5171, 77.4631, -5.2875],
        [30.7847, -57.6502, -13.0766],
    ]
    np.testing.assert_allclose(molecule.points[[0, 100, -1]], there, atol=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_compact_matter_of_the_drawn_mass(shape: str) -> None:
    for seed in range(4):
        molecule = random_assembly(generator(seed), shape=shape)
        assert shape in molecule.name
        assert 100_000 <= molecule.mass_dalton <= 4_000_000
        assert 1.04 <= molecule.volume_angstrom3 / molecule.mass_dalton <= 1.2101
        ball = (3 * molecule.volume_angstrom3 / (4 * np.pi)) ** (1 / 3)
        assert ball <= molecule.radius_angstrom < 7 * ball


def test_masses_are_log_uniform() -> None:
    g = generator(0)
    masses = np.log([random_assembly(g).mass_dalton for _ in range(120)])
    low, high = np.log([100_000, 4_000_000])
    assert masses.mean() == pytest.approx((low + high) / 2, abs=0.35)
    assert masses.std() == pytest.approx((high - low) / 12**0.5, abs=0.2)


def test_a_mass_range_is_kept() -> None:
    molecule = random_assembly(generator(0), mass_range_dalton=(2e5, 2.0001e5))
    assert molecule.mass_dalton == pytest.approx(2e5, rel=1e-3)


def test_symmetry_shape_and_contrast_vary() -> None:
    g = generator(1)
    found = [random_assembly(g, mass_range_dalton=(1e5, 2e5)) for _ in range(60)]
    kinds = {m.name.split("(")[1].split(",")[0] for m in found}
    groups = {m.name.split(", ")[1] for m in found}
    assert kinds == set(SHAPES)
    assert len(groups) > 10
    assert max(m.contrast for m in found) > 1.2 > min(m.contrast for m in found)

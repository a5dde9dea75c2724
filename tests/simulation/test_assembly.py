from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from napari_voxuda.simulation.assembly import Domain, grow_assembly, symmetry_operations

ORDERS = {"C1": 1, "C2x": 2, "C5": 5, "D2": 4, "D7": 14, "T": 12, "O": 24, "I": 60}


@pytest.mark.parametrize(("group", "order"), ORDERS.items())
def test_the_operations_form_a_group_of_rotations(group: str, order: int) -> None:
    operations = symmetry_operations(group)
    assert len(operations) == order
    np.testing.assert_allclose(np.linalg.det(operations), 1.0, atol=1e-9)
    products = np.einsum("aij,bjk->abik", operations, operations).reshape(-1, 9)
    distances, _ = cKDTree(operations.reshape(-1, 9)).query(products)
    assert distances.max() < 1e-9


def test_the_main_axis_is_z() -> None:
    along = np.array([1.0, 0.0, 0.0])  # (z, y, x)
    for operation in symmetry_operations("C7"):
        np.testing.assert_allclose(operation @ along, along, atol=1e-9)


def test_mass_volume_and_residues_are_exact() -> None:
    domain = Domain(centre=(0, 0, 30), radii=(15, 15, 15))
    molecule = grow_assembly("ring", [domain], "C6", 110_000, np.random.default_rng(0))
    assert len(molecule.points) == 1000
    assert molecule.mass_dalton == 110_000
    assert molecule.volume_angstrom3 == pytest.approx(110_000 * 1.21, rel=1e-5)


def test_the_assembly_has_its_symmetry_and_not_another() -> None:
    domain = Domain(centre=(0, 0, 34), radii=(14, 14, 14))
    points = grow_assembly("ring", [domain], "C6", 90_000, np.random.default_rng(0)).points
    tree = cKDTree(points)

    def mismatch(degrees: float) -> float:
        a = np.deg2rad(degrees)
        turn = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
        return float(tree.query(points @ turn.T)[0].mean())

    assert mismatch(60.0) < 3.5  # within the jitter of residues that are 5.1 Å apart
    assert mismatch(30.0) > mismatch(60.0) + 0.5


def test_residues_fill_space_like_protein() -> None:
    domain = Domain(centre=(0, 0, 0), radii=(40, 40, 40))
    mass = domain.volume_angstrom3 / 1.21
    points = grow_assembly("ball", [domain], "C1", mass, np.random.default_rng(0)).points
    inner = np.linalg.norm(points, axis=1) < 25
    density = inner.sum() * 110 / (4 / 3 * np.pi * 25**3)
    assert density == pytest.approx(1 / 1.21, rel=0.1)


def test_a_cavity_stays_open() -> None:
    domain = Domain(centre=(0, 0, 60), radii=(20, 16, 16))
    points = grow_assembly("ring", [domain], "C12", 240_000, np.random.default_rng(0)).points
    assert np.linalg.norm(points[:, 1:], axis=1).min() > 30

from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.errors import InputError
from napari_voxuda.simulation.molecules import Molecule, coarsen
from napari_voxuda.simulation.phantoms import phantom


def cloud(points: list[tuple[float, float, float]], volumes: list[float]) -> Molecule:
    return Molecule(
        name="cloud",
        points=np.asarray(points, np.float32),
        volumes=np.asarray(volumes, np.float32),
    )


def test_the_points_are_centred_on_their_weighted_mean() -> None:
    molecule = cloud([(0, 0, 0), (0, 0, 4)], [3.0, 1.0])
    np.testing.assert_allclose(molecule.points, [[0, 0, -1], [0, 0, 3]], atol=1e-6)
    assert molecule.radius_angstrom == pytest.approx(3.0)


def test_the_mass_follows_from_the_volume_of_protein() -> None:
    assert cloud([(0, 0, 0)], [1210.0]).mass_dalton == pytest.approx(1000.0)


def test_merging_keeps_volume_mass_centre_and_shape() -> None:
    whole = phantom("rubisco")
    coarse = coarsen(whole, 7.0)
    assert len(coarse.points) < 0.7 * len(whole.points)
    assert coarse.volume_angstrom3 == pytest.approx(whole.volume_angstrom3, rel=1e-5)
    assert coarse.mass_dalton == whole.mass_dalton

    def inertia(m: Molecule) -> np.ndarray:
        p = m.points.astype(np.float64)
        return np.asarray(np.einsum("n,ni,nj->ij", m.volumes, p, p)) / m.volume_angstrom3

    # Merging loses the spread within a cell, 7²/12 Å² along each axis, and no more.
    np.testing.assert_allclose(inertia(coarse), inertia(whole), atol=49 / 12 + 0.5)


def test_merging_at_a_fine_spacing_changes_nothing() -> None:
    molecule = cloud([(0, 0, 0), (5, 0, 0), (0, 9, 2)], [1.0, 2.0, 3.0])
    fine = coarsen(molecule, 0.5)
    order = np.argsort(fine.volumes)
    np.testing.assert_allclose(fine.points[order], molecule.points, atol=1e-5)


@pytest.mark.parametrize(
    ("points", "volumes", "words"),
    [
        (np.zeros((0, 3)), np.zeros(0), "shape"),
        (np.zeros((2, 2)), np.zeros(2), "shape"),
        (np.zeros((2, 3)), np.ones(3), "2 volumes"),
        (np.full((2, 3), np.nan), np.ones(2), "finite"),
    ],
)
def test_unusable_points_are_refused(points: np.ndarray, volumes: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Molecule(name="bad", points=points.astype(np.float32), volumes=volumes.astype(np.float32))

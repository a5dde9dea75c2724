from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.simulation.distractors import (
    SMALL_MASS_DALTON,
    gold_bead,
    membrane,
    small_molecule,
    small_protein,
)
from napari_voxuda.simulation.room import Shell


def test_small_proteins_have_their_mass_and_no_more() -> None:
    masses = [small_molecule(np.random.default_rng(n)).mass_dalton for n in range(30)]
    assert (
        SMALL_MASS_DALTON[0] <= min(masses) < 25_000 < 60_000 < max(masses) <= SMALL_MASS_DALTON[1]
    )
    rng = np.random.default_rng(0)
    found = [small_protein(12.0, np.eye(3), rng) for _ in range(40)]
    volumes = np.array([d.weights.sum() for d in found]) * 12**3 / 1.21
    assert volumes.min() >= 15_000 * 0.99
    assert volumes.max() <= 70_000 * 1.01
    assert len(np.unique(volumes)) > 15
    assert max(d.radius for d in found) * 12 < 90


@pytest.mark.parametrize(("diameter", "voxel"), [(50.0, 20.0), (120.0, 12.0), (90.0, 5.0)])
def test_gold_is_a_dense_ball(diameter: float, voxel: float) -> None:
    bead = gold_bead(voxel, diameter_angstrom=diameter, contrast=5.0, rng=np.random.default_rng(0))
    radius = diameter / voxel / 2
    assert bead.radius <= radius + 1e-4
    assert bead.weights.sum() == pytest.approx(5 * 4 / 3 * np.pi * radius**3, rel=1e-4)
    assert (bead.points**2).sum(axis=1).mean() == pytest.approx(0.6 * radius**2, rel=0.15)
    shift = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(bead.moved(shift).points, bead.points + shift, rtol=1e-6)


def piece(radius: float, sway: float = 0.0, seed: int = 0) -> tuple[Shell, np.ndarray, np.ndarray]:
    """Return a membrane that runs through the middle of a 64-voxel box of 5 Å."""
    shell = Shell(centre=np.array([31.5 + radius, 31.5, 31.5]), radius=radius, half=4.0)
    made = membrane(
        shell,
        5.0,
        thickness_angstrom=38.0,
        sway=sway,
        shape=(64, 64, 64),
        margin=8,
        rng=np.random.default_rng(seed),
    )
    return shell, made.points, made.weights


@pytest.mark.parametrize("radius", [30.0, 200.0, 4000.0])
def test_a_membrane_is_two_sheets_four_nanometres_apart(radius: float) -> None:
    shell, points, weights = piece(radius)
    height = (np.linalg.norm(points - shell.centre, axis=1) - radius) * 5.0
    profile, edges = np.histogram(height, bins=np.arange(-42, 43, 2), weights=weights)
    middle = (edges[1:] + edges[:-1]) / 2
    peaks = [
        middle[middle < 0][profile[middle < 0].argmax()],
        middle[middle > 0][profile[middle > 0].argmax()],
    ]
    assert peaks[1] - peaks[0] == pytest.approx(38.0, abs=6.0)
    assert profile[np.abs(middle) < 3].max() < 0.1 * profile.max()
    assert np.abs(height).max() < 40


@pytest.mark.parametrize("radius", [20.0, 60.0])
def test_a_membrane_is_equally_dense_everywhere(radius: float) -> None:
    shell, points, weights = piece(radius)
    outward = (points - shell.centre) / np.linalg.norm(points - shell.centre, axis=1)[:, None]
    cosine = -outward[:, 0]  # caps of equal height of a sphere have equal areas
    bound = np.cos(min(np.pi, 32 / radius))
    caps = np.histogram(cosine, bins=np.linspace(bound, 1, 6), weights=weights)[0]
    assert np.ptp(caps) < 0.1 * caps.mean()
    per_area = weights.sum() / (4 * np.pi * radius**2) if radius == 20.0 else None
    if per_area is not None:  # the whole vesicle is in reach
        assert 2 * 0.8 * 0.85 * 9 / 5 < per_area < 2 * 1.5 * 1.15 * 9 / 5


def test_a_membrane_covers_the_box_and_hardly_more() -> None:
    _, points, _ = piece(4000.0)
    assert (points.min(axis=0)[1:] < -7).all()
    assert (points.max(axis=0)[1:] > 70).all()
    assert points.min() > -13
    assert points.max() < 76


def test_membranes_undulate_within_their_sway() -> None:
    shell, points, _ = piece(4000.0, sway=3.0)
    height = np.linalg.norm(points - shell.centre, axis=1) - 4000.0
    assert 5.0 < np.abs(height).max() < 3.0 + 38 / 10 + 4 * 0.8 + 0.5

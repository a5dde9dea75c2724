from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.simulation.catalogue import make_catalogue
from napari_voxuda.simulation.placement import Draw, draw_box, random_rotation
from napari_voxuda.simulation.settings import SourceSettings

FIXED = SourceSettings(variety="fixed", group="A", neighbours=6, empty_fraction=0.2)


def draws(settings: SourceSettings, count: int) -> list[Draw]:
    molecules = make_catalogue(settings)
    return [draw_box(settings, molecules, np.random.default_rng(seed)) for seed in range(count)]


def test_rotations_are_proper() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        rotation = random_rotation(rng)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_rotations_are_uniform() -> None:
    rng = np.random.default_rng(0)
    rotations = np.stack([random_rotation(rng) for _ in range(20000)])
    # The image of any axis is uniform on the sphere: means 0, second moments 1/3.
    np.testing.assert_allclose(rotations.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose((rotations**2).mean(axis=0), 1 / 3, atol=0.02)
    # The angle has the density (1 - cos a) / pi, so its mean is pi/2 + 2/pi.
    angles = np.arccos(np.clip((np.trace(rotations, axis1=1, axis2=2) - 1) / 2, -1, 1))
    assert angles.mean() == pytest.approx(np.pi / 2 + 2 / np.pi, abs=0.02)


def test_molecules_do_not_overlap() -> None:
    molecules = make_catalogue(FIXED)
    touching = 0
    for draw in draws(FIXED, 60):
        centres = [p.centre for p in draw.placements]
        radii = [molecules[p.molecule].radius for p in draw.placements]
        for i in range(len(centres)):
            for j in range(i):
                gap = np.linalg.norm(centres[i] - centres[j]) - radii[i] - radii[j]
                assert gap >= -1e-9
                touching += gap < 3
    assert touching > 20  # and many are packed closely


def test_counts_offsets_and_empty_boxes_are_as_stated() -> None:
    found = draws(FIXED, 400)
    counts = np.array([len(d.placements) for d in found])
    assert (counts == 0).mean() == pytest.approx(0.2, abs=0.06)
    assert counts.max() >= 5
    assert counts.max() <= 7
    first = np.stack([d.placements[0].centre for d in found if d.placements]) - 15.5
    assert np.abs(first).max() <= 8
    np.testing.assert_allclose(first.std(axis=0), 8 / 3**0.5, rtol=0.12)


def test_the_published_source_tries_four_neighbours_in_every_box() -> None:
    counts = [len(d.placements) for d in draws(SourceSettings.paper(), 60)]
    assert min(counts) >= 2
    assert np.mean(counts) > 4.3


def test_filaments_cross_the_box_and_others_keep_clear_of_them() -> None:
    settings = SourceSettings(
        filament_fraction=1.0, empty_fraction=0.0, neighbours=2, voxel_size_angstrom=14.0
    )
    molecules = make_catalogue(settings)
    beside = 0
    for seed in range(6):
        own, *others = draw_box(settings, molecules, np.random.default_rng(seed)).placements
        assert own.molecule >= len(molecules)
        axis = own.rotation[:, 0]
        assert abs((own.centre - 15.5) @ axis) < 1e-9
        points = own.apply(molecules[own.molecule].points)
        along = (points - 15.5) @ axis
        assert along.min() < -0.5 * 32 * 3**0.5
        assert along.max() > 0.5 * 32 * 3**0.5
        for other in others:
            assert other.molecule < len(molecules)
            assert (
                np.linalg.norm(points - other.centre, axis=1).min()
                >= molecules[other.molecule].radius * other.stretch.max() - 1e-3
            )
            beside += 1
    assert beside > 2


def test_only_random_phantoms_come_with_filaments() -> None:
    assert make_catalogue(SourceSettings(filament_fraction=1.0, variety="fixed")).filaments == 0
    assert make_catalogue(SourceSettings(filament_fraction=0.0)).filaments == 0
    with_some = make_catalogue(SourceSettings())
    assert with_some.filaments > 10
    assert "random filaments" in with_some.names[-1]


def test_imaging_conditions_stay_in_their_ranges() -> None:
    settings = SourceSettings(
        variety="fixed", ctf="mixed", defocus_um=(2.0, 3.0), tilt_jitter_deg=5.0, snr_spread=2.0
    )
    found = draws(settings, 200)
    defocus = [d.defocus_um for d in found]
    assert 2.0 <= min(defocus) < 2.1 < 2.9 < max(defocus) <= 3.0
    assert {d.ctf for d in found} == {"raw", "flipped"}
    assert all(-65 <= d.tilt_min_deg <= -55 and 55 <= d.tilt_max_deg <= 65 for d in found)
    assert len({d.tilt_min_deg + d.tilt_max_deg for d in found}) > 100
    assert 0.015 <= min(d.snr for d in found) < 0.02
    assert 0.08 < max(d.snr for d in found) <= 0.1


def test_only_random_phantoms_change_their_proportions() -> None:
    assert all((p.stretch == 1).all() for d in draws(FIXED, 10) for p in d.placements)
    stretched = [p.stretch for d in draws(SourceSettings(neighbours=0), 4) for p in d.placements]
    assert stretched
    for factors in stretched:
        assert np.prod(factors) == pytest.approx(1.0)
        assert np.ptp(factors) > 0

from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.simulation.room import Ball, Cloud, Rod, Shell, direction, is_free

ORIGIN = np.zeros(3)
DOWN, ACROSS = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.6, 0.8])


def test_distances_are_to_the_surface_and_negative_inside() -> None:
    ball = Ball(centre=ORIGIN, radius=2.0)
    assert ball.distance(5 * ACROSS) == pytest.approx(3.0)
    assert ball.distance(ORIGIN) == pytest.approx(-2.0)
    rod = Rod(centre=ORIGIN, axis=DOWN, radius=2.0, span=4.0)
    assert rod.distance(100 * DOWN + 5 * ACROSS) == pytest.approx(3.0)
    assert rod.distance(7 * DOWN) == pytest.approx(-2.0)
    cloud = Cloud(np.stack([ORIGIN, 5 * DOWN]))
    assert cloud.distance(8 * DOWN) == pytest.approx(3.0)
    assert cloud.distance(2 * ACROSS) == pytest.approx(2.0)
    assert Cloud(np.zeros((0, 3))).distance(ORIGIN) == float("inf")
    shell = Shell(centre=ORIGIN, radius=10.0, half=1.0)
    assert shell.distance(13 * ACROSS) == pytest.approx(2.0)
    assert shell.distance(7 * ACROSS) == pytest.approx(2.0)
    assert shell.distance(10 * ACROSS) == pytest.approx(-1.0)
    np.testing.assert_allclose(shell.foot(3 * ACROSS), 10 * ACROSS)


def test_beside_is_at_the_gap() -> None:
    rng = np.random.default_rng(0)
    for host in (
        Ball(centre=3 * DOWN, radius=2.0),
        Rod(centre=3 * DOWN, axis=ACROSS, radius=2.0, span=4.0),
    ):
        for _ in range(20):
            point = host.beside(direction(rng), 1.5, rng)
            assert host.distance(point) == pytest.approx(1.5)
            assert abs((point - host.centre) @ ACROSS) <= 4.0


def test_free_means_free_of_all() -> None:
    bodies = [Ball(centre=ORIGIN, radius=2.0), Shell(centre=ORIGIN, radius=10.0, half=1.0)]
    assert is_free(5 * ACROSS, 2.9, bodies)
    assert not is_free(5 * ACROSS, 3.1, bodies)
    assert not is_free(7 * ACROSS, 2.1, bodies)
    assert is_free(5 * ACROSS, 100.0, [])

from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.segmentation.meshes import Mesh, joined, mesh_around, smoothed


def _ball(radius, centre=(10, 11, 12), shape=(21, 22, 24)):
    z, y, x = np.indices(shape)
    squares = sum((a - c) ** 2 for a, c in zip((z, y, x), centre, strict=True))
    return squares <= radius**2


def _is_closed(mesh):
    edges = np.concatenate([mesh.faces[:, [i, (i + 1) % 3]] for i in range(3)])
    both = {tuple(edge) for edge in edges}
    return len(both) == len(edges) and all((b, a) in both for a, b in both)


def test_the_surface_of_a_sphere_has_its_radius_and_place():
    z, y, x = np.indices((21, 22, 24))
    distance = np.sqrt((z - 10.0) ** 2 + (y - 11.0) ** 2 + (x - 12.0) ** 2)
    mesh = mesh_around(np.clip(7 - distance, 0, None), 1.0)  # radius 6
    away = np.linalg.norm(mesh.vertices - (10, 11, 12), axis=1)
    np.testing.assert_allclose(away, 6, atol=0.05)
    assert mesh.volume_voxels() == pytest.approx(4 / 3 * np.pi * 6**3, rel=0.02)


def test_the_surface_is_closed_where_an_object_leaves_the_volume():
    mesh = mesh_around(np.ones((3, 4, 5)), 0.5)
    assert _is_closed(mesh)
    np.testing.assert_allclose(mesh.vertices.min(axis=0), -0.5)
    np.testing.assert_allclose(mesh.vertices.max(axis=0), (2.5, 3.5, 4.5))


def test_an_object_that_stays_below_the_level_is_not_lost():
    values = np.zeros((5, 5, 5))
    values[2, 2, 2] = 0.3
    mesh = mesh_around(values, 0.5)
    assert len(mesh.faces)
    np.testing.assert_allclose(mesh.vertices.mean(axis=0), 2, atol=1e-6)


def test_smoothing_takes_the_steps_away_and_keeps_the_volume_and_the_place():
    inside = _ball(6)
    rough = mesh_around(inside, 0.5)
    smooth = smoothed(rough, 10)

    def roughness(mesh):
        return np.std(np.linalg.norm(mesh.vertices - (10, 11, 12), axis=1))

    assert roughness(smooth) < 0.6 * roughness(rough)
    assert smooth.volume_voxels() == pytest.approx(rough.volume_voxels(), rel=0.05)
    np.testing.assert_allclose(smooth.vertices.mean(axis=0), (10, 11, 12), atol=0.05)
    np.testing.assert_array_equal(smoothed(rough, 0).vertices, rough.vertices)


def test_the_smallest_particle_survives_much_smoothing():
    for edge in (1, 2, 3, 4):
        one = mesh_around(np.ones((edge,) * 3), 0.5)
        assert smoothed(one, 50).volume_voxels() > 0.8 * one.volume_voxels()


def test_joined_meshes_keep_their_triangles():
    a, b = mesh_around(np.ones((1, 1, 1)), 0.5), mesh_around(np.ones((2, 1, 1)), 0.5)
    both = joined([a, b])
    n = len(a.faces)
    np.testing.assert_array_equal(both.vertices[both.faces[:n]], a.vertices[a.faces])
    np.testing.assert_array_equal(both.vertices[both.faces[n:]], b.vertices[b.faces])
    assert joined([]).faces.shape == (0, 3)


def test_the_volume_of_a_mesh_is_that_of_a_tetrahedron():
    corners = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)], np.float32)
    faces = np.array([(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)], np.int32)
    assert Mesh(vertices=corners, faces=faces).volume_voxels() == pytest.approx(1 / 6)


@pytest.mark.parametrize("turned", [False, True])
def test_the_normals_of_a_ball_point_outwards(turned):
    mesh = smoothed(mesh_around(_ball(7), 0.5), 10)
    if turned:
        mesh = Mesh(vertices=mesh.vertices, faces=mesh.faces[:, ::-1])
    away = mesh.vertices - (10, 11, 12)
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    assert np.einsum("ij,ij->i", mesh.normals(), away).min() > 0.85

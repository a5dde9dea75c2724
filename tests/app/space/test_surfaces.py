from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda._types import Progress
from napari_voxuda.app.space.surfaces import SurfaceJob, SurfaceSettings, surface_task
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError

_CENTRES = ((6, 8, 9), (14, 22, 24))


def _balls(radii=(4, 5), shape=(20, 30, 34)):
    z, y, x = np.indices(shape)
    away = [np.sqrt((z - a) ** 2 + (y - b) ** 2 + (x - c) ** 2) for a, b, c in _CENTRES]
    return [d <= r for d, r in zip(away, radii, strict=True)]


def _run(data, kind="mask", **settings):
    volume = Volume(data=data, grid=Grid(), name="m")
    job = SurfaceJob(volume=volume, kind=kind, settings=SurfaceSettings(**settings))
    task, events = surface_task(job), []
    while True:
        try:
            events.append(next(task))
        except StopIteration as end:
            return end.value, events


def _volumes(surfaces):
    found = []
    for index in range(len(surfaces.numbers)):
        faces = surfaces.mesh.faces
        mine = faces[surfaces.vertex_particle[faces[:, 0]] == index]
        a, b, c = (surfaces.mesh.vertices[mine[:, i]].astype(float) for i in range(3))
        found.append(abs(np.einsum("ij,ij->", a, np.cross(b, c))) / 6)
    return found


@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.int64])
def test_the_pieces_of_a_mask_are_particles_with_place_and_size(kind):
    small, large = _balls()
    found, events = _run((small | large).astype(kind))
    assert list(found.numbers) == [1, 2]  # the largest piece first
    np.testing.assert_allclose(found.centres, _CENTRES[::-1], atol=1e-9)
    np.testing.assert_allclose(found.diameters, (10, 8), rtol=0.03)
    np.testing.assert_allclose(_volumes(found), (large.sum(), small.sum()), rtol=0.06)
    assert found.binning == 1
    assert isinstance(events[-1], Progress)
    assert (events[-1].done, events[-1].total) == (2, 2)


def test_the_numbers_of_a_labels_layer_stay_also_where_they_touch():
    numbers = np.zeros((8, 10, 20), np.int32)
    numbers[2:6, 2:8, 2:10] = 7
    numbers[2:6, 2:8, 10:18] = 3
    found, _ = _run(numbers, smoothing=0)
    assert list(found.numbers) == [3, 7]
    np.testing.assert_allclose(found.centres[:, 2], (13.5, 5.5))
    np.testing.assert_allclose(_volumes(found), 4 * 6 * 8, rtol=0.05)  # corners are cut


def test_large_numbers_are_no_large_memory():
    numbers = np.zeros((4, 4, 8), np.int64)
    numbers[1, 1, 1], numbers[1, 1, 6] = 2**40, 5
    found, _ = _run(numbers)
    assert list(found.numbers) == [5, 2**40]
    assert found.own_numbers


def test_the_surface_of_a_probability_lies_at_the_threshold():
    z, y, x = np.indices((20, 30, 34))
    away = np.sqrt((z - 10) ** 2 + (y - 14) ** 2 + (x - 16) ** 2)
    probability = np.clip(1 - away / 10, 0, 1).astype(np.float32)
    for threshold, radius in ((0.3, 7), (0.6, 4)):
        found, _ = _run(probability, "probability", threshold=threshold, smoothing=0)
        at = np.linalg.norm(found.mesh.vertices - (10, 14, 16), axis=1)
        np.testing.assert_allclose(at, radius, atol=0.06)


def test_a_large_volume_is_binned_and_stays_in_its_place():
    small, large = _balls((4, 5))
    found, _ = _run((small | large).astype(np.uint8), most_voxels=5000)
    assert found.binning == 2
    np.testing.assert_allclose(found.centres, _CENTRES[::-1], atol=0.3)
    np.testing.assert_allclose(found.diameters, (10, 8), rtol=0.03)
    for index, centre in enumerate(_CENTRES[::-1]):
        vertices = found.mesh.vertices[found.vertex_particle == index]
        np.testing.assert_allclose(vertices.mean(axis=0), centre, atol=0.4)
        assert np.linalg.norm(vertices - centre, axis=1).mean() == pytest.approx(
            (5, 4)[index], abs=0.6
        )


def test_too_many_triangles_are_made_fewer():
    noise = np.random.default_rng(0).random((24, 24, 24)) > 0.9
    full, _ = _run(noise)
    few, _ = _run(noise, most_triangles=4000)
    assert few.binning > 1
    assert len(few.mesh.faces) < 0.5 * len(full.mesh.faces)


def test_an_empty_mask_has_no_particles():
    found, _ = _run(np.zeros((4, 5, 6), np.uint8))
    assert len(found.numbers) == 0
    assert found.mesh.faces.shape == (0, 3)
    assert found.centres.shape == (0, 3)


def test_a_mask_of_fractions_is_refused_with_what_to_do():
    with pytest.raises(InputError, match="as the probability"):
        _run(np.full((4, 4, 4), 0.5, np.float32))


def test_the_task_can_be_left_at_every_step():
    small, large = _balls()
    volume = Volume(data=(small | large).astype(np.uint8), grid=Grid(), name="m")
    for steps in range(4):
        task = surface_task(SurfaceJob(volume=volume, kind="mask", settings=SurfaceSettings()))
        for _ in range(steps + 1):
            next(task)
        task.close()

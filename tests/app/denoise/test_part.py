from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.app.denoise import task as denoise
from napari_voxuda.app.denoise.part import denoise_part_task
from napari_voxuda.app.denoise.task import denoise_task
from napari_voxuda.app.jobs import DenoiseJob
from napari_voxuda.data.volume import Volume
from napari_voxuda.method.denoising import DenoiseSettings


def _end(task):
    while True:
        try:
            next(task)
        except StopIteration as stop:
            return stop.value


PARTS = [((0, 0, 0), (9, 12, 14)), ((3, 2, 5), (4, 9, 14)), ((0, 6, 0), (9, 7, 3))]


@pytest.mark.parametrize("method", ["ibf", "bilateral", "ngm"])
@pytest.mark.parametrize(("start", "stop"), PARTS)
@pytest.mark.parametrize("invert", [False, True])
def test_a_part_has_the_values_of_the_whole(method, start, stop, invert, monkeypatch):
    monkeypatch.setattr(denoise, "_CORE_VOXELS", {"cpu": 4})
    values = np.random.default_rng(0).integers(-99, 99, (9, 12, 14)).astype(np.int16)
    values[8, 11, 13] = 900  # the filters must know of it everywhere
    job = DenoiseJob(
        volume=Volume(data=values, name="tomo"),
        settings=DenoiseSettings(method=method),
        device="cpu",
        invert=invert,
    )
    whole = _end(denoise_task(job)).data
    part = _end(denoise_part_task(job, start, stop))
    region = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    np.testing.assert_allclose(part, whole[region], atol=1e-3)


def test_ngm_of_slabs_keeps_its_part(monkeypatch):
    from napari_voxuda.app.denoise import fourier as denoise_fourier

    monkeypatch.setattr(denoise, "_AT_ONCE_BYTES", 0)
    monkeypatch.setattr(denoise_fourier, "_CHUNK_BYTES", 1000)
    values = np.random.default_rng(0).normal(size=(9, 12, 14)).astype(np.float32)
    settings = DenoiseSettings(method="ngm")
    job = DenoiseJob(volume=Volume(data=values), settings=settings, device="cpu")
    part = _end(denoise_part_task(job, (2, 3, 4), (7, 9, 11)))
    np.testing.assert_allclose(part, _end(denoise_task(job)).data[2:7, 3:9, 4:11], atol=1e-5)

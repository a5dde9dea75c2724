from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_voxuda.app.denoise import denoise_task
from napari_voxuda.app.denoise_output import denoise_output_task
from napari_voxuda.app.jobs import DenoiseJob
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.io.mrc import read_mrc, write_mrc
from napari_voxuda.io.provenance import finished, hash_path, read_sidecar
from napari_voxuda.io.volumes import read_volume
from napari_voxuda.method.denoising import DenoiseSettings


def run(task):
    while True:
        try:
            next(task)
        except StopIteration as stop:
            return stop.value


@pytest.mark.parametrize("name", ["out.mrc", "out.zarr"])
def test_what_is_written_is_what_the_task_gives_and_is_signed(tmp_path: Path, name: str) -> None:
    if name.endswith("zarr"):
        pytest.importorskip("zarr")
    data = np.random.default_rng(0).normal(size=(8, 9, 10)).astype(np.float32)
    write_mrc(tmp_path / "in.mrc", Volume(data=data, grid=Grid(voxel_size_angstrom=(7.0,) * 3)))
    settings = DenoiseSettings(method="bilateral")
    job = DenoiseJob(volume=read_mrc(tmp_path / "in.mrc"), settings=settings, device="cpu")
    run(denoise_output_task(job, tmp_path / name))
    volume = read_volume(tmp_path / name)
    np.testing.assert_array_equal(volume.data, run(denoise_task(job)).data)
    assert volume.grid.voxel_size_angstrom == (7.0,) * 3
    record = read_sidecar(tmp_path / name)
    assert record is not None
    assert (record["task"], record["device"]) == ("denoise", "cpu")
    assert record["settings"]["method"] == "bilateral"
    assert record["inputs"][0]["sha256"] == finished(hash_path(tmp_path / "in.mrc"))
    assert record["output"]["sha256"] == finished(hash_path(tmp_path / name))


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(size=(8, 9, 10)).astype(np.float32)
    for name in ("a.mrc", "b.mrc"):
        run(
            denoise_output_task(DenoiseJob(volume=Volume(data=data), device="cpu"), tmp_path / name)
        )
    assert (tmp_path / "a.mrc").read_bytes() == (tmp_path / "b.mrc").read_bytes()

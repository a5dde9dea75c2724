from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_voxuda.app.denoise.task as denoise
from napari_voxuda.app.denoise.output import denoise_output_task
from napari_voxuda.app.denoise.task import denoise_task
from napari_voxuda.app.jobs import DenoiseJob
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.io.mrc import read_header, read_mrc, write_mrc
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
        pytest.importorskip("zarr", reason="OME-Zarr needs the optional package zarr")
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


def _job(**changes: Any) -> DenoiseJob:
    data = np.random.default_rng(0).normal(100, 15, (23, 31, 26)).astype(np.float32)
    grid = Grid(voxel_size_angstrom=(10.1, 10.2, 10.3), origin_angstrom=(1.0, 2.0, 3.0))
    volume = Volume(data=data, grid=grid, name="tomo")
    return replace(DenoiseJob(volume=volume, device="cpu"), **changes)


@pytest.mark.parametrize("at_once", [0, 1 << 29])
@pytest.mark.parametrize("method", ["ibf", "bilateral", "ngm"])
def test_the_file_is_that_of_the_whole_volume_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: Any, at_once: int
) -> None:
    monkeypatch.setitem(denoise._CORE_VOXELS, "cpu", 9)
    monkeypatch.setattr(denoise, "_AT_ONCE_BYTES", at_once)
    job = _job(settings=DenoiseSettings(method=method))
    write_mrc(tmp_path / "a.mrc", run(denoise_task(job)), label=f"denoised ({method})")
    run(denoise_output_task(job, tmp_path / "b.mrc"))
    assert (tmp_path / "b.mrc").read_bytes() == (tmp_path / "a.mrc").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mrc", "b.mrc", "b.mrc.json"]


def test_a_turned_contrast_stands_in_the_label(tmp_path: Path) -> None:
    run(denoise_output_task(_job(invert=True), tmp_path / "a.mrc"))
    assert read_header(tmp_path / "a.mrc").labels[0].endswith("denoised (ibf, contrast turned)")


def test_a_cancelled_task_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a.mrc").write_text("old")
    task = denoise_output_task(_job(), tmp_path / "a.mrc")
    for event in task:
        if getattr(event, "stage", "") == "Denoising":
            break
    task.close()
    assert (tmp_path / "a.mrc").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_voxuda.app.denoise as denoise
from napari_voxuda._types import Task
from napari_voxuda.app.denoise import denoise_task
from napari_voxuda.app.denoise_files import denoise_to_file_task
from napari_voxuda.app.jobs import DenoiseJob
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.io.mrc import read_header, write_mrc
from napari_voxuda.method.denoising import DenoiseSettings


def _run(task: Task[Any]) -> Any:
    while True:
        try:
            next(task)
        except StopIteration as stop:
            return stop.value


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
    write_mrc(tmp_path / "a.mrc", _run(denoise_task(job)), label=f"denoised ({method})")
    _run(denoise_to_file_task(job, tmp_path / "b.mrc"))
    assert (tmp_path / "b.mrc").read_bytes() == (tmp_path / "a.mrc").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_turned_contrast_stands_in_the_label(tmp_path: Path) -> None:
    _run(denoise_to_file_task(_job(invert=True), tmp_path / "a.mrc"))
    assert read_header(tmp_path / "a.mrc").labels[0].endswith("denoised (ibf, contrast turned)")


def test_a_cancelled_task_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a.mrc").write_text("old")
    task = denoise_to_file_task(_job(), tmp_path / "a.mrc")
    for event in task:
        if getattr(event, "stage", "") == "Denoising":
            break
    task.close()
    assert (tmp_path / "a.mrc").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1

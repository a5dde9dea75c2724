from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
import torch

import napari_voxuda.app.denoise.task as subject
from napari_voxuda._types import Event, Message, Progress, Task
from napari_voxuda.app.denoise import fourier as denoise_fourier
from napari_voxuda.app.denoise.task import (
    ValueStatistics,
    denoise_into,
    denoise_region,
    denoise_task,
    measure_values,
)
from napari_voxuda.app.jobs import DenoiseJob
from napari_voxuda.data.slabs import ArraySink
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.method.denoising import DenoiseSettings
from napari_voxuda.method.pseudo_labels import ngm_denoise

IBF = DenoiseSettings()
LAPLACIAN = DenoiseSettings(operator="laplacian")
BILATERAL = DenoiseSettings(method="bilateral")
NGM = DenoiseSettings(method="ngm")
EVERY = [IBF, LAPLACIAN, BILATERAL, NGM]


def _run(task: Task[Any]) -> tuple[Any, list[Event]]:
    events = []
    while True:
        try:
            events.append(next(task))
        except StopIteration as stop:
            return stop.value, events


def _array(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(0).normal(100, 15, shape).astype(dtype)


def _job(array: np.ndarray, settings: DenoiseSettings = IBF) -> DenoiseJob:
    return DenoiseJob(volume=Volume(data=array, name="tomo"), settings=settings, device="cpu")


def _whole(array: np.ndarray, settings: DenoiseSettings) -> np.ndarray:
    statistics, _ = _run(measure_values(array))
    return denoise_region(
        array,
        settings,
        (statistics.minimum, statistics.maximum),
        standard_deviation=statistics.standard_deviation,
    )


@pytest.mark.parametrize("settings", EVERY, ids=["ibf", "laplacian", "bilateral", "ngm"])
@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (1, 9, 2), (2, 40, 3), (13, 17, 11), (10, 21, 30), (8, 8, 8)]
)
def test_blocks_give_the_bits_of_the_whole_volume(
    monkeypatch: pytest.MonkeyPatch, settings: DenoiseSettings, shape: tuple[int, int, int]
) -> None:
    monkeypatch.setitem(subject._CORE_VOXELS, "cpu", 5)
    array = _array(*shape)
    result, _ = _run(denoise_task(_job(array, settings)))
    assert result.data.dtype == np.float32
    np.testing.assert_array_equal(result.data, _whole(array, settings))


def test_blocks_of_the_real_size_give_the_bits_of_the_whole_volume() -> None:
    array = _array(30, 107, 101)
    result, events = _run(denoise_task(_job(array)))
    np.testing.assert_array_equal(result.data, _whole(array, IBF))
    assert [e.total for e in events if isinstance(e, Progress)][-1] == 9


@pytest.mark.parametrize("settings", EVERY, ids=["ibf", "laplacian", "bilateral", "ngm"])
@pytest.mark.parametrize("dtype", [">i2", "int8", "uint16", "float16", ">f4", "float64", "bool"])
def test_any_real_type_and_a_read_only_map(
    tmp_path: Path, settings: DenoiseSettings, dtype: str
) -> None:
    values = (np.random.default_rng(0).random((6, 7, 8)) * (1 if dtype == "bool" else 100)).round()
    values.astype(dtype).tofile(tmp_path / "volume")
    array = np.memmap(tmp_path / "volume", dtype=dtype, mode="r", shape=(6, 7, 8))
    result, _ = _run(denoise_task(_job(array, settings)))
    expected, _ = _run(denoise_task(_job(values.astype(np.float32), settings)))
    assert result.data.dtype == np.float32
    np.testing.assert_array_equal(result.data, expected.data)


def test_the_grid_and_the_name_are_kept() -> None:
    grid = Grid(voxel_size_angstrom=(10.0, 11.0, 12.0), origin_angstrom=(1.0, 2.0, 3.0))
    volume = Volume(data=_array(4, 5, 6), grid=grid, name="tomo", path=Path("tomo.mrc"))
    result, _ = _run(denoise_task(DenoiseJob(volume=volume, device="cpu")))
    assert (result.grid, result.name, result.path) == (grid, "tomo", None)


@pytest.mark.parametrize("settings", EVERY, ids=["ibf", "laplacian", "bilateral", "ngm"])
def test_progress_counts_up_to_its_total_in_every_stage(
    monkeypatch: pytest.MonkeyPatch, settings: DenoiseSettings
) -> None:
    monkeypatch.setitem(subject._CORE_VOXELS, "cpu", 4)
    monkeypatch.setattr(subject, "_SLAB_BYTES", 8 * 12 * 12 * 5)
    _, events = _run(denoise_task(_job(_array(12, 12, 12), settings)))
    stages: dict[str, list[tuple[int, int]]] = {}
    for event in events:
        assert isinstance(event, Progress)
        stages.setdefault(event.stage, []).append((event.done, event.total))
    assert list(stages) == ["Reading values", "Denoising"]
    for counts in stages.values():
        total = counts[0][1]
        assert counts == [(done, total) for done in range(total + 1)]
    assert len(stages["Reading values"]) == 4


def test_a_closed_task_reads_no_further() -> None:
    array = _array(100, 8, 8)
    array[99] = math.nan
    task = denoise_task(_job(array))
    next(task)
    task.close()
    with pytest.raises(StopIteration):
        next(task)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300])
@pytest.mark.parametrize("settings", [IBF, NGM], ids=["ibf", "ngm"])
def test_values_that_are_no_numbers_are_refused_with_their_place(
    monkeypatch: pytest.MonkeyPatch, bad: float, settings: DenoiseSettings
) -> None:
    monkeypatch.setattr(subject, "_SLAB_BYTES", 1)  # a slab a slice
    array = _array(5, 6, 7, dtype="float64")
    array[3, 4, 5] = bad
    with pytest.raises(InputError, match=r"tomo: .* at voxel \(z, y, x\) = \(3, 4, 5\)") as caught:
        _run(denoise_task(_job(array, settings)))
    assert f"got {bad}" in str(caught.value)
    with pytest.raises(InputError, match=r"preview: .* at voxel \(z, y, x\) = \(3, 4, 5\)"):
        denoise_region(array, settings)


def test_complex_values_are_refused() -> None:
    with pytest.raises(InputError, match="real numbers were wanted, got values of type complex64"):
        _run(denoise_task(_job(_array(3, 3, 3).astype(np.complex64))))


def test_statistics_are_those_of_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "_SLAB_BYTES", 8 * 20 * 10 * 4)
    array = 1e6 + _array(23, 20, 10)
    found, _ = _run(measure_values(array))
    assert found.minimum == array.min()
    assert found.maximum == array.max()
    assert found.standard_deviation == pytest.approx(array.astype(np.float64).std(), rel=1e-9)
    constant, _ = _run(measure_values(np.full((3, 3, 3), 7, dtype=np.int16)))
    assert constant == ValueStatistics(minimum=7.0, maximum=7.0, standard_deviation=0.0)


@pytest.mark.parametrize("settings", EVERY, ids=["ibf", "laplacian", "bilateral", "ngm"])
def test_a_constant_volume_stays(settings: DenoiseSettings) -> None:
    array = np.full((6, 7, 8), 42.5, dtype=np.float32)
    result, _ = _run(denoise_task(_job(array, settings)))
    np.testing.assert_allclose(result.data, array, rtol=1e-6)


def test_a_preview_of_a_piece_shows_what_the_whole_will_be() -> None:
    array = _array(16, 20, 24)
    statistics, _ = _run(measure_values(array))
    whole, _ = _run(denoise_task(_job(array)))
    piece = denoise_region(array[5:12, 4:14, 6:16], IBF, (statistics.minimum, statistics.maximum))
    np.testing.assert_array_equal(piece[2:-2, 2:-2, 2:-2], whole.data[7:10, 6:12, 8:14])


def test_a_preview_does_not_change_its_input() -> None:
    array = _array(5, 5, 5)
    before = array.copy()
    denoise_region(array, IBF)[:] = 0
    np.testing.assert_array_equal(array, before)


def test_ngm_takes_the_whole_volume_without_seams() -> None:
    array = _array(20, 33, 50)
    result, _ = _run(denoise_task(_job(array, NGM)))
    np.testing.assert_array_equal(result.data, ngm_denoise(torch.from_numpy(array)).numpy())


@pytest.mark.parametrize("shape", ["cube", "radial"])
@pytest.mark.parametrize("size", [(20, 33, 50), (1, 9, 2), (13, 16, 11)])
def test_ngm_of_a_large_volume_is_that_in_one_piece(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int, int], shape: Any
) -> None:
    settings = replace(NGM, shape=shape)
    array = 100 + _array(*size)
    whole, _ = _run(denoise_task(_job(array, settings)))
    monkeypatch.setattr(subject, "_AT_ONCE_BYTES", 0)
    monkeypatch.setattr(denoise_fourier, "_CHUNK_BYTES", 5000)
    result, events = _run(denoise_task(_job(array, settings)))
    np.testing.assert_allclose(result.data, whole.data, rtol=0, atol=1e-4 * array.std())
    counts = [(e.done, e.total) for e in events if getattr(e, "stage", "") == "Denoising"]
    assert counts == [(done, counts[0][1]) for done in range(counts[0][1] + 1)]


def test_ngm_without_room_for_its_interim_file_says_how_much(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(subject, "_AT_ONCE_BYTES", 0)
    task = denoise_into(_job(_array(8, 8, 8), NGM), ArraySink((8, 8, 8)), scratch=tmp_path / "no")
    with pytest.raises(OutputError, match=r"interim file of the NGM denoiser .* GiB of room"):
        _run(task)


@pytest.mark.parametrize("settings", EVERY, ids=["ibf", "laplacian", "bilateral", "ngm"])
def test_the_contrast_is_turned_on_demand(settings: DenoiseSettings) -> None:
    array = _array(9, 10, 11)
    plain, _ = _run(denoise_task(_job(array, settings)))
    turned, _ = _run(denoise_task(replace(_job(array, settings), invert=True)))
    np.testing.assert_array_equal(turned.data, -plain.data)


def test_ngm_beyond_the_gpu_goes_to_the_cpu_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "resolve_device", lambda name: torch.device("cuda"))
    monkeypatch.setattr(
        subject, "memory_bytes", lambda device: 1000 if device.type == "cuda" else None
    )
    array = _array(8, 8, 8)
    result, events = _run(denoise_task(_job(array, NGM)))
    assert [e.level for e in events if isinstance(e, Message)] == ["warning"]
    np.testing.assert_array_equal(result.data, ngm_denoise(torch.from_numpy(array)).numpy())


def test_a_real_tomogram_loses_noise_and_keeps_its_wall(shared_data: Path) -> None:
    folder = shared_data / "microtubule"
    with mrcfile.mmap(folder / "13pf_MT.mrc", permissive=True) as file:
        array = file.data
        wall = mrcfile.read(folder / "13pf_MT_wallmask.mrc") > 0
        result, _ = _run(denoise_task(_job(array)))
        original = np.array(array, dtype=np.float32)

    def contrast(values: np.ndarray) -> float:
        return float((values[wall].mean() - values[~wall].mean()) / values[~wall].std())

    assert contrast(result.data) > 1.3 * contrast(original)
    assert result.data.mean() == pytest.approx(original.mean(), rel=0.01)

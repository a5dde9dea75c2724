from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.app.denoise import preview as denoise_preview
from napari_voxuda.app.denoise.preview import PreviewSource, preview_slice
from napari_voxuda.app.denoise.task import denoise_region, measure_values
from napari_voxuda.app.scene import SliceView
from napari_voxuda.data.volume import Volume
from napari_voxuda.method import slice_filter
from napari_voxuda.method.denoising import DenoiseSettings

SHAPE = (6, 40, 31)


def _volume(dtype=np.float32) -> Volume:
    values = 50 * np.random.default_rng(0).normal(size=SHAPE)
    return Volume(data=values.astype(dtype), name="tomo")


def _statistics(volume):
    return PreviewSource().statistics("key", volume)


def _view(axis, index):
    start, stop = [0, 0, 0], list(SHAPE)
    start[axis], stop[axis] = index, index + 1
    return SliceView(axis=axis, index=index, start=tuple(start), stop=tuple(stop))


SETTINGS = [
    DenoiseSettings(),
    DenoiseSettings(operator="laplacian"),
    DenoiseSettings(method="bilateral", sigma_domain=1.0),
    DenoiseSettings(method="ngm"),
    DenoiseSettings(method="ngm", shape="radial"),
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: f"{s.method}-{s.operator}-{s.shape}")
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_equals_the_denoised_volume_at_borders_and_within(settings, axis, monkeypatch) -> None:
    monkeypatch.setattr(slice_filter, "_PIECE", 300)  # several pieces
    volume = _volume(np.int16)
    whole = denoise_region(volume.data, settings)
    for index in (0, SHAPE[axis] // 2, SHAPE[axis] - 1):
        piece = preview_slice(volume, _view(axis, index), settings, _statistics(volume))
        assert piece.is_exact
        assert piece.data.dtype == np.float32
        np.testing.assert_allclose(piece.data.take(0, axis), whole.take(index, axis), atol=1e-3)


def test_without_a_denoiser_it_is_the_slice_itself() -> None:
    volume = _volume(np.int16)
    view = SliceView(axis=1, index=3, start=(1, 3, 2), stop=(5, 4, 7))
    piece = preview_slice(volume, view, None, _statistics(volume))
    assert piece.offset == (1, 3, 2)
    np.testing.assert_array_equal(piece.data, volume.data[1:5, 3:4, 2:7])


def test_the_middle_of_a_view_that_is_too_large_is_used(monkeypatch) -> None:
    monkeypatch.setattr(denoise_preview, "_LARGEST_EDGE", 10)
    volume = _volume()
    piece = preview_slice(volume, _view(0, 2), SETTINGS[0], _statistics(volume))
    assert piece.offset == (2, 15, 10)
    assert piece.data.shape == (1, 10, 10)


def test_of_a_large_volume_ngm_is_near_and_told_to_be_approximate(monkeypatch) -> None:
    monkeypatch.setattr(denoise_preview, "_LARGEST_STACK_VOXELS", 1000)
    monkeypatch.setattr(denoise_preview, "_LARGEST_FOURIER_VOXELS", 1000)
    monkeypatch.setattr(denoise_preview, "_FOURIER_HALO", 2)
    volume = _volume()
    view = SliceView(axis=0, index=5, start=(5, 10, 10), stop=(6, 20, 20))
    for shape in ("cube", "radial"):
        settings = DenoiseSettings(method="ngm", shape=shape)
        piece = preview_slice(volume, view, settings, _statistics(volume))
        assert not piece.is_exact
        assert piece.offset == (5, 10, 10)
        whole = denoise_region(volume.data, settings)[5:, 10:20, 10:20]
        assert np.corrcoef(piece.data.ravel(), whole.ravel())[0, 1] > 0.8


def test_a_slider_step_reads_nothing_again(monkeypatch) -> None:
    reads = []

    def counted(array, region):
        reads.append(region)
        return np.array(array[region])

    monkeypatch.setattr(denoise_preview, "read_part", counted)
    volume, source = _volume(np.int16), PreviewSource()
    statistics = source.statistics("key", volume)
    for method in ("ibf", "bilateral", "ngm"):
        for sigma in (0.5, 1.0):
            settings = DenoiseSettings(method=method, sigma_range=sigma)
            preview_slice(volume, _view(0, 2), settings, statistics, source)
    assert len(reads) == 3
    preview_slice(volume, _view(0, 3), SETTINGS[0], statistics, source)
    assert len(reads) == 4
    other = _volume()
    other.data[...] += 1.0
    piece = preview_slice(other, _view(0, 3), None, source.statistics("key", other), source)
    np.testing.assert_array_equal(piece.data, other.data[3:4])


def test_a_whole_volume_in_memory_is_not_copied() -> None:
    outer = tuple((0, n) for n in SHAPE)

    def shares(data: np.ndarray, axis: int = 0) -> bool:
        volume = Volume(data=data, name="tomo")
        block = PreviewSource().block("ngm", volume, axis, outer, 0)
        np.testing.assert_array_equal(block, np.moveaxis(data, axis, 0))
        assert block.dtype == np.float32
        assert block.flags.c_contiguous
        return np.shares_memory(block, data)

    data = _volume().data
    locked = data.copy()
    locked.flags.writeable = False
    assert shares(data)
    assert not shares(data, axis=1)
    assert not shares(data.astype(">f4"))
    assert not shares(_volume(np.int16).data)
    assert not shares(locked)


def test_a_slider_step_takes_no_gradient_again(monkeypatch) -> None:
    taken = []

    def counted(slab, **chosen):
        taken.append(chosen)
        return slice_gradient(slab, **chosen)

    slice_gradient = slice_filter.slice_gradient
    monkeypatch.setattr(slice_filter, "slice_gradient", counted)
    volume, source = _volume(), PreviewSource()
    statistics = source.statistics("key", volume)

    def preview(volume, index, **chosen):
        settings = DenoiseSettings(**chosen)
        piece = preview_slice(volume, _view(0, index), settings, statistics, source)
        limits = (statistics.minimum, statistics.maximum)
        whole = denoise_region(volume.data, settings, value_range=limits)
        np.testing.assert_allclose(piece.data[0], whole[index], atol=1e-3)
        return len(taken)

    assert preview(volume, 2) == 1
    assert preview(volume, 2, sigma_range=0.3) == 1
    assert preview(volume, 2, sigma_range=0.3, sigma_domain=0.8) == 1
    assert preview(volume, 2, operator="laplacian") == 2
    assert preview(volume, 3, operator="laplacian") == 3
    other = _volume()
    other.data[...] *= 0.5
    assert preview(other, 3, operator="laplacian") == 4


def test_statistics_are_measured_once_for_each_volume(monkeypatch) -> None:
    calls = []

    def counted(array, *, name):
        calls.append(name)
        return measure_values(array, name=name)

    monkeypatch.setattr(denoise_preview, "measure_values", counted)
    volume, source = _volume(), PreviewSource()
    first = source.statistics("a", volume)
    assert source.statistics("a", volume) is first
    assert first.minimum == pytest.approx(volume.data.min())
    source.statistics("b", volume)
    assert len(calls) == 2

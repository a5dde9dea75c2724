from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from napari_voxuda._types import Event, Progress, Task
from napari_voxuda.errors import InputError
from napari_voxuda.segmentation.predict import Predict, predict_tiles, read_tile
from napari_voxuda.segmentation.settings import SegmentSettings
from napari_voxuda.segmentation.tiling import plan_tiles

MERGES = ["cores", "blend"]


def run(task: Task[Any]) -> tuple[Any, list[Event]]:
    events = []
    while True:
        try:
            events.append(next(task))
        except StopIteration as stop:
            return stop.value, events


def predicted(volume: np.ndarray, predict: Predict, **changes: Any) -> np.ndarray:
    statistics = {k: changes.pop(k) for k in ("mean", "std", "invert") if k in changes}
    task = predict_tiles(
        volume, predict, SegmentSettings(**changes), **{"mean": 0.0, "std": 1.0, **statistics}
    )
    return run(task)[0]


def box_mean(batch: Tensor) -> Tensor:
    """Average over 5^3 voxels with zeros outside; the order of additions is fixed."""
    for axis in (1, 2, 3):
        padding = [0] * 6
        padding[2 * (3 - axis)] = padding[2 * (3 - axis) + 1] = 2
        wide, n = F.pad(batch, padding), batch.shape[axis]
        total = wide.narrow(axis, 0, n).clone()
        for shift in range(1, 5):
            total += wide.narrow(axis, shift, n)
        batch = total / 5
    return batch


def whole(volume: np.ndarray, predict: Predict, *, core: int, halo: int) -> np.ndarray:
    """Predict in one piece, mirrored at the end up to where the last tiles reach."""
    tiling = plan_tiles(volume.shape, core=core, halo=halo)
    ends = [a.end for a in tiling.axes]
    padding = [(0, end - n) for end, n in zip(ends, volume.shape, strict=True)]
    padded = torch.from_numpy(np.pad(volume, padding, mode="reflect"))
    d, h, w = volume.shape
    return predict(padded[None])[0, :d, :h, :w].numpy()


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 50)] * 3),
    core=st.sampled_from([8, 16, 24]),
    halo=st.sampled_from([2, 8, 16]),
    batch=st.integers(2, 5),
    seed=st.integers(0, 2**16),
)
@example(shape=(7, 33, 100), core=16, halo=8, batch=2, seed=0)
@example(shape=(1, 1, 1), core=8, halo=8, batch=2, seed=0)
@example(shape=(1, 90, 40), core=24, halo=8, batch=3, seed=1)
@example(shape=(64, 64, 65), core=48, halo=8, batch=2, seed=1)
def test_tiles_equal_the_whole_volume_bit_for_bit(
    shape: tuple[int, int, int], core: int, halo: int, batch: int, seed: int
) -> None:
    volume = np.random.default_rng(seed).random(shape, dtype=np.float32)
    tiles = predicted(volume, box_mean, core=core, halo=halo, batch=batch)
    np.testing.assert_array_equal(tiles, whole(volume, box_mean, core=core, halo=halo))


def test_without_a_halo_there_are_seams() -> None:
    """The counter-example: the test above can fail."""
    volume = np.random.default_rng(0).random((40, 40, 40), dtype=np.float32)
    tiles = predicted(volume, box_mean, core=16, halo=0)
    assert not np.array_equal(tiles, whole(volume, box_mean, core=16, halo=0))


@pytest.mark.parametrize("merge", MERGES)
@pytest.mark.parametrize("shape", [(7, 33, 100), (1, 1, 1), (40, 72, 41)])
def test_the_stride_grid_of_a_network_is_the_same_in_every_tile(
    merge: str, shape: tuple[int, int, int]
) -> None:
    def blocks(batch: Tensor) -> Tensor:
        means = F.avg_pool3d(batch[:, None], 8)
        return F.interpolate(means, scale_factor=8, mode="nearest")[:, 0]

    volume = np.random.default_rng(0).random(shape, dtype=np.float32)
    tiles = predicted(volume, blocks, core=16, halo=8, merge=merge)
    wanted = whole(volume, blocks, core=16, halo=8)
    np.testing.assert_allclose(tiles, wanted, atol=0 if merge == "cores" else 3e-7)


@pytest.mark.parametrize("window", ["gaussian", "linear"])
def test_blending_keeps_what_tiles_agree_on(window: str) -> None:
    volume = np.random.default_rng(0).random((20, 50, 61), dtype=np.float32)
    tiles = predicted(volume, lambda b: b, core=16, halo=8, merge="blend", window=window)
    np.testing.assert_allclose(tiles, volume, atol=5e-7)


def test_blending_smooths_where_tiles_disagree() -> None:
    rng = np.random.default_rng(0)
    levels = iter(rng.random(1000))

    def disagreeing(batch: Tensor) -> Tensor:
        return torch.stack([torch.full_like(box, next(levels)) for box in batch])

    volume = np.zeros((1, 1, 200), dtype=np.float32)
    cores = predicted(volume, disagreeing, core=16, halo=8, batch=2)
    levels = iter(np.random.default_rng(0).random(1000))
    blend = predicted(volume, disagreeing, core=16, halo=8, batch=2, merge="blend")
    assert np.abs(np.diff(blend)).max() < 0.5 * np.abs(np.diff(cores)).max()


def test_result_stays_a_probability_when_blended() -> None:
    volume = np.zeros((1, 40, 90), dtype=np.float32)
    blend = predicted(volume, torch.ones_like, core=16, halo=8, merge="blend")
    assert blend.max() <= 1.0
    np.testing.assert_allclose(blend, 1.0, rtol=1e-6)


@pytest.mark.parametrize("batch", [2, 3, 4])
@pytest.mark.parametrize("shape", [(5, 6, 7), (30, 30, 60), (20, 90, 100)])
def test_batches_hold_two_tiles_or_more_of_one_shape(
    batch: int, shape: tuple[int, int, int]
) -> None:
    seen = []

    def counting(tiles: Tensor) -> Tensor:
        seen.append(tiles)
        return tiles

    predicted(np.zeros(shape), counting, core=16, halo=8, batch=batch)
    tiling = plan_tiles(shape, core=16, halo=8)
    assert {tuple(tiles.shape[1:]) for tiles in seen} == {tiling.tile_shape}
    assert all(2 <= len(tiles) <= batch for tiles in seen)
    assert all(tiles.dtype == torch.float32 and tiles.is_contiguous() for tiles in seen)
    assert len(tiling) <= sum(len(t) for t in seen) <= len(tiling) + 1


def test_progress_counts_tiles_to_the_end() -> None:
    volume = np.zeros((20, 50, 61))
    task = predict_tiles(volume, lambda b: b, SegmentSettings(core=16, batch=2), mean=0, std=1)
    events = run(task)[1]
    total = len(plan_tiles(volume.shape, core=16, halo=8))
    assert all(isinstance(event, Progress) for event in events)
    assert [event.done for event in events] == [*range(0, total, 2), total]
    assert {event.total for event in events} == {total}


def test_a_cancelled_task_predicts_no_further_batch() -> None:
    calls = []

    def counting(batch: Tensor) -> Tensor:
        calls.append(len(batch))
        return batch

    task = predict_tiles(
        np.zeros((60, 60, 60)), counting, SegmentSettings(core=16), mean=0.0, std=1.0
    )
    for _ in range(3):
        next(task)
    task.close()
    assert len(calls) == 2
    with pytest.raises(StopIteration):
        next(task)


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", ">i2", "u2", "f2", ">f4", "f8"])
def test_any_type_is_normalised_alike(dtype: str) -> None:
    volume = np.random.default_rng(0).integers(0, 100, (9, 20, 40)).astype(dtype)
    found = predicted(volume, torch.sigmoid, core=16, halo=8, mean=50.0, std=20.0)
    wanted = 1 / (1 + np.exp(-(volume.astype(float) - 50) / 20))
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_values_of_any_magnitude_keep_their_precision() -> None:
    noise = np.random.default_rng(0).normal(size=(8, 8, 8))
    volume = -4e11 + 1e3 * noise
    tiling = plan_tiles(volume.shape, core=8, halo=0)
    (tile,) = tiling
    np.testing.assert_allclose(
        read_tile(volume, tile, tiling, mean=-4e11, scale=1e3), noise, atol=1e-4
    )


def test_inverting_flips_the_sign_of_the_normalised_volume() -> None:
    volume = np.random.default_rng(0).normal(3.0, 2.0, (8, 20, 40)).astype(np.float32)
    dark = predicted(volume, torch.sigmoid, mean=3.0, std=2.0, invert=True)
    bright = predicted(6.0 - volume, torch.sigmoid, mean=3.0, std=2.0)
    np.testing.assert_allclose(dark, bright, atol=1e-6)


def test_views_in_another_order_and_read_only_maps_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "volume.raw"
    values = np.random.default_rng(0).random((60, 30, 20), dtype=np.float32)
    values.tofile(path)
    mapped = np.memmap(path, dtype=np.float32, mode="r", shape=values.shape).transpose(2, 0, 1)

    def in_place(batch: Tensor) -> Tensor:
        return batch.mul_(0.5)

    found = predicted(mapped, in_place, core=16, halo=8)
    np.testing.assert_array_equal(found, values.transpose(2, 0, 1) * 0.5)
    np.testing.assert_array_equal(np.fromfile(path, dtype=np.float32), values.ravel())


def test_memory_is_bounded_by_the_tile(tmp_path: Path) -> None:
    shape = (128, 256, 256)
    mapped = np.memmap(tmp_path / "large.raw", dtype=np.int8, mode="w+", shape=shape)
    tile_bytes = 64**3 * 8
    tracemalloc.start()
    try:
        result = predicted(mapped, lambda b: b)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert mapped.size * 8 > 30 * tile_bytes
    layer_bytes = 64 * 256 * 256 * 4  # of tiles that may still change
    assert peak < result.nbytes + layer_bytes + 6 * tile_bytes


@pytest.mark.parametrize("merge", MERGES)
def test_half_precision_and_gradients_of_the_model_do_no_harm(merge: str) -> None:
    def half(batch: Tensor) -> Tensor:
        return torch.sigmoid(batch.bfloat16().requires_grad_())

    found = predicted(np.zeros((9, 9, 9)), half, merge=merge)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, 0.5)


@pytest.mark.parametrize(
    ("volume", "mean", "std", "message"),
    [
        (
            np.zeros((4, 4)),
            0.0,
            1.0,
            r"volume \(z, y, x\) was wanted, got an array of shape \(4, 4\)",
        ),
        (np.zeros((4, 4, 4), dtype=complex), 0.0, 1.0, "real values were wanted"),
        (np.zeros((4, 4, 4)), 0.0, 0.0, "positive standard deviation were wanted, got 0.0 and 0.0"),
        (np.zeros((4, 4, 4)), float("nan"), 1.0, "got nan and 1.0"),
        (np.zeros((4, 0, 4)), 0.0, 1.0, "at least 1 voxel"),
    ],
)
def test_refused_input(volume: np.ndarray, mean: float, std: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        predicted(volume, lambda b: b, mean=mean, std=std)


def test_a_prediction_of_another_shape_is_refused() -> None:
    with pytest.raises(InputError, match=r"shape \(2, 8, 8, 8\) was wanted, got \(2, 8, 8\)"):
        predicted(np.zeros((8, 8, 8)), lambda batch: batch[..., 0])


def test_an_error_of_the_model_comes_through() -> None:
    def broken(batch: Tensor) -> Tensor:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        predicted(np.zeros((8, 8, 8)), broken)

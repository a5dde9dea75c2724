"""The picture of a slice: its values, its cost, and that it leaves the run as it is."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_voxuda._types import Message
from napari_voxuda.app.live import view as live_view
from napari_voxuda.app.live.view import LivePiece, LivePrediction, SlicePicture, ViewWish
from napari_voxuda.app.scene import SliceView

SHAPE = (20, 180, 190)


def view(index: int = 9, start: tuple[int, int] = (0, 0), stop: tuple[int, int] = (180, 190)):
    return SliceView(axis=0, index=index, start=(index, *start), stop=(index + 1, *stop))


@pytest.fixture
def volume() -> np.ndarray:
    return np.random.default_rng(0).normal(5.0, 2.0, size=SHAPE).astype(np.float32)


def doubled(batch: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(2 * batch)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Costly(torch.nn.Module):
    """Stands for the network: counts, and takes its time."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.clock, self.seconds, self.calls = clock, seconds, 0
        self.error: Exception | None = None


@pytest.fixture
def costly(monkeypatch):
    def predict(network, batch, **options):
        assert options["mirrors"] is False
        if network.error is not None:
            raise network.error
        network.calls += 1
        network.clock.now += network.seconds
        return torch.sigmoid(batch)

    monkeypatch.setattr("napari_voxuda.networks.prediction.predict_steadily", predict)
    clock = Clock()
    return Costly(clock, 0.1)


def watch(volume, wish, clock):
    picture = SlicePicture(volume, mean=5.0, scale=2.0)
    return LivePrediction([picture], wish, smooth_voxels=1.0, clock=clock)


def test_the_picture_has_the_values_of_the_slice_at_its_place(volume):
    picture = SlicePicture(volume, mean=5.0, scale=-2.0)  # dark protein
    picture.look_at(view(start=(100, 85), stop=(150, 120)))
    while not picture.is_complete:
        picture.advance(doubled)
    piece = picture.piece(7)
    assert piece.step == 7
    assert piece.offset == (9, 80, 80)
    assert piece.data.shape == (1, 80, 80)
    expected = 1 / (1 + np.exp(2 * (volume[9:10, 80:160, 80:160] - 5.0) / 2.0))
    np.testing.assert_allclose(piece.data, expected, atol=1e-5)


@pytest.mark.parametrize("axis", [1, 2])
def test_slices_across_other_axes(volume, axis):
    start, stop = [0, 0, 0], list(SHAPE)
    start[axis], stop[axis] = 33, 34
    picture = SlicePicture(volume, mean=0.0, scale=1.0)
    picture.look_at(SliceView(axis=axis, index=33, start=tuple(start), stop=tuple(stop)))
    while not picture.is_complete:
        picture.advance(doubled)
    piece = picture.piece(1)
    index = [slice(None)] * 3
    index[axis] = slice(33, 34)
    assert piece.offset == tuple(start)
    np.testing.assert_allclose(piece.data, 1 / (1 + np.exp(-2 * volume[tuple(index)])), atol=1e-5)


def test_tiles_are_kept_while_the_view_moves_within_its_slice(volume):
    picture = SlicePicture(volume, mean=0.0, scale=1.0)
    picture.look_at(view(stop=(80, 80)))
    picture.advance(doubled)
    assert picture.is_complete
    picture.look_at(view())
    assert not picture.is_complete
    assert picture.piece(1).data[0, :80, :80].all()
    assert not picture.piece(1).data[0, 80:].any(), "what is not known is empty"
    picture.look_at(view(index=10))
    assert not picture.piece(1).data.any(), "another slice has nothing of this one"


def test_a_picture_costs_a_bounded_share_of_the_time_of_training(volume, costly):
    watcher = watch(volume, ViewWish(view()), costly.clock)
    for step in range(1, 401):
        costly.clock.now += 0.5
        list(watcher.after_step(costly, step))
    assert 0.9 < costly.calls * costly.seconds / (0.08 * 400 * 0.5 + 0.6) <= 1.1


def test_waiting_saves_up_no_long_interruption(volume, costly):
    watcher = watch(volume, ViewWish(view()), costly.clock)
    costly.clock.now += 1e6  # the run was paused
    list(watcher.after_step(costly, 1))
    assert costly.calls * costly.seconds < 0.75


def test_it_tells_at_most_every_two_seconds(volume, costly):
    watcher = watch(volume, ViewWish(view()), costly.clock)
    times = []
    for step in range(1, 100):
        costly.clock.now += 0.3
        for piece in watcher.after_step(costly, step):
            assert isinstance(piece, LivePiece)
            assert piece.step == step
            times.append(costly.clock.now)
    assert len(times) > 5
    assert np.diff(times).min() >= 2.0


def test_a_picture_that_takes_long_is_told_in_pieces_a_quick_one_when_it_is_even(volume, costly):
    def told(stop):
        watcher = watch(volume, ViewWish(view(stop=stop)), costly.clock)
        evenly, began = [], costly.calls
        for step in range(1, 100):
            costly.clock.now += 0.5
            for _ in watcher.after_step(costly, step):
                evenly.append((costly.calls - began) % rounds == 0)
        return evenly

    rounds = 2  # three tiles, two at a time
    evenly = told((180, 80))
    assert len(evenly) > 5
    assert all(evenly[1:])
    costly.seconds, rounds = 2.0, 5  # nine tiles
    assert not all(told((180, 190)))


def test_nothing_is_predicted_where_nobody_looks_and_the_newest_wish_counts(volume, costly):
    wish = ViewWish()
    watcher = watch(volume, wish, costly.clock)
    costly.clock.now += 5
    assert list(watcher.after_step(costly, 1)) == []
    assert costly.calls == 0
    wish.view = view(index=3)
    costly.clock.now += 5
    (piece,) = watcher.after_step(costly, 2)
    assert piece.offset[0] == 3
    wish.view = view(index=4)
    costly.clock.now += 5
    (piece,) = watcher.after_step(costly, 3)
    assert piece.offset[0] == 4


def test_without_memory_for_it_the_run_goes_on_alone(volume, costly):
    costly.error = RuntimeError("CUDA out of memory.")
    watcher = watch(volume, ViewWish(view()), costly.clock)
    (message,) = watcher.after_step(costly, 1)
    assert isinstance(message, Message)
    assert message.level == "warning"
    assert list(watcher.after_step(costly, 2)) == []
    costly.error = RuntimeError("broken")
    with pytest.raises(RuntimeError, match="broken"):
        list(watch(volume, ViewWish(view()), costly.clock).after_step(costly, 1))


def test_one_wish_stays_one_on_the_way_to_a_process():
    wish = ViewWish(view())
    job, copy = pickle.loads(pickle.dumps(({"live": wish}, wish)))
    assert job["live"] is copy
    assert copy.view == wish.view


def test_the_run_is_the_same_with_and_without(tmp_path, tomogram, monkeypatch):
    from napari_voxuda.adaptation.settings import AdaptSettings
    from napari_voxuda.app.adapt.task import adapt_task
    from napari_voxuda.app.jobs import AdaptJob
    from napari_voxuda.networks.settings import NetworkSettings
    from napari_voxuda.simulation.settings import SourceSettings

    monkeypatch.setattr(live_view, "_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(live_view, "SHARE", 1e6)
    settings = AdaptSettings(
        steps=3, batch=2, network=NetworkSettings(stem=2, body=4), noise_samples=2
    )
    job = AdaptJob(
        target=tomogram,
        out=tmp_path / "without",
        source=SourceSettings(box=16, count=4, neighbours=0),
        settings=settings,
        voxel_size_angstrom=10.0,
        contrast="dark",
        device="cpu",
    )
    pieces = [e for e in adapt_task(job) if isinstance(e, LivePiece)]
    assert pieces == []
    z = tomogram.shape[0] // 2
    seen = SliceView(axis=0, index=z, start=(z, 0, 0), stop=(z + 1, *tomogram.shape[1:]))
    job = replace(job, out=tmp_path / "with", live=ViewWish(seen))
    pieces = [e for e in adapt_task(job) if isinstance(e, LivePiece)]
    assert [p.step for p in pieces] == [1, 2, 3]
    assert pieces[0].data.shape == (1, *tomogram.shape[1:])
    assert 0 < pieces[-1].data.min() < pieces[-1].data.max() < 1
    first, second = (
        (tmp_path / name / "model.safetensors").read_bytes() for name in ("without", "with")
    )
    assert first == second

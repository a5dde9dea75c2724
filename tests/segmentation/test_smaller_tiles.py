"""Tiles that do not fit into memory are predicted in pieces, and to the same values."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_voxuda._types import Message
from napari_voxuda.errors import NoMemoryError
from napari_voxuda.segmentation.predict import predict_tiles
from napari_voxuda.segmentation.settings import SegmentSettings
from napari_voxuda.segmentation.smaller_tiles import TilePredictor

CUDA_WORDS = "CUDA out of memory. Tried to allocate 2.00 GiB."


class Network:
    """A local function of the neighbourhood, for which there is room for so many voxels at once."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.seen: list[tuple[int, ...]] = []

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        self.seen.append(tuple(batch.shape))
        if batch.numel() > self.room:
            raise RuntimeError(CUDA_WORDS)
        shifted = sum(batch.roll(s, a) for a in (1, 2, 3) for s in (-4, 4))
        return torch.sigmoid(batch + shifted)


def boxes(count: int, edge: int = 48) -> list[np.ndarray]:
    return list(np.random.default_rng(0).normal(size=(count, edge, edge, edge)).astype(np.float32))


def inner(values: np.ndarray) -> np.ndarray:
    """Away from the borders, where rolling brings in the other side."""
    return values[..., 4:-4, 4:-4, 4:-4]


def test_enough_memory_changes_nothing() -> None:
    predict = TilePredictor(Network(10**9), halo=8)
    found = predict(boxes(3))
    assert found.shape == (3, 48, 48, 48)
    assert predict.news() == []


def test_pieces_of_a_tile_give_the_values_of_the_tile() -> None:
    whole = TilePredictor(Network(10**9), halo=8)(boxes(1))
    network = Network(2 * 32**3)
    predict = TilePredictor(network, halo=8)
    np.testing.assert_allclose(inner(predict(boxes(1))), inner(whole), atol=1e-6)
    (message,) = predict.news()
    assert message.level == "warning"
    assert "tiles of 48 voxels; it goes on with tiles of 32" in message.text
    assert predict.news() == []
    network.seen.clear()
    predict(boxes(1))  # it does not try again what did not fit
    assert {shape[1:] for shape in network.seen} == {(32, 32, 32)}


def test_first_fewer_then_smaller_tiles() -> None:
    predict = TilePredictor(Network(2 * 24**3), halo=8)
    predict(boxes(4))
    words = [message.text for message in predict.news()]
    assert "4 tiles at once; it goes on with 2" in words[0]
    assert "tiles of 48 voxels; it goes on with tiles of 32" in words[1]
    assert "tiles of 32 voxels; it goes on with tiles of 24" in words[2]
    assert len(words) == 3


def test_where_nothing_smaller_is_possible_it_says_so() -> None:
    with pytest.raises(NoMemoryError, match="as small as they can be"):
        TilePredictor(Network(1), halo=8)(boxes(2))


def test_another_error_goes_on() -> None:
    def broken(batch: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes"):
        TilePredictor(broken, halo=8)(boxes(2))


@pytest.mark.parametrize("merge", ["cores", "blend"])
def test_a_volume_is_segmented_although_its_tiles_do_not_fit(merge: str) -> None:
    volume = np.random.default_rng(0).normal(size=(20, 70, 90)).astype(np.float32)
    settings = SegmentSettings(core=32, halo=8, merge=merge)

    def run(room: int) -> tuple[np.ndarray, list[str]]:
        task = predict_tiles(volume, Network(room), settings, mean=0.0, std=1.0)
        said = []
        try:
            while True:
                event = next(task)
                if isinstance(event, Message):
                    said.append(event.text)
        except StopIteration as stop:
            return stop.value, said

    whole, quiet = run(10**9)
    found, said = run(2 * 24 * 32 * 32)
    assert quiet == []
    assert len(said) == 1
    if merge == "cores":
        np.testing.assert_allclose(inner(found), inner(whole), atol=1e-6)
    assert found.shape == volume.shape

"""The tomogram and the model that are measured with, made without holding the tomogram in memory."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from napari_voxuda._types import TripleInt
from napari_voxuda.data.volume import Grid
from napari_voxuda.io.mrc_stream import stream_mrc

__all__ = ["write_inputs", "write_model", "write_tomogram"]

VOXEL_SIZE = 13.6
_RADIUS = 6
_SPACING = 56  # one molecule in a cube of this edge, in voxels
_FOREGROUND = 0.02


def write_inputs(work: Path, shape: TripleInt, seed: int) -> None:
    """Write ``tomogram.mrc`` and ``model.safetensors`` into a folder; see the two functions below."""
    write_tomogram(work / "tomogram.mrc", shape, seed=seed)
    write_model(work / "model.safetensors", work / "tomogram.mrc", seed=seed)


def write_tomogram(path: Path, shape: TripleInt, *, seed: int = 0) -> None:
    """Write noise with dark balls, section by section.

    Parameters
    ----------
    path : Path
        The MRC file, float32.
    shape : tuple of int
        Voxels along (z, y, x).
    seed : int
        Of the noise and of the places of the balls.
    """
    rng = np.random.default_rng(seed)
    depth, height, width = shape
    count = max(1, depth * height * width // _SPACING**3)
    places = rng.random((count, 3)) * shape
    grid = Grid(voxel_size_angstrom=(VOXEL_SIZE,) * 3, origin_angstrom=(10.0, 20.0, 30.0))
    reach = np.arange(-_RADIUS, _RADIUS + 1)
    with stream_mrc(path, shape, grid, label="benchmark", name=path.stem) as sink:
        for z in range(depth):
            section = rng.standard_normal((height, width), dtype=np.float32)
            for ball in places[np.abs(places[:, 0] - z) < _RADIUS]:
                radius = np.sqrt(_RADIUS**2 - (ball[0] - z) ** 2)
                y, x = int(ball[1]) + reach, int(ball[2]) + reach
                y, x = y[(y >= 0) & (y < height)], x[(x >= 0) & (x < width)]
                inside = np.hypot(y[:, None] - ball[1], x - ball[2]) < radius
                section[np.ix_(y, x)] -= 3 * inside
            sink.append(section[None])


def write_model(path: Path, tomogram: Path, *, seed: int = 0) -> None:
    """Write an untrained network of the default size that calls about 2 % of a tomogram foreground.

    Parameters
    ----------
    path : Path
        The file of weights, which `segment --model` takes.
    tomogram : Path
        What its threshold is set on; of large ones a corner of 64 voxels.
    seed : int
        Of the weights.
    """
    import torch

    from napari_voxuda.io.mrc import read_mrc
    from napari_voxuda.networks.checkpoint import Model, ModelCard, write_tensors
    from napari_voxuda.networks.settings import NetworkSettings
    from napari_voxuda.networks.voxresnet import VoxResNet

    torch.manual_seed(seed)
    settings = NetworkSettings()
    network = VoxResNet(settings).eval()
    card = ModelCard(
        network=settings,
        contrast="dark",
        normalisation="volume",
        voxel_size_angstrom=VOXEL_SIZE,
        smooth_voxels=1.5,
    )
    crop = np.array(read_mrc(tomogram).data[:64, :64, :64], np.float32)
    crop = crop[tuple(slice(n // 8 * 8) for n in crop.shape)]
    batch = -torch.from_numpy((crop - crop.mean()) / crop.std())[None]
    found = Model(card=card, network=network, device=torch.device("cpu")).predict(batch)
    threshold = float(np.quantile(found.numpy(), 1 - _FOREGROUND))
    values = {**asdict(card), "threshold": min(max(threshold, 1e-6), 1 - 1e-6)}
    tensors = {f"teacher.{name}": value for name, value in network.state_dict().items()}
    write_tensors(path, tensors, {"model": values})

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import torch

from napari_voxuda._types import Message
from napari_voxuda.app.refine.uncertainty import uncertainty_task
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.networks.checkpoint import ModelCard, write_tensors
from napari_voxuda.networks.settings import NetworkSettings
from napari_voxuda.networks.voxresnet import VoxResNet


def test_a_volume_gets_an_uncertainty_on_its_grid(tmp_path):
    size = NetworkSettings(stem=2, body=4, head=1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = VoxResNet(size).state_dict()
    card = ModelCard(
        network=size, contrast="dark", normalisation="volume", voxel_size_angstrom=10.0
    )
    tensors = {f"teacher.{key}": value for key, value in state.items()}
    write_tensors(tmp_path / "model.safetensors", tensors, {"step": 1, "model": asdict(card)})
    grid = Grid().with_voxel_size(10.0)
    values = np.random.default_rng(0).normal(size=(12, 20, 20)).astype(np.float32)
    task = uncertainty_task(Volume(data=values, grid=grid, name="tomo"), tmp_path, device="cpu")
    events = []
    while True:
        try:
            events.append(next(task))
        except StopIteration as stop:
            found = stop.value
            break
    assert found.shape == (12, 20, 20)
    assert found.grid == grid
    assert 0 <= found.data.min() < found.data.max() <= 1
    assert any(isinstance(e, Message) and "only one" in e.text for e in events)

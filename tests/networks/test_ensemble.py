from __future__ import annotations

import copy
from dataclasses import asdict

import pytest
import torch

from napari_voxuda.errors import FileFormatError
from napari_voxuda.networks.checkpoint import ModelCard, write_tensors
from napari_voxuda.networks.ensemble import Ensemble, load_ensemble
from napari_voxuda.networks.settings import NetworkSettings
from napari_voxuda.networks.voxresnet import VoxResNet, predict_probability

_SIZE = NetworkSettings(stem=2, body=4, head=1)


def _card(**changes):
    values = {"contrast": "dark", "normalisation": "volume", "voxel_size_angstrom": 10.0}
    return ModelCard(network=_SIZE, **{**values, **changes})


def _network(seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return VoxResNet(_SIZE).eval()


def _weights(name, network):
    return {f"{name}.{key}": value for key, value in network.state_dict().items()}


def _write(path, step=3, *, teacher=None, student=None, **more):
    tensors = {}
    if teacher is not None:
        tensors |= _weights("teacher", teacher)
    if student is not None:
        tensors |= _weights("student", student)
    path.parent.mkdir(exist_ok=True)
    write_tensors(path, tensors, {"step": step, "model": asdict(_card()), **more})


def _count(run):
    return len(load_ensemble(run).networks)


def test_the_second_network_comes_from_the_last_checkpoint_of_the_same_step(tmp_path):
    teacher, student = _network(0), _network(1)
    _write(tmp_path / "model.safetensors", teacher=teacher)
    assert _count(tmp_path) == 1
    checkpoint = tmp_path / "checkpoints" / "step-00000003.safetensors"
    _write(checkpoint, teacher=teacher, student=student)
    ensemble = load_ensemble(tmp_path)
    first, second = (n.state_dict()["stem.0.weight"] for n in ensemble.networks)
    assert torch.equal(first, teacher.state_dict()["stem.0.weight"])
    assert torch.equal(second, student.state_dict()["stem.0.weight"])
    _write(checkpoint, step=2, teacher=teacher, student=student)
    assert _count(tmp_path) == 1


def test_a_refined_model_holds_both(tmp_path):
    _write(
        tmp_path / "model.safetensors",
        teacher=_network(0),
        student=_network(1),
        refined={"number": 1},
    )
    assert _count(tmp_path) == 2
    assert _count(tmp_path / "model.safetensors") == 2


def test_an_unfinished_run_uses_its_checkpoint(tmp_path):
    path = tmp_path / "checkpoints" / "step-00000003.safetensors"
    _write(path, teacher=_network(0), student=_network(1))
    assert _count(tmp_path) == 2


def test_a_second_network_that_does_not_fit_is_refused(tmp_path):
    _write(tmp_path / "model.safetensors", teacher=_network(0), student=torch.nn.Linear(1, 1))
    with pytest.raises(FileFormatError, match="second network"):
        load_ensemble(tmp_path)


def test_it_is_the_distance_of_the_mean_from_the_threshold():
    nets = (_network(0), _network(1))
    boxes = torch.randn((2, 8, 8, 8), generator=torch.Generator().manual_seed(0))
    ensemble = Ensemble(card=_card(threshold=0.5), networks=nets, device=torch.device("cpu"))
    parts = []
    for axes in ([], [-1], [-2], [-3], [-1, -2], [-1, -3], [-2, -3], [-1, -2, -3]):
        parts += [predict_probability(n, boxes.flip(axes)).flip(axes) for n in nets]
    mean = torch.stack(parts).mean(0)
    torch.testing.assert_close(ensemble.uncertainty(boxes), 1 - (2 * mean - 1).abs())


def test_it_is_largest_on_the_cards_threshold():
    network = copy.deepcopy(_network(0))
    for parameter in network.parameters():
        parameter.data.zero_()  # says 0.5 of everything
    boxes = torch.zeros((2, 8, 8, 8))

    def of(threshold):
        card = _card(threshold=threshold)
        return Ensemble(card=card, networks=(network,), device=torch.device("cpu")).uncertainty(
            boxes
        )

    torch.testing.assert_close(of(0.5), torch.ones_like(boxes))
    torch.testing.assert_close(of(0.2), torch.full_like(boxes, 0.4))

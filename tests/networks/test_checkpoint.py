"""Weights on disk: whole or not at all, faithful, and data only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from napari_voxuda._params import to_dict
from napari_voxuda.errors import FileFormatError, InputError, RunFolderError
from napari_voxuda.method.expected_dice import mean_size_threshold
from napari_voxuda.networks.checkpoint import (
    CHECKPOINTS,
    MODEL_FILE,
    Model,
    ModelCard,
    card_from_dict,
    latest_checkpoint,
    load_model,
    read_tensors,
    write_tensors,
)
from napari_voxuda.networks.prediction import predict_steadily
from napari_voxuda.networks.settings import NetworkSettings
from napari_voxuda.networks.voxresnet import VoxResNet, predict_probability

CARD = ModelCard(
    network=NetworkSettings(stem=4, body=8),
    contrast="dark",
    normalisation="volume",
    voxel_size_angstrom=13.6,
)


def save_run(run: Path, file: str = MODEL_FILE) -> VoxResNet:
    torch.manual_seed(3)
    network = VoxResNet(CARD.network).eval()
    (run / file).parent.mkdir(parents=True, exist_ok=True)
    tensors = {f"teacher.{k}": v for k, v in network.state_dict().items()}
    write_tensors(run / file, tensors, {"step": 7, "model": to_dict(CARD)})
    return network


def test_tensors_and_metadata_come_back_as_they_were(tmp_path: Path) -> None:
    tensors = {
        "a": torch.randn(2, 3),
        "half": torch.randn(4).half(),
        "bytes": torch.arange(5, dtype=torch.uint8),
        "scalar": torch.tensor(3, dtype=torch.int64),
        "view": torch.randn(6, 6)[::2, 1:].t(),
    }
    write_tensors(tmp_path / "x.safetensors", tensors, {"step": 2, "text": "5 Å"})
    back, metadata = read_tensors(tmp_path / "x.safetensors")
    assert metadata == {"step": 2, "text": "5 Å"}
    assert back.keys() == tensors.keys()
    for name, value in tensors.items():
        assert back[name].dtype == value.dtype
        assert torch.equal(back[name], value)
    assert [p.name for p in tmp_path.iterdir()] == ["x.safetensors"]


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    tensors = {"b": torch.arange(3), "a": torch.ones(2, 2), "ä": torch.zeros(1)}
    written = set()
    for _ in range(20):
        write_tensors(tmp_path / "x.safetensors", tensors, {"step": 2, "text": "5 Å"})
        written.add((tmp_path / "x.safetensors").read_bytes())
    assert len(written) == 1


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.safetensors"
    write_tensors(path, {"a": torch.ones(2)}, {})
    old = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_tensors(path, {"a": torch.zeros(2)}, {})
    assert path.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["x.safetensors"]


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"\xff" * 4096, (8).to_bytes(8, "little") + b"{}      "]
)
def test_damaged_weights_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / MODEL_FILE
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match="weights written by napari-voxuda were wanted"):
        read_tensors(path)


def test_model_predicts_like_the_network_that_was_saved(tmp_path: Path) -> None:
    network = save_run(tmp_path)
    model = load_model(tmp_path)
    assert (model.contrast, model.normalisation, model.voxel_size_angstrom) == (
        "dark",
        "volume",
        13.6,
    )
    batch = torch.randn(1, 16, 16, 16)
    torch.testing.assert_close(model.predict(batch), predict_probability(network, batch))


def test_an_unfinished_run_gives_its_newest_checkpoint(tmp_path: Path) -> None:
    save_run(tmp_path, f"{CHECKPOINTS}/step-00000010.safetensors")
    save_run(tmp_path, f"{CHECKPOINTS}/step-00000200.safetensors")
    newest = latest_checkpoint(tmp_path)
    assert newest is not None
    assert newest.name == "step-00000200.safetensors"
    assert load_model(tmp_path).contrast == "dark"


def test_a_missing_run_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="does not exist"):
        load_model(tmp_path / "nowhere")
    with pytest.raises(RunFolderError, match=r"neither model\.safetensors nor a checkpoint"):
        load_model(tmp_path)


def test_weights_that_do_not_fit_their_description_are_refused(tmp_path: Path) -> None:
    network = VoxResNet(NetworkSettings(stem=2, body=4))
    tensors = {f"teacher.{k}": v for k, v in network.state_dict().items()}
    write_tensors(tmp_path / MODEL_FILE, tensors, {"model": to_dict(CARD)})
    with pytest.raises(FileFormatError, match="do not fit the network"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"contrast": "pink"},
        {"normalisation": "none"},
        {"weights": "grandmother"},
        {"network": {"stem": "4"}},
        {"mirrors": 1},
        {"own_size": "no"},
        {"extra": 1},
    ],
)
def test_a_bad_card_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(InputError):
        card_from_dict({**to_dict(CARD), **change})


def test_a_card_comes_back_from_its_json() -> None:
    assert card_from_dict(to_dict(CARD)) == CARD


def test_whole_subtomograms_have_masks_of_their_own_size() -> None:
    torch.manual_seed(3)
    network = VoxResNet(CARD.network).eval()
    card = replace(CARD, normalisation="subtomogram", threshold=0.3, own_size=True, smooth_voxels=1)
    alone = Model(card=card, network=network, device=torch.device("cpu"))
    together = replace(alone, card=replace(card, own_size=False))
    batch = torch.randn(3, 16, 16, 16) * torch.tensor([0.2, 1.0, 5.0]).view(3, 1, 1, 1)
    assert torch.equal(together.predict_whole(batch), together.predict(batch))

    found = alone.predict_whole(batch)
    own = predict_steadily(network, batch, mirrors=False, smooth_voxels=1)
    for told, probability in zip(found, own, strict=True):
        assert torch.equal(told >= 0.5, probability >= mean_size_threshold(probability))
        assert (told.flatten()[probability.flatten().argsort()].diff() >= 0).all()
    torch.testing.assert_close(alone.predict_whole(batch[:1]), found[:1])
    assert not torch.equal(alone.predict(batch) >= 0.5, found >= 0.5)


def test_a_card_of_before_has_one_threshold_for_all() -> None:
    values = to_dict(CARD)
    del values["own_size"]
    assert not card_from_dict(values).own_size

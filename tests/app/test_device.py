from __future__ import annotations

import pytest
import torch

import napari_voxuda.app.device as subject
from napari_voxuda.app.device import memory_bytes, resolve_device
from napari_voxuda.errors import InputError


def test_cpu_is_always_there() -> None:
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(("available", "kind"), [(True, "cuda"), (False, "cpu")])
def test_auto_takes_cuda_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, available: bool, kind: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    assert resolve_device("auto").type == kind
    assert resolve_device().type == kind
    assert resolve_device("cpu").type == "cpu"


def test_cuda_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("cuda").type == "cuda"


@pytest.mark.parametrize(
    ("version", "why"), [(None, "built without CUDA"), ("12.6", "sees no CUDA GPU")]
)
def test_missing_cuda_is_refused_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch, version: str | None, why: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", version)
    with pytest.raises(InputError, match=why) as caught:
        resolve_device("cuda")
    assert "choose 'cpu' or 'auto'" in str(caught.value)


def test_unknown_device_is_refused() -> None:
    with pytest.raises(InputError, match="one of auto, cpu, cuda was wanted, got 'tpu'"):
        resolve_device("tpu")


def test_the_cpus_memory_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "machine_memory_bytes", lambda: 123)
    assert memory_bytes(torch.device("cpu")) == 123

from __future__ import annotations

from pathlib import Path

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


def test_memory_is_the_smallest_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "limit").write_text("123456789\n")
    (tmp_path / "none").write_text("max\n")
    monkeypatch.setattr(subject, "_physical_memory", lambda: 2 * 10**9)
    monkeypatch.setattr(subject, "_CGROUP_LIMITS", (tmp_path / "none", tmp_path / "absent"))
    assert memory_bytes(torch.device("cpu")) == 2 * 10**9
    monkeypatch.setattr(subject, "_CGROUP_LIMITS", (tmp_path / "none", tmp_path / "limit"))
    assert memory_bytes(torch.device("cpu")) == 123456789
    monkeypatch.setattr(subject, "_CGROUP_LIMITS", ())
    monkeypatch.setattr(subject, "_physical_memory", lambda: None)
    assert memory_bytes(torch.device("cpu")) is None


def test_memory_of_a_gpu_is_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (5, 10))
    assert memory_bytes(torch.device("cuda")) == 5

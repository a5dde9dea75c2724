from __future__ import annotations

from pathlib import Path

import pytest

import napari_voxuda.data.memory as subject
from napari_voxuda.data.memory import machine_memory_bytes


def test_memory_is_the_smallest_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "limit").write_text("123456789\n")
    (tmp_path / "none").write_text("max\n")
    monkeypatch.setattr(subject, "_physical_memory", lambda: 2 * 10**9)
    monkeypatch.setattr(subject, "_CGROUP_LIMITS", (tmp_path / "none", tmp_path / "absent"))
    assert machine_memory_bytes() == 2 * 10**9
    monkeypatch.setattr(subject, "_CGROUP_LIMITS", (tmp_path / "none", tmp_path / "limit"))
    assert machine_memory_bytes() == 123456789
    monkeypatch.setattr(subject, "_CGROUP_LIMITS", ())
    monkeypatch.setattr(subject, "_physical_memory", lambda: None)
    assert machine_memory_bytes() is None

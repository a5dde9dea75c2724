"""Triton is loaded with its own symbols first, and nothing else changes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from napari_voxuda.adaptation.triton import load_triton

pytestmark = pytest.mark.skipif(
    not hasattr(os, "RTLD_DEEPBIND"), reason="needs a system with RTLD_DEEPBIND"
)


def _stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Offer a module named triton that is not loaded yet."""
    (folder / "triton.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setitem(sys.modules, "triton", None)
    monkeypatch.delitem(sys.modules, "triton")


def test_triton_is_loaded_with_its_own_symbols_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stand_in(tmp_path, monkeypatch, "import sys\nflags = sys.getdlopenflags()\n")
    before = sys.getdlopenflags()
    load_triton()
    assert sys.modules["triton"].flags == before | os.RTLD_DEEPBIND
    assert sys.getdlopenflags() == before


def test_a_triton_that_cannot_be_loaded_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stand_in(tmp_path, monkeypatch, "raise ImportError('no driver')\n")
    before = sys.getdlopenflags()
    load_triton()
    assert "triton" not in sys.modules
    assert sys.getdlopenflags() == before


def test_without_triton_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    before = set(sys.modules)
    load_triton()
    assert "triton" not in set(sys.modules) - before

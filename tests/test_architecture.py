"""What must hold of the package as a whole; the arrows between layers are import-linter's."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

import napari_voxuda

QT = ("PyQt5", "PyQt6", "PySide2", "PySide6", "magicgui", "pyqtgraph", "qtpy", "superqt")
SLOW = ("cc3d", "gemmi", "matplotlib", "tifffile", "torch", "zarr")
NAPARI = ("napari", "npe2")


def _modules_below_the_docks() -> list[str]:
    names = [m.name for m in pkgutil.walk_packages(napari_voxuda.__path__, "napari_voxuda.")]
    return [n for n in names if n.split(".")[1] not in ("gui", "_napari", "__main__")]


def _loaded_after(statements: str, of: tuple[str, ...]) -> list[str]:
    """Return which packages of `of` a fresh interpreter has loaded after `statements`."""
    code = f"import sys\n{statements}\nprint(*({set(of)!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return sorted(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    ["napari_voxuda", "napari_voxuda.cli.main", "napari_voxuda.app.job", "napari_voxuda.app.jobs"],
)
def test_starts_fast_and_without_qt_and_napari(module: str) -> None:
    assert _loaded_after(f"import {module}", (*SLOW, *QT, *NAPARI)) == []


def test_nothing_below_the_docks_loads_qt_or_napari() -> None:
    imports = "\n".join(f"import {name}" for name in _modules_below_the_docks())
    assert _loaded_after(imports, (*QT, *NAPARI)) == []


@pytest.mark.parametrize("name", _modules_below_the_docks())
def test_every_name_in_all_exists(name: str) -> None:
    module = importlib.import_module(name)
    missing = [n for n in getattr(module, "__all__", []) if not hasattr(module, n)]
    assert missing == []


def test_docks_open_without_torch() -> None:
    pytest.importorskip("napari")
    names = [m.name for m in pkgutil.walk_packages(napari_voxuda.__path__, "napari_voxuda.")]
    docks = [n for n in names if n.split(".")[1] in ("gui", "_napari")]
    assert docks
    assert _loaded_after("\n".join(f"import {n}" for n in docks), SLOW) == []

"""Fixtures and settings that the whole suite shares."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

# Two OpenMP threads on a loaded machine spin on each other. The variables must be set before
# numpy or torch are imported, which is why this stands at module level and torch is not touched.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")

_ROOT = Path(__file__).resolve().parents[1]
_SHARED_DATA = Path(os.environ.get("VOXUDA_SHARED_DATA", _ROOT.parent / "shared" / "data"))
_VIEWER_FOLDERS = ("gui", "_napari")


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _has_qt_binding() -> bool:
    return any(_is_installed(name) for name in ("PyQt6", "PySide6", "PyQt5", "PySide2"))


def _missing_for_the_viewer() -> str | None:
    """Say why tests of the docks cannot run here, or None when they can."""
    missing = [
        name for name in ("napari", "qtpy", "superqt", "pytestqt") if not _is_installed(name)
    ]
    if not _has_qt_binding():
        missing.append("a Qt binding")
    if missing:
        return f"not installed: {', '.join(missing)}"
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return "no display; run `xvfb-run -a pytest`"
    return None


_NO_VIEWER = _missing_for_the_viewer()
collect_ignore = [] if _NO_VIEWER is None else list(_VIEWER_FOLDERS)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option with which CI makes sure that nothing is left out unseen."""
    parser.addoption(
        "--require-viewer", action="store_true", help="fail where the docks cannot be tested"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run without a viewer where one was asked for."""
    if config.getoption("--require-viewer") and _NO_VIEWER is not None:
        raise pytest.UsageError(f"--require-viewer: the docks cannot be tested: {_NO_VIEWER}")


def pytest_report_header() -> list[str]:
    """Say what this run leaves out."""
    lines = []
    if _NO_VIEWER is not None:
        lines.append(f"tests/gui and tests/_napari are left out: {_NO_VIEWER}")
    if not _SHARED_DATA.is_dir():
        lines.append(f"tests on shared data are skipped: no folder {_SHARED_DATA}")
    return lines


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real and third-party files; skip where it is not at hand."""
    if not _SHARED_DATA.is_dir():
        pytest.skip(f"shared data not found in {_SHARED_DATA}; set VOXUDA_SHARED_DATA")
    return _SHARED_DATA


@pytest.fixture(autouse=True)
def _single_torch_thread() -> None:
    """Keep torch on one thread, also where it was imported before this file was read."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)

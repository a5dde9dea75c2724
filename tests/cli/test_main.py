from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from napari_voxuda import __version__
from napari_voxuda.cli.main import app

COMMANDS = ("demo", "simulate", "denoise", "adapt", "segment", "evaluate", "info")
_HEAVY = ("torch", "gemmi", "napari", "qtpy", "scipy", "mrcfile", "matplotlib", "safetensors")


def test_version() -> None:
    outcome = CliRunner().invoke(app, ["--version"])
    assert (outcome.exit_code, outcome.stdout) == (0, f"napari-voxuda {__version__}\n")


def test_help_names_every_command() -> None:
    outcome = CliRunner().invoke(app, ["--help"])
    assert outcome.exit_code == 0
    assert all(name in outcome.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_without_ansi_in_a_pipe(name: str) -> None:
    outcome = CliRunner().invoke(app, [name, "--help"])
    assert outcome.exit_code == 0
    assert "Usage: napari-voxuda" in outcome.stdout or f" {name} " in outcome.stdout
    assert "\x1b[" not in outcome.stdout


def test_an_unknown_command_is_a_usage_error() -> None:
    outcome = CliRunner().invoke(app, ["segmnt"])
    assert outcome.exit_code == 2
    assert "segment" in outcome.stderr


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "sys.argv = ['napari-voxuda', 'adapt', '--help']\n"
        "from napari_voxuda.cli.main import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as stop:\n"
        f"    print(stop.code, [name for name in {_HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "0 []"


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "napari_voxuda", "info"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: Missing argument")
    assert "napari-voxuda info --help" in done.stderr
    assert done.stderr.count("\n") == 1

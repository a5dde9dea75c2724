"""``adapt``, ``gap`` and ``segment`` with several tomograms."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.cli.test_adapt import _SMALL
from typer.testing import Result

from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.io.mrc import write_mrc

Invoke = Callable[..., Result]


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Return a folder of two tomograms."""
    folder = tmp_path / "session"
    folder.mkdir()
    for number in range(2):
        values = np.random.default_rng(number).normal(size=(16, 20, 200)).astype(np.float32)
        volume = Volume(data=values, grid=Grid().with_voxel_size(12.0))
        write_mrc(folder / f"TS_{number}.mrc", volume)
    return folder


def test_several_files_are_adapted_to_resumed_and_segmented(
    invoke: Invoke, session: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    first, second = sorted(session.glob("*.mrc"))
    words = ("--target", first, "--target", second, *_SMALL, "--contrast", "dark")
    outcome = invoke("adapt", *words, "--out", run)
    assert (outcome.exit_code, outcome.stdout) == (0, f"{run}: 2 steps done\n"), outcome.stderr
    (run / "model.safetensors").unlink()
    (run / "checkpoints" / "step-00000002.safetensors").unlink()
    outcome = invoke("adapt", "--resume", "--target", second, first, "--out", run)
    assert (outcome.exit_code, outcome.stdout) == (0, f"{run}: 2 steps done\n"), outcome.stderr
    outcome = invoke("segment", session, "--model", run, "--out", tmp_path / "masks")
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.stderr.count("Warning") == 0
    masks = sorted(path.name for path in (tmp_path / "masks").glob("*.mrc"))
    assert masks == ["TS_0.mrc", "TS_1.mrc"]


def test_a_folder_of_tomograms_is_checked_and_its_gap_measured(
    invoke: Invoke, session: Path, tmp_path: Path
) -> None:
    words = ("--target", session, *_SMALL, "--contrast", "dark")
    outcome = invoke("adapt", *words, "--out", tmp_path / "run", "--check")
    assert outcome.exit_code == 0, outcome.stderr
    assert "taken as 2 tomograms" in outcome.stderr
    assert "at random places in 2 tomograms" in outcome.stdout
    wanted = ("--source-box", "16", "--source-count", "4", "--noise-samples", "2", "--batch", "2")
    outcome = invoke("gap", "--target", session, *wanted, "--contrast", "dark", "--json")
    assert outcome.exit_code == 0, outcome.stderr
    assert json.loads(outcome.stdout)["name"] == "TS_0 and TS_1"


def test_a_tomogram_of_another_voxel_size_is_named(
    invoke: Invoke, session: Path, tmp_path: Path
) -> None:
    from napari_voxuda.io.mrc import read_mrc

    odd = tmp_path / "odd.mrc"
    volume = read_mrc(session / "TS_0.mrc")
    write_mrc(odd, replace(volume, grid=Grid().with_voxel_size(8.0)))
    words = ("--target", session / "TS_0.mrc", odd, *_SMALL, "--out", tmp_path / "run")
    outcome = invoke("adapt", *words)
    assert outcome.exit_code != 0
    assert f"{odd}: the voxel size 12 Å of {session / 'TS_0.mrc'} was wanted, got 8 Å" in (
        outcome.stderr
    )
    assert not (tmp_path / "run").exists()

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from napari_voxuda.io.picks_file import read_picks
from napari_voxuda.io.volumes import read_volume

Invoke = Callable[..., Result]


def test_several_formats_at_once(invoke: Invoke, files: Path, tmp_path: Path) -> None:
    words = ("--out", tmp_path, "--format", "mrc", "relion5", "ndjson", "csv", "--name", "TS_1")
    outcome = invoke("export", files / "truth.mrc", *words, "--json")
    assert outcome.exit_code == 0, outcome.stderr
    told = json.loads(outcome.stdout)
    assert told["written"] is True
    assert [Path(f["path"]).name for f in told["files"]] == [
        "TS_1.mrc",
        "TS_1.star",
        "TS_1_point.ndjson",
        "TS_1.csv",
    ]
    truth = read_volume(files / "truth.mrc")
    np.testing.assert_array_equal(read_volume(tmp_path / "TS_1.mrc").data, truth.data)
    assert read_volume(tmp_path / "TS_1.mrc").grid == truth.grid
    for name in ("TS_1.star", "TS_1_point.ndjson", "TS_1.csv"):
        picks = read_picks(tmp_path / name, voxel_size_angstrom=10.0, shape=truth.shape)
        # The cube of 6 voxels from (5, 4, 6) on has its middle at (7.5, 6.5, 8.5).
        np.testing.assert_allclose(picks.positions, [[7.5, 6.5, 8.5]], atol=1e-3)
        assert (tmp_path / f"{name}.json").is_file()


def test_a_dry_run_tells_and_writes_nothing(invoke: Invoke, files: Path, tmp_path: Path) -> None:
    words = ("--out", tmp_path, "--format", "copick-picks", "relion4", "--pixel-size", "2")
    outcome = invoke("export", files / "truth.mrc", *words, "--dry-run", "--object", "80S_ribosome")
    assert outcome.exit_code == 0, outcome.stderr
    assert "voxuda_1_80S-ribosome.json" in outcome.stdout
    assert "85 x 65 x 75 Å" in outcome.stdout
    assert "42.5 x 32.5 x 37.5 pixels of 2 Å" in outcome.stdout
    assert os.listdir(tmp_path) == []


def test_a_dry_run_knows_the_sizes(invoke: Invoke, files: Path, tmp_path: Path) -> None:
    words = ("--out", tmp_path, "--format", "mrc", "csv")
    planned = json.loads(
        invoke("export", files / "truth.mrc", *words, "--dry-run", "--json").stdout
    )
    assert not planned["written"]
    assert os.listdir(tmp_path) == []
    invoke("export", files / "truth.mrc", *words)
    for file in planned["files"]:
        assert Path(file["path"]).stat().st_size == file["size_bytes"]


def test_names_of_labels(invoke: Invoke, files: Path, tmp_path: Path) -> None:
    words = ("--out", tmp_path, "--format", "mrc-per-label", "--label", "1=cube")
    assert invoke("export", files / "truth.mrc", *words).exit_code == 0
    assert (tmp_path / "truth_cube_segmentationmask.mrc").is_file()
    wrong = invoke("export", files / "truth.mrc", *words[:-1], "cube", "--overwrite")
    assert wrong.exit_code == 2
    assert "words such as 1=ribosome" in wrong.stderr


def test_what_is_refused(invoke: Invoke, files: Path, tmp_path: Path) -> None:
    words = ("--out", tmp_path, "--format")
    no_labels = invoke("export", files / "tomogram.mrc", *words, "mrc")
    assert no_labels.exit_code == 2
    assert "is this a tomogram" in no_labels.stderr
    unknown = invoke("export", files / "truth.mrc", *words, "png")
    assert unknown.exit_code == 2
    assert invoke("export", files / "truth.mrc", *words, "mrc").exit_code == 0
    again = invoke("export", files / "truth.mrc", *words, "mrc")
    assert again.exit_code == 4
    assert invoke("export", files / "truth.mrc", *words, "mrc", "--overwrite").exit_code == 0


def test_a_segmentation_in_other_formats(
    invoke: Invoke, files: Path, model: Path, tmp_path: Path
) -> None:
    pytest.importorskip("zarr")
    words = ("--model", model, "--out", tmp_path / "mask.zarr", "--threshold", "0.05")
    more = ("--probability", tmp_path / "p.zarr", "--picks", tmp_path / "p.ndjson")
    outcome = invoke("segment", files / "tomogram.mrc", *words, *more)
    assert outcome.exit_code == 0, outcome.stderr
    mask, probability = read_volume(tmp_path / "mask.zarr"), read_volume(tmp_path / "p.zarr")
    np.testing.assert_array_equal(mask.data != 0, probability.data >= 0.05)
    assert mask.grid.voxel_size_angstrom == (10.0,) * 3
    assert mask.grid.origin_angstrom == (5.0, -3.0, 0.0)
    shown = invoke("info", tmp_path / "mask.zarr").stdout
    assert "tomogram.mrc" in shown
    assert "model.safetensors" in shown
    assert "warnings" in shown
    refused = invoke("segment", files / "tomogram.mrc", *words)
    assert refused.exit_code == 4
    assert invoke("segment", files / "tomogram.mrc", *words, "--overwrite").exit_code == 0
    back = invoke("segment", tmp_path / "p.zarr", "--model", model, "--out", tmp_path / "again.mrc")
    assert back.exit_code == 0, back.stderr
    denoised = invoke("denoise", tmp_path / "p.zarr", tmp_path / "d.zarr")
    assert denoised.exit_code == 0, denoised.stderr
    assert (tmp_path / "d.zarr.json").is_file()

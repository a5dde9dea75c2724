from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from typer.testing import Result

from napari_voxuda.io.mrc import read_mrc
from napari_voxuda.io.star import read_star_picks

Invoke = Callable[..., Result]


def test_everything_that_can_be_written(
    invoke: Invoke, files: Path, model: Path, tmp_path: Path
) -> None:
    source = files / "tomogram.mrc"
    names = {"out": "mask.mrc", "probability": "p.mrc", "instances": "i.mrc", "table": "t.csv"}
    words = [w for n, f in {**names, "picks": "p.star"}.items() for w in (f"--{n}", tmp_path / f)]
    outcome = invoke("segment", source, "--model", model, *words, "--threshold", "0.05", "--json")
    assert outcome.exit_code == 0, outcome.stderr
    told = json.loads(outcome.stdout)
    volume = read_mrc(source)
    mask, probability, instances = (read_mrc(tmp_path / n) for n in ("mask.mrc", "p.mrc", "i.mrc"))
    assert mask.grid == probability.grid == instances.grid == volume.grid
    assert np.array_equal(mask.data != 0, probability.data >= 0.05)
    assert told["particles"] == instances.data.max()
    assert told["foreground"] == mask.data.mean()
    assert told["mask"] == str(tmp_path / "mask.mrc")
    assert len((tmp_path / "t.csv").read_text().splitlines()) == told["particles"] + 1
    picks = read_star_picks(tmp_path / "p.star", voxel_size_angstrom=10.0, shape=volume.shape)
    assert len(picks) == told["particles"]
    assert "tomogram" in (tmp_path / "p.star").read_text()


def test_threshold_and_minimum_size_are_applied(
    invoke: Invoke, files: Path, model: Path, tmp_path: Path
) -> None:
    def foreground(*words: str) -> float:
        name = f"{'_'.join(words)}.mrc"
        out = ("--out", tmp_path / name, "--json")
        outcome = invoke("segment", files / "tomogram.mrc", "--model", model, *words, *out)
        return float(json.loads(outcome.stdout)["foreground"])

    everything = foreground("--threshold", "0")
    assert everything == 1.0
    assert foreground("--threshold", "1") == 0.0
    voxels = 24 * 20 * 28
    assert foreground("--threshold", "0", "--min-size", str(voxels * 1000)) == 1.0
    assert foreground("--threshold", "0", "--min-size", str(voxels * 1000 + 1)) == 0.0


def test_a_voxel_size_given_replaces_the_unknown_one(
    invoke: Invoke, files: Path, model: Path, tmp_path: Path
) -> None:
    words = ("--model", model, "--out", tmp_path / "mask.mrc", "--voxel-size", "10")
    assert invoke("segment", files / "voxel0.mrc", *words).exit_code == 0
    assert read_mrc(tmp_path / "mask.mrc").grid.voxel_size_angstrom == (10.0, 10.0, 10.0)


def test_a_folder_gives_a_folder_that_evaluate_takes(
    invoke: Invoke, files: Path, model: Path, tmp_path: Path
) -> None:
    folder, out = files / "subtomograms", tmp_path / "masks"
    outcome = invoke("segment", folder, "--model", model, "--out", out, "--json")
    assert outcome.exit_code == 0, outcome.stderr
    wanted = [str(out / f"{name}_mask.mrc") for name in ("b1", "b2", "b10")]
    assert json.loads(outcome.stdout) == {"out": str(out), "masks": wanted}
    assert invoke("evaluate", out, folder).exit_code == 0
    refused = invoke("segment", folder, "--model", model, "--out", out)
    assert refused.exit_code == 4
    assert "b1_mask.mrc" in refused.stderr
    again = invoke("segment", folder, "--model", model, "--out", out, "--overwrite")
    assert (again.exit_code, again.stdout) == (0, f"3 masks in {out}\n")


def test_a_folder_may_have_its_voxel_size_set_and_its_probabilities_kept(
    invoke: Invoke, files: Path, model: Path, tmp_path: Path
) -> None:
    out, kept = tmp_path / "masks", tmp_path / "probabilities"
    words = ("--model", model, "--out", out, "--probability", kept, "--voxel-size", "11")
    assert invoke("segment", files / "subtomograms", *words).exit_code == 0
    assert len(list(kept.glob("*.mrc"))) == 3
    assert read_mrc(out / "b1_mask.mrc").grid.voxel_size_angstrom == (11.0, 11.0, 11.0)
    refused = invoke("segment", files / "subtomograms", *words, "--picks", tmp_path / "p.star")
    assert refused.exit_code == 2
    assert "--picks goes with a volume" in refused.stderr

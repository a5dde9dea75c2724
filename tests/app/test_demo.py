"""The demo writes everything that it promises, and never into a folder that is in use."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.demo import DemoJob, DemoResult, demo_task
from napari_voxuda.errors import OutputError
from napari_voxuda.io.mrc import read_mrc
from napari_voxuda.io.provenance import finished, hash_path, read_sidecar
from napari_voxuda.networks.settings import NetworkSettings
from napari_voxuda.simulation.settings import SourceSettings


def run(job: DemoJob) -> DemoResult:
    task = demo_task(job)
    try:
        while True:
            next(task)
    except StopIteration as stop:
        result: DemoResult = stop.value
        return result


def test_a_tiny_demo_writes_every_file(tmp_path: Path) -> None:
    settings = AdaptSettings(
        steps=2, batch=2, network=NetworkSettings(stem=2, body=4), noise_samples=2
    )
    source = SourceSettings(count=4, variety="fixed", neighbours=0)
    result = run(
        DemoJob(out=tmp_path / "demo", shape=(32, 48, 48), settings=settings, source=source)
    )
    assert all(path.stat().st_size > 0 for path in result.files.values())
    assert set(result.scores) == {"source only", "adapted"}
    assert json.loads(result.files["scores"].read_text()) == result.scores
    mask, tomogram = read_mrc(result.files["mask"]), read_mrc(result.files["tomogram"])
    assert mask.grid == tomogram.grid
    assert set(np.unique(mask.data)) <= {0, 1}
    truth = read_mrc(result.files["truth"]).data > 0
    both = (mask.data > 0) & truth
    dice = 2 * both.sum() / max(1, (mask.data > 0).sum() + truth.sum())
    assert result.scores["adapted"]["dice"] == pytest.approx(dice)
    assert result.files["figure"].read_bytes().startswith(b"\x89PNG")
    assert json.dumps(result.to_dict())
    for kind, path in result.files.items():
        record = read_sidecar(path)
        assert record is not None, kind
        assert record["output"]["sha256"] == finished(hash_path(path)), kind
    assert read_sidecar(result.files["mask"])["task"] == "segment"
    assert not list((tmp_path / "demo").glob("*.tmp*"))


def test_a_folder_in_use_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"holds 'mine\.txt'"):
        run(DemoJob(out=tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]

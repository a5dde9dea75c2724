from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_voxuda._types import Progress
from napari_voxuda.app.jobs import SimulateJob
from napari_voxuda.app.simulate import simulate_task
from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io.folders import find_pairs
from napari_voxuda.io.mrc import read_mrc
from napari_voxuda.io.provenance import finished, hash_path, read_sidecar
from napari_voxuda.simulation.settings import SourceSettings

SOURCE = SourceSettings(variety="fixed", count=10, box=16, voxel_size_angstrom=12.5)


def run(job: SimulateJob) -> tuple[list[Progress], Path]:
    events, task = [], simulate_task(job)
    while True:
        try:
            event = next(task)
        except StopIteration as stop:
            return events, stop.value
        assert isinstance(event, Progress)
        events.append(event)


def test_pairs_and_a_record_are_written(tmp_path: Path) -> None:
    events, folder = run(SimulateJob(source=SOURCE, out=tmp_path / "new", seed=3))
    assert folder == tmp_path / "new"
    assert (events[0].done, events[-1].done, events[-1].total) == (0, 10, 10)
    pairs = find_pairs(folder)
    assert [p.name for p, _ in pairs][:2] == ["phantom_000001.mrc", "phantom_000002.mrc"]
    assert len(pairs) == 10
    for path, mask_path in pairs:
        image, mask = read_mrc(path), read_mrc(mask_path)
        assert image.shape == mask.shape == (16, 16, 16)
        assert image.grid.voxel_size_angstrom == mask.grid.voxel_size_angstrom == (12.5,) * 3
        assert image.data.dtype == np.float32
        assert mask.data.dtype == np.int8
        assert set(np.unique(mask.data)) <= {0, 1}
    record = json.loads((folder / "source.json").read_text())
    assert record["seed"] == 3
    assert record["source"]["settings"]["voxel_size_angstrom"] == 12.5
    assert {"python", "torch", "numpy"} <= set(record["versions"])
    assert [b["name"] for b in record["boxes"]][-1] == "phantom_000010"
    assert sorted(tmp_path.iterdir()) == [folder, tmp_path / "new.json"]
    traced = read_sidecar(folder)
    assert (traced["task"], traced["seed"]) == ("simulate", 3)
    assert traced["output"]["sha256"] == finished(hash_path(folder))


def test_the_seed_decides(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(SimulateJob(source=SOURCE, out=tmp_path / name, seed=seed))

    def first(name: str) -> bytes:
        return read_mrc(tmp_path / name / "phantom_000001.mrc").data.tobytes()

    assert first("a") == first("b") != first("c")


def test_an_empty_folder_is_filled_and_a_full_one_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run(SimulateJob(source=SOURCE, out=tmp_path / "empty"))
    before = sorted((tmp_path / "empty").iterdir())
    with pytest.raises(OutputError, match="a new folder was wanted"):
        run(SimulateJob(source=SOURCE, out=tmp_path / "empty"))
    assert sorted((tmp_path / "empty").iterdir()) == before
    with pytest.raises(OutputError, match="does not exist; make it first"):
        run(SimulateJob(source=SOURCE, out=tmp_path / "none" / "new"))


def test_a_cancelled_task_leaves_nothing(tmp_path: Path) -> None:
    task = simulate_task(SimulateJob(source=SOURCE, out=tmp_path / "new"))
    next(task)
    event = next(task)
    assert isinstance(event, Progress)
    assert event.done == 8
    assert len(list(tmp_path.iterdir())) == 1
    task.close()
    assert list(tmp_path.iterdir()) == []


def test_a_failed_task_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OutputError("disk full")

    monkeypatch.setattr("napari_voxuda.app.simulate.write_mask", full)
    with pytest.raises(OutputError, match="disk full"):
        run(SimulateJob(source=SOURCE, out=tmp_path / "new"))
    assert list(tmp_path.iterdir()) == []


def test_something_written_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "new"
    task = simulate_task(SimulateJob(source=SOURCE, out=out))
    next(task)
    out.mkdir()
    (out / "precious").touch()
    with pytest.raises(OutputError, match="written there meanwhile"):
        for _ in task:
            pass
    assert [p.name for p in tmp_path.rglob("*")] == ["new", "precious"]


def test_a_folder_of_pairs_is_not_simulated_again(tmp_path: Path) -> None:
    source = SourceSettings(kind="folder", files=(str(tmp_path),))
    with pytest.raises(InputError, match="simulated already"):
        run(SimulateJob(source=source, out=tmp_path / "new"))

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from napari_voxuda._types import Progress
from napari_voxuda.app.provenance import Provenance, sign, trace
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.io.mrc import read_mrc, write_mrc
from napari_voxuda.io.provenance import read_sidecar


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(task):
    events = []
    try:
        while True:
            events.append(next(task))
    except StopIteration as stop:
        return stop.value, events


@pytest.fixture
def volume(tmp_path):
    data = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    grid = Grid(voxel_size_angstrom=(10.0,) * 3, origin_angstrom=(5.0, 0.0, -3.0), nstart=(1, 2, 3))
    write_mrc(tmp_path / "TS_01.mrc", Volume(data=data, grid=grid))
    return read_mrc(tmp_path / "TS_01.mrc")


def test_inputs_are_told_by_name_hash_and_header(tmp_path, volume):
    (tmp_path / "p.star").write_text("picks")
    found, events = run(trace("segment", inputs={"volume": volume, "picks": tmp_path / "p.star"}))
    first, second = found.inputs
    assert first == {
        "role": "volume",
        "name": "TS_01.mrc",
        "sha256": sha(tmp_path / "TS_01.mrc"),
        "bytes": 1264,
        "shape": [3, 4, 5],
        "dtype": "float32",
        "voxel_size_angstrom": [10.0, 10.0, 10.0],
        "origin_angstrom": [5.0, 0.0, -3.0],
        "nstart": [1, 2, 3],
        "warnings": [],
    }
    assert second["sha256"] == sha(tmp_path / "p.star")
    assert all(isinstance(e, Progress) and e.stage == "Hashing inputs" for e in events)
    assert events


def test_a_volume_without_a_file_is_told_by_its_values(volume):
    other = volume.with_data(np.array(volume.data))
    found, _ = run(trace("denoise", inputs={"volume": other, "picks": None}))
    (entry,) = found.inputs
    wanted = hashlib.sha256(np.asarray(volume.data).tobytes()).hexdigest()
    assert (entry["name"], entry["values_sha256"]) == ("TS_01", wanted)


def test_files_of_a_folder_are_one_input(tmp_path):
    for name in ("a1", "a2"):
        (tmp_path / name).write_text(name)
    found, _ = run(trace("adapt", inputs={"target": [tmp_path / "a1", tmp_path / "a2"]}))
    (entry,) = found.inputs
    assert (entry["name"], entry["files"], entry["bytes"]) == (tmp_path.name, 2, 4)


def test_hashing_can_be_cancelled(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_voxuda.io.provenance._BLOCK_BYTES", 10)
    (tmp_path / "big").write_bytes(bytes(1000))
    task = trace("segment", inputs={"volume": tmp_path / "big"})
    next(task)
    task.close()  # leaves no file open, which pytest would tell as a ResourceWarning


def test_a_signed_output_tells_everything(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    found, _ = run(
        trace(
            "segment",
            inputs={},
            settings={"threshold": 0.5},
            model=tmp_path / "model.safetensors",
            device="cpu",
            seed=3,
        )
    )
    (tmp_path / "mask.mrc").write_bytes(b"mask")
    sign(tmp_path / "mask.mrc", "mask", found.with_settings(size=2))
    record = read_sidecar(tmp_path / "mask.mrc")
    assert record["output"] == {
        "name": "mask.mrc",
        "kind": "mask",
        "sha256": sha(tmp_path / "mask.mrc"),
    }
    assert record["settings"] == {"threshold": 0.5, "size": 2}
    assert record["model"] == {
        "name": f"{tmp_path.name}/model.safetensors",
        "sha256": hashlib.sha256(b"weights").hexdigest(),
    }
    assert (record["device"], record["seed"], record["task"]) == ("cpu", 3, "segment")
    assert record["program"].startswith("napari-voxuda ")
    assert {"python", "numpy", "torch", "mrcfile"} <= record["versions"].keys()
    assert record["started"] <= record["ended"]
    assert str(tmp_path) not in str(record)  # no places, only names


def test_a_provenance_comes_back_from_a_record():
    made = Provenance(task="adapt", inputs=({"role": "target"},), settings={"a": 1}, seed=2)
    assert Provenance.from_dict(made.to_dict()) == made
    assert Provenance.from_dict({"something": 1}).task == "unknown"

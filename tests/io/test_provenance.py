from __future__ import annotations

import hashlib
import json
import os

import numpy as np
import pytest

from napari_voxuda.errors import FileFormatError, InputError, OutputError
from napari_voxuda.io.provenance import (
    finished,
    hash_files,
    hash_path,
    hash_values,
    is_sidecar,
    read_sidecar,
    sidecar_path,
    write_sidecar,
)


def test_the_sidecar_stands_beside_its_output(tmp_path):
    assert sidecar_path(tmp_path / "mask.mrc") == tmp_path / "mask.mrc.json"
    assert sidecar_path(tmp_path / "picks.json") == tmp_path / "picks.json.provenance"
    assert is_sidecar(write_sidecar(tmp_path / "picks.json", {}))
    path = write_sidecar(tmp_path / "mask.mrc", {"task": "segment", "name": "µ"})
    assert is_sidecar(path)
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "format": "napari-voxuda provenance",
        "schema": 1,
        "task": "segment",
        "name": "µ",
    }
    assert read_sidecar(tmp_path / "mask.mrc")["task"] == "segment"
    assert read_sidecar(tmp_path / "other.mrc") is None


def test_a_file_is_hashed_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_voxuda.io.provenance._BLOCK_BYTES", 4)
    (tmp_path / "a").write_bytes(b"0123456789")
    assert list(hash_path(tmp_path / "a")) == [4, 8, 10]
    assert finished(hash_path(tmp_path / "a")) == hashlib.sha256(b"0123456789").hexdigest()
    with pytest.raises(InputError, match="cannot be read"):
        finished(hash_path(tmp_path / "none"))


def test_a_folder_is_hashed_by_names_and_content(tmp_path):
    folder = tmp_path / "a.zarr"
    (folder / "0").mkdir(parents=True)
    (folder / "zarr.json").write_text("{}")
    (folder / "0" / "c").write_text("chunk")
    first = finished(hash_path(folder))
    assert first == finished(hash_files(folder, [folder / "0" / "c", folder / "zarr.json"]))
    (folder / "0" / "c").write_text("chunK")
    second = finished(hash_path(folder))
    (folder / "0" / "c").rename(folder / "0" / "d")
    assert len({first, second, finished(hash_path(folder))}) == 3


@pytest.mark.parametrize("order", ["<", ">"])
def test_values_are_hashed_alike_however_they_lie_in_memory(order, monkeypatch):
    monkeypatch.setattr("napari_voxuda.io.provenance._SLAB_BYTES", 100)
    data = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    wanted = hashlib.sha256(data.astype("<i2").tobytes()).hexdigest()
    assert finished(hash_values(data.astype(f"{order}i2"))) == wanted
    assert finished(hash_values(np.asfortranarray(data))) == wanted


def test_another_file_of_that_name_is_left_alone(tmp_path):
    (tmp_path / "mask.mrc.json").write_text('{"mine": 1}')
    with pytest.raises(OutputError, match="another file has this name"):
        write_sidecar(tmp_path / "mask.mrc", {})
    assert (tmp_path / "mask.mrc.json").read_text() == '{"mine": 1}'
    assert read_sidecar(tmp_path / "mask.mrc") is None


def test_an_older_sidecar_is_replaced(tmp_path):
    write_sidecar(tmp_path / "a", {"task": "old"})
    write_sidecar(tmp_path / "a", {"task": "new"})
    assert read_sidecar(tmp_path / "a")["task"] == "new"


def test_a_newer_schema_is_refused(tmp_path):
    path = write_sidecar(tmp_path / "a", {})
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 99'))
    with pytest.raises(FileFormatError, match="schema 1 was wanted, got 99"):
        read_sidecar(tmp_path / "a")


def test_the_name_of_a_file_need_not_be_text(tmp_path):
    output = tmp_path / "a.mrc"
    output.write_bytes(b"")
    name = os.fsdecode(b"\xff.mrc")
    write_sidecar(output, {"inputs": [{"name": name}]})
    assert read_sidecar(output)["inputs"][0]["name"] == name

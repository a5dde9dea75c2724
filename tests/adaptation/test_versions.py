from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from napari_voxuda.adaptation.versions import (
    add_version,
    list_versions,
    load_corrections,
    restore_version,
    save_corrections,
)
from napari_voxuda.data.corrections import Corrections
from napari_voxuda.errors import FileFormatError, RunFolderError
from napari_voxuda.networks.checkpoint import read_tensors, write_tensors


@pytest.fixture
def run(tmp_path):
    write_tensors(
        tmp_path / "model.safetensors", {"teacher.w": torch.ones(2)}, {"step": 5, "model": {}}
    )
    return tmp_path


def _add(run, value):
    tensors = {"teacher.w": torch.full((2,), value), "student.w": torch.zeros(2)}
    return add_version(run, tensors, {"contrast": "dark"}, voxels=7)


def _weight(path):
    return read_tensors(path)[0]["teacher.w"][0].item()


def test_an_unfinished_run_has_no_version(tmp_path):
    assert list_versions(tmp_path) == []


def test_versions_are_kept_named_and_restorable(run):
    assert [(v.number, v.name, v.current) for v in list_versions(run)] == [(0, "As adapted", True)]
    _add(run, 2.0)
    assert _add(run, 3.0).name == "Refined 2 (7 voxels)"
    assert _weight(run / "model.safetensors") == 3.0
    assert [v.current for v in list_versions(run)] == [False, False, True]
    restore_version(run, 0)
    assert _weight(run / "model.safetensors") == 1.0
    assert [v.current for v in list_versions(run)] == [True, False, False]
    assert _add(run, 4.0).number == 3  # no number is used twice
    assert [_weight(run / "versions" / f"00{n}.safetensors") for n in range(4)] == [1, 2, 3, 4]
    _, metadata = read_tensors(run / "model.safetensors")
    assert metadata["refined"]["from"] == 0
    assert metadata["step"] == 5


def test_a_version_that_is_not_there_is_named(run):
    with pytest.raises(RunFolderError, match="version 4"):
        restore_version(run, 4)


def test_corrections_are_kept_for_each_volume(run):
    labels = np.zeros((3, 4, 5), np.uint8)
    labels[1, 2, 3], labels[2, 0, 0] = 1, 2
    given = Corrections.from_labels(labels).with_joins((((0, 0, 0), (1, 1, 1)),))
    save_corrections(run, "abc", given)
    found = load_corrections(run, "abc", (3, 4, 5))
    np.testing.assert_array_equal(found.to_labels(), labels)
    assert found.joins == given.joins
    assert len(load_corrections(run, "other", (3, 4, 5))) == 0


def test_corrections_that_do_not_fit_are_refused(run):
    labels = np.zeros((3, 4, 5), np.uint8)
    labels[2, 3, 4] = 1
    path = save_corrections(run, "abc", Corrections.from_labels(labels))
    with pytest.raises(FileFormatError, match="another volume"):
        load_corrections(run, "abc", (2, 2, 2))
    path.write_bytes(b"nonsense")
    with pytest.raises(FileFormatError):
        load_corrections(run, "abc", (3, 4, 5))


def test_two_workers_may_save_corrections_at_once(run):
    labels = np.zeros((2, 2, 2), np.uint8)
    labels[0, 0, 0] = 1
    given = Corrections.from_labels(labels)
    with ThreadPoolExecutor(4) as pool:
        saved = list(pool.map(lambda _: save_corrections(run, "abc", given), range(40)))
    assert len(load_corrections(run, "abc", (2, 2, 2))) == 1
    assert list((run / "corrections").iterdir()) == [saved[0]]


def test_corrections_replaced_in_one_go(run, monkeypatch):
    labels = np.zeros((2, 2, 2), np.uint8)
    labels[0, 0, 0] = 1
    path = save_corrections(run, "abc", Corrections.from_labels(labels))
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        save_corrections(run, "abc", Corrections.none((2, 2, 2)))
    monkeypatch.undo()
    assert len(load_corrections(run, "abc", (2, 2, 2))) == 1
    assert list(path.parent.iterdir()) == [path]

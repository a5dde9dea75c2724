from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.adaptation.versions import load_corrections, save_corrections
from napari_voxuda.app.refine.corrections import RunCorrections
from napari_voxuda.app.running import InlineExecutor
from napari_voxuda.data.corrections import Corrections, fingerprint
from napari_voxuda.data.volume import Volume


@pytest.fixture
def volume():
    return Volume(data=np.arange(24.0).reshape(2, 3, 4))


def _marked(*voxels):
    labels = np.zeros((2, 3, 4), np.uint8)
    for voxel in voxels:
        labels[voxel] = 1
    return Corrections.from_labels(labels)


@pytest.fixture
def store():
    return RunCorrections(InlineExecutor(), lambda error: pytest.fail(str(error)))


def test_what_is_saved_is_found_again(store, volume, tmp_path):
    assert len(store.open(tmp_path, volume)) == 0
    store.save(lambda: _marked((1, 2, 3)))
    assert len(RunCorrections(InlineExecutor(), print).open(tmp_path, volume)) == 1


def test_taking_the_last_back_is_saved_as_well(store, volume, tmp_path):
    store.open(tmp_path, volume)
    store.save(lambda: _marked((0, 0, 0)))
    store.save(_marked)
    mark = fingerprint(volume.data)
    assert len(load_corrections(tmp_path, mark, volume.shape)) == 0


def test_nothing_is_written_without_a_correction(store, volume, tmp_path):
    store.open(tmp_path, volume)
    store.save(_marked)
    assert list(tmp_path.iterdir()) == []


def test_what_was_just_painted_is_added_to_what_is_kept(store, volume, tmp_path):
    save_corrections(tmp_path, fingerprint(volume.data), _marked((0, 0, 0)))
    assert len(store.open(tmp_path, volume, _marked((1, 1, 1)))) == 2


def test_without_a_run_nothing_is_kept(store, volume):
    assert len(store.open(None, volume, _marked((1, 1, 1)))) == 1
    store.save(lambda: pytest.fail("asked"))

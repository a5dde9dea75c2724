from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.data.corrections import Corrections, fingerprint
from napari_voxuda.errors import InputError


def test_labels_and_back():
    labels = np.zeros((3, 4, 5), np.uint8)
    labels[1, 2, 3], labels[0, 0, 4] = 1, 2
    found = Corrections.from_labels(labels)
    assert len(found) == 2
    np.testing.assert_array_equal(found.positions, [[0, 0, 4], [1, 2, 3]])
    np.testing.assert_array_equal(found.foreground, [False, True])
    np.testing.assert_array_equal(found.to_labels(), labels)


@pytest.mark.parametrize(
    "labels", [np.full((2, 2, 2), 3), np.zeros((2, 2)), np.zeros((2, 2, 2), float)]
)
def test_other_labels_are_refused(labels):
    with pytest.raises(InputError, match="corrections"):
        Corrections.from_labels(labels)


def test_positions_outside_are_refused():
    with pytest.raises(InputError, match="another volume"):
        Corrections(
            shape=(2, 2, 2), positions=np.array([[0, 0, 2]], np.int32), foreground=np.array([True])
        )


def test_joins_outside_are_refused():
    with pytest.raises(InputError, match="another volume"):
        Corrections.none((2, 2, 2)).with_joins((((0, 0, 0), (0, 5, 0)),))


def test_a_large_correction_is_several_places_and_a_small_one_is_one():
    labels = np.zeros((8, 8, 40), np.uint8)
    labels[:, :, :16] = 1
    labels[1, 1, 33] = 2
    places = Corrections.from_labels(labels).places()
    assert sorted(len(p) for p in places) == [1, 512, 512]
    assert sorted(np.concatenate(places)) == list(range(1025))


def test_the_newer_corrections_win():
    old, new = np.zeros((2, 3, 4), np.uint8), np.zeros((2, 3, 4), np.uint8)
    old[0, 0, :3], new[0, 0, 2:] = 1, 2
    merged = Corrections.from_labels(old).merged(Corrections.from_labels(new))
    assert merged.to_labels()[0, 0].tolist() == [1, 1, 2, 2]


def test_the_fingerprint_tells_volumes_apart_and_not_types():
    volume = np.arange(24.0).reshape(2, 3, 4)
    assert fingerprint(volume) == fingerprint(volume.astype(np.int16))
    assert fingerprint(volume) != fingerprint(volume + 1)
    assert fingerprint(volume) != fingerprint(volume.reshape(3, 2, 4))

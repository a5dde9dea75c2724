from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_voxuda.errors import InputError
from napari_voxuda.scores import overlap as module
from napari_voxuda.scores.overlap import Confusion, dice, iou, mean_overlap, overlap


def sets(mask: np.ndarray) -> set[tuple[int, ...]]:
    return set(map(tuple, np.argwhere(mask).tolist()))


@given(st.integers(0, 2**20), st.floats(0, 1), st.floats(0, 1), st.integers(1, 200))
def test_scores_are_those_of_sets_of_voxels(
    seed: int, first: float, second: float, slab: int
) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.random((5, 4, 3)) < first, rng.random((5, 4, 3)) < second
    sa, sb = sets(a), sets(b)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SLAB_VOXELS", slab)
        found = overlap(a, b).foreground
    assert found.true_positive == len(sa & sb)
    assert found.false_positive == len(sa - sb)
    assert found.false_negative == len(sb - sa)
    assert found.true_negative == a.size - len(sa | sb)
    assert found.precision == (len(sa & sb) / len(sa) if sa else float(not sb))
    assert found.recall == (len(sa & sb) / len(sb) if sb else float(not sa))
    assert found.iou == (len(sa & sb) / len(sa | sb) if sa | sb else 1.0)
    assert found.dice == (2 * len(sa & sb) / (len(sa) + len(sb)) if sa or sb else 1.0)
    assert found.dice == pytest.approx(2 * found.iou / (1 + found.iou))


@pytest.mark.parametrize(
    ("prediction", "truth", "score"), [(0, 0, 1.0), (1, 0, 0.0), (0, 1, 0.0), (1, 1, 1.0)]
)
def test_empty_and_full_masks(prediction: int, truth: int, score: float) -> None:
    a, b = np.full((2, 3, 4), prediction), np.full((2, 3, 4), truth)
    assert iou(a, b) == dice(a, b) == score


def test_a_known_pair() -> None:
    a, b = np.zeros((1, 1, 10)), np.zeros((1, 1, 10), dtype=np.uint8)
    a[..., 0:6] = 1
    b[..., 4:8] = 1
    assert iou(a, b) == pytest.approx(2 / 8)
    assert dice(a, b) == pytest.approx(4 / 10)


@pytest.mark.parametrize("slab", [1, 7, 1 << 22])
@pytest.mark.parametrize(
    ("first", "second"), [("u1", "u1"), ("i2", "u2"), ("f4", "i8"), (">u2", "u1")]
)
def test_each_label_is_scored_as_if_it_were_alone(
    slab: int, first: str, second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SLAB_VOXELS", slab)
    rng = np.random.default_rng(0)
    a = rng.choice([0, 1, 2, 5], size=(4, 5, 6)).astype(first)
    b = rng.choice([0, 1, 2, 9], size=(4, 5, 6)).astype(second)
    found = overlap(a, b)
    assert sorted(found.labels) == [1, 2, 5, 9]
    for label, confusion in found.labels.items():
        assert confusion == overlap(a == label, b == label).foreground
    assert found.foreground == overlap(a > 0, b > 0).foreground
    assert found.labels[5].iou == 0.0


def test_the_foreground_takes_labels_together() -> None:
    a, b = np.array([[[1, 2, 0]]]), np.array([[[2, 1, 0]]])
    assert overlap(a, b).foreground.dice == 1.0
    assert [c.dice for c in overlap(a, b).labels.values()] == [0.0, 0.0]


def test_counts_add_up_over_parts() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 6, 5, 4)) < 0.4
    parts = overlap(a[:2], b[:2]).foreground + overlap(a[2:], b[2:]).foreground
    assert parts == overlap(a, b).foreground
    assert sum(vars(parts).values()) == a.size


def test_memory_maps_of_a_type_of_their_own(tmp_path: Path) -> None:
    a = np.memmap(tmp_path / "a", dtype=np.int8, mode="w+", shape=(6, 7, 8))
    b = np.memmap(tmp_path / "b", dtype=np.uint16, mode="w+", shape=(6, 7, 8))
    a[2:4], b[3:5] = 1, 1
    a.flags.writeable = False
    assert iou(a, b.transpose(0, 1, 2)) == pytest.approx(1 / 3)


def test_means_are_unweighted() -> None:
    one = Confusion(true_positive=1, false_positive=1)
    other = Confusion(true_positive=1000)
    assert mean_overlap([one, other]) == (pytest.approx(0.75), pytest.approx(5 / 6))


def test_no_mean_of_nothing() -> None:
    with pytest.raises(InputError, match="at least one pair was wanted"):
        mean_overlap([])


@pytest.mark.parametrize(
    ("prediction", "truth", "message"),
    [
        (np.zeros((2, 3, 4)), np.zeros((2, 3, 5)), r"got \(2, 3, 4\) and \(2, 3, 5\)"),
        (np.full((2, 2, 2), 0.5), np.zeros((2, 2, 2)), "prediction: .* got fractions"),
        (np.zeros((2, 2, 2)), np.full((2, 2, 2), -1), "truth: labels from 0 to 65535"),
        (np.full((2, 2, 2), np.nan), np.zeros((2, 2, 2)), "prediction: labels from 0 to 65535"),
        (np.full((2, 2, 2), 65536), np.zeros((2, 2, 2)), "got values from 65536 to 65536"),
        (np.zeros((2, 2, 2), dtype=complex), np.zeros((2, 2, 2)), "got complex128"),
    ],
)
def test_refused_masks(prediction: Any, truth: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        overlap(prediction, truth)

"""Simulated targets: whose seeds never meet, and what their boxes hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.transfer.scenes import (
    CLASSES,
    LARGEST_OFFSET,
    class_of,
    conditions_of,
    random_boxes,
    scene_seeds,
    simulate_scene,
    write_boxes,
)
from benchmarks.transfer.tiers import Tier

from napari_voxuda.errors import InputError
from napari_voxuda.io.folders import find_pairs
from napari_voxuda.io.mrc import read_mrc


def test_no_seed_is_used_twice_by_splits_roles_or_data_sets() -> None:
    every = [
        number
        for split in ("dev", "final")
        for seed in (*range(20), 998, 999)
        for role in ("conditions", "target", "training")
        for number in scene_seeds(split, seed, role)
    ]
    assert len(every) == len(set(every))
    assert min(every) > 100_000_000  # far from the small seeds that people give


def test_a_seed_that_would_run_into_another_split_is_refused() -> None:
    for seed in (-1, 1000):
        with pytest.raises(InputError, match="seeds from 0 to 999 were wanted"):
            scene_seeds("dev", seed, "target")


def test_conditions_differ_between_seeds_and_splits_and_repeat() -> None:
    drawn = [conditions_of(split, seed) for split in ("dev", "final") for seed in range(8)]
    for name in ("signal", "defocus_um", "tilt_range_deg", "voxel_size_angstrom"):
        assert len({getattr(c, name) for c in drawn}) > 10
    assert conditions_of("dev", 3) == drawn[3]
    assert all(0.5 <= c.signal <= 1.0 for c in drawn)


def test_the_class_of_a_molecule_from_a_file_is_that_of_its_place() -> None:
    files = ("maps/5mrc.mrc", "maps/3j9i.mrc", "maps/6utj.mrc")
    assert class_of("6utj", files) == "chaperonin"
    assert class_of("maps/5mrc.mrc", files) == "ribosome"
    assert class_of("proteasome") == "proteasome"


def test_boxes_hold_their_molecule_near_the_middle_bright_and_with_the_truth(
    smoke: Tier, tmp_path: Path
) -> None:
    clear = replace(conditions_of("dev", 0), signal=20.0, gold_beads=0)
    scene = simulate_scene(clear, smoke, 7)
    write_boxes(iter([scene]), tmp_path / "boxes", smoke, 0)
    pairs = find_pairs(tmp_path / "boxes")
    assert sorted(path.stem for path, _ in pairs) == sorted(f"{name}_0000" for name in CLASSES)
    for path, truth_path in pairs:
        values, truth = read_mrc(path).data, read_mrc(truth_path).data > 0
        assert values.shape == (smoke.box,) * 3
        assert values[truth].mean() > values[~truth].mean() + values.std()
        middle = smoke.box // 2
        near = slice(middle - LARGEST_OFFSET - 1, middle + LARGEST_OFFSET + 1)
        assert truth[near, near, near].any()
    size = read_mrc(pairs[0][0]).grid.voxel_size_angstrom
    assert size == pytest.approx((clear.voxel_size_angstrom,) * 3)


def test_boxes_are_off_the_centre_by_different_offsets(smoke: Tier, tmp_path: Path) -> None:
    scene = simulate_scene(conditions_of("dev", 0), smoke, 7)
    for seed in (0, 1):
        write_boxes(iter([scene]), tmp_path / str(seed), smoke, seed)
    first, second = (
        [read_mrc(path).data for path, _ in find_pairs(tmp_path / name)] for name in "01"
    )
    assert not any(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_too_few_molecules_are_reported(smoke: Tier, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 molecules of each class were wanted"):
        write_boxes(iter([]), tmp_path / "boxes", smoke, 0)


def test_random_boxes_come_from_up_to_three_scenes(smoke: Tier, tmp_path: Path) -> None:
    scene = simulate_scene(conditions_of("dev", 0), smoke, 7)
    random_boxes(iter([scene] * 5), tmp_path / "boxes", smoke, 0)
    assert len(find_pairs(tmp_path / "boxes")) == 3 * 3 * smoke.per_class

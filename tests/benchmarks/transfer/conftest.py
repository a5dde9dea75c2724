"""Results and targets that need no training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.transfer.store import Result
from benchmarks.transfer.targets import Target
from benchmarks.transfer.tiers import TIERS, Tier

from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.io.mrc import write_mask, write_mrc

GRID = Grid().with_voxel_size(12.0)


@pytest.fixture
def smoke() -> Tier:
    return TIERS["smoke"]


def write_pair(folder: Path, name: str, values: np.ndarray, truth: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_mrc(folder / f"{name}.mrc", Volume(data=values.astype(np.float32), grid=GRID))
    stem = name.removesuffix("_subtomo")
    write_mask(folder / f"{stem}_mask.mrc", Volume(data=truth.astype(np.uint8), grid=GRID))


@pytest.fixture
def cubes(tmp_path: Path) -> Target:
    """Return two subtomograms, each with a bright cube of 4³ voxels off the centre."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "cubes"
    for name, corner in (("ribosome_0", 2), ("chaperonin_0", 9)):
        truth = np.zeros((16, 16, 16))
        truth[corner : corner + 4, 4:8, 4:8] = 1
        write_pair(folder, name, 5 * truth + 0.1 * rng.normal(size=truth.shape), truth)
    return Target(
        name="subtomograms",
        seed=0,
        adapt_to=folder,
        segment=folder,
        truth=folder,
        contrast="bright",
        classes={"ribosome": "ribosome", "chaperonin": "chaperonin"},
    )


def result(**changes: Any) -> Result:
    values: dict[str, Any] = {
        "tier": "cpu",
        "split": "final",
        "target": "subtomograms",
        "table": "main",
        "row": "fast",
        "title": "preset `fast`",
        "seed": 0,
        "fingerprint": "a",
        "truth": "t",
        "iou": 0.4,
        "dice": 0.5,
        "classes": {"ribosome": [0.5, 0.6]},
        "seconds_per_step": 0.25,
        "seconds": 100.0,
    }
    return Result(**(values | changes))


@pytest.fixture
def make_result() -> Any:
    return result


@pytest.fixture
def make_pair() -> Any:
    return write_pair

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_voxuda.app.adapt.preflight_report import Preflight
from napari_voxuda.app.adapt.preflight_words import doubts, size_words
from napari_voxuda.data.volume import Volume


def preflight(**changes: Any) -> Preflight:
    facts: dict[str, Any] = {
        "starts": ((0, 0, 0),),
        "tomogram_of": (0,),
        "box": 32,
        "drawn": 3600,
        "where": "at random places",
        "voxel_size_angstrom": 10.0,
        "contrast": "dark",
        "contrast_given": False,
        "steps": 600,
        "batch": 6,
        "step_seconds": 1.5,
        "seconds": 960.0,
        "device": "cpu",
        "needed_bytes": 2_000_000_000,
        "available_bytes": 8_000_000_000,
        "disk_bytes": 12_000_000,
        "free_disk_bytes": 10**12,
        "out": Path("/nowhere/run"),
    }
    return Preflight(**{**facts, **changes})


def _volumes(*shape: int, count: int = 1) -> list[Volume]:
    return [Volume(data=np.zeros(shape, np.float32))] * count


def test_a_run_that_fits_has_no_doubts_and_a_table() -> None:
    report = preflight()
    assert doubts(report, _volumes(100, 200, 200), None) == []
    assert dict(report.rows) == {
        "Boxes": "3,600 of 32³ voxels (320 Å) at random places, 1 of them shown",
        "Voxel size": "10 Å",
        "Contrast": "protein is dark, as detected",
        "Time": "about 16 min, 1.5 s a step",
        "Memory": "2.0 GB of 8.0 GB that are free (CPU)",
        "Run folder": "/nowhere/run (12 MB)",
    }


@pytest.mark.parametrize(
    ("changes", "shape", "picks", "words"),
    [
        ({"needed_bytes": 9 * 10**9}, (100, 200, 200), None, "will not fit: it needs about 9.0 GB"),
        ({"needed_bytes": 7 * 10**9}, (100, 200, 200), None, "only just"),
        ({}, (20, 200, 200), None, "thinner than a box of 32 voxels along z"),
        ({}, (64, 40, 40), None, "about 3 boxes of 32³ voxels"),
        ({}, (100, 200, 200), 3, "only 3 picks"),
        ({"seconds": 90_000.0}, (100, 200, 200), None, "about 25 h"),
        ({"free_disk_bytes": 1000}, (100, 200, 200), None, "only 1 kB are free"),
        ({"starts": ()}, (32, 32, 32), None, "only 1 subtomograms"),
    ],
)
def test_what_may_go_wrong_is_said(
    changes: dict[str, Any], shape: tuple[int, ...], picks: int | None, words: str
) -> None:
    (found,) = doubts(preflight(**changes), _volumes(*shape), picks)
    assert words in found


def test_a_folder_that_is_taken_is_said(tmp_path: Path) -> None:
    volumes = _volumes(100, 200, 200)
    report = preflight(out=tmp_path)
    assert doubts(report, volumes, None) == []
    (tmp_path / "thesis.txt").touch()
    assert "is not empty" in doubts(report, volumes, None)[0]
    (tmp_path / "run.json").touch()
    assert "already holds a run" in doubts(report, volumes, None)[0]


def test_what_is_not_known_is_not_judged() -> None:
    report = preflight(needed_bytes=None, available_bytes=None)
    assert doubts(report, _volumes(100, 200, 200), None) == []
    assert dict(report.rows)["Memory"] == "not known (CPU)"


def test_sizes() -> None:
    sizes = [size_words(n) for n in (12_000, 3_400_000, 2_500_000_000)]
    assert sizes == ["12 kB", "3 MB", "2.5 GB"]

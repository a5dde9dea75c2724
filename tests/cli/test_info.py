from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from napari_voxuda.app.info import describe
from napari_voxuda.cli.info import rows

Invoke = Callable[..., Result]


def test_json_is_the_description(invoke: Invoke, files: Path) -> None:
    path = files / "tomogram.mrc"
    assert json.loads(invoke("info", path, "--json").stdout) == describe(path)


def test_the_table_has_units_and_says_unknown(invoke: Invoke, files: Path) -> None:
    known = invoke("info", files / "tomogram.mrc").stdout
    assert "voxel size (Å)              10 x 10 x 10\n" in known
    unknown = invoke("info", files / "voxel0.mrc").stdout
    assert "voxel size (Å)              unknown\n" in unknown
    assert "voxel size in the header is 0" in unknown


def test_a_run_tells_its_state_and_settings(invoke: Invoke, model: Path) -> None:
    shown = dict(
        (part.strip() for part in line.split("  ", 1))  # type: ignore[misc]
        for line in invoke("info", model).stdout.splitlines()
    )
    assert shown["kind"] == "run"
    assert shown["state"] == "finished"
    assert shown["step"] == shown["steps"] == "2"
    assert shown["settings: network: stem"] == "2"
    assert not any(name.startswith("source description") for name in shown)
    assert "source_description" in json.loads(invoke("info", model, "--json").stdout)


def test_rows_of_nested_values() -> None:
    facts = {
        "tilt_range_deg": 60.0,
        "voxel_size_angstrom": None,
        "losses": {"total": 0.5, "parts": None},
        "names": ["a", "b"],
        "shapes": [{"shape": [1, 2, 3], "count": 4}],
        "empty": [],
    }
    assert rows(facts) == [
        ("tilt range (°)", "60"),
        ("voxel size (Å)", "unknown"),
        ("losses: total", "0.5"),
        ("losses: parts", "none"),
        ("names", "a"),
        ("names", "b"),
        ("shapes", "1 x 2 x 3, 4"),
        ("empty", "none"),
    ]

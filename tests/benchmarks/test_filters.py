from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "filters.py"


@pytest.fixture(scope="module")
def filters() -> ModuleType:
    spec = importlib.util.spec_from_file_location("filters", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["filters"] = module
    spec.loader.exec_module(module)
    return module


def test_measures_every_variant_and_writes_json(
    filters: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    threads = torch.get_num_threads()
    filters.main(["--sizes", "12", "--repeats", "1", "--json", str(tmp_path / "out.json")])
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["machine"]["torch"] == torch.__version__
    measured = {(row["method"], row["variant"]) for row in content["rows"]}
    assert measured == {
        *((m, v) for m in ("bilateral", "ibf") for v in ("function", "task in blocks", "unfold")),
        *(("ngm", v) for v in ("function", "task")),
    }
    for row in content["rows"]:
        assert row["mvoxel_per_second"] == pytest.approx(12**3 / row["seconds"] / 1e6)
    assert capsys.readouterr().out.count("| 12³ |") == len(content["rows"])
    assert torch.get_num_threads() == threads


def test_a_variant_that_disagrees_is_refused(
    filters: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "unfold_improved", lambda volume: volume)
    with pytest.raises(ValueError, match="ibf: function and unfold version differ by"):
        filters.measure("ibf", 8, 1, 0, torch.device("cpu"))

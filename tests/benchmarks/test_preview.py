from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks import preview


def test_measures_every_denoiser_and_writes_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    threads = torch.get_num_threads()
    sizes = ["--size", "16", "--depth", "8", "--steps", "6"]
    preview.main([*sizes, "--json", str(tmp_path / "out.json")])
    content = json.loads((tmp_path / "out.json").read_text())
    assert [row["method"] for row in content["rows"]] == ["ibf", "bilateral", "ngm"]
    for row in content["rows"]:
        assert row["steps"] == 6
        assert 0 < row["median_ms"] <= row["percentile_95_ms"]
    printed = capsys.readouterr().out
    assert f"torch {torch.__version__}" in printed
    assert printed.count("\n| ibf |") == 1
    assert torch.get_num_threads() == threads


def test_a_slider_passes_from_half_to_twice_the_default() -> None:
    assert [s.sigma_range for s in preview.slider_steps("ibf", 3)] == pytest.approx([0.6, 1.2, 2.4])
    assert next(s.pass_fraction for s in preview.slider_steps("ngm", 3)) == pytest.approx(0.122)


def test_equal_seeds_give_equal_tomograms() -> None:
    one, same, other = (preview.tomogram(2, 4, seed) for seed in (0, 0, 1))
    assert (one.data == same.data).all()
    assert (one.data != other.data).any()

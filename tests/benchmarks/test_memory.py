"""The benchmark of memory, on sizes that take no time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.memory import __main__ as memory
from benchmarks.memory.inputs import write_model, write_tomogram
from benchmarks.memory.measure import ALLOWED_BYTES, Peak, Row, watch

from napari_voxuda.io.mrc import read_mrc

needs_wait4 = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")


def row(resident: int, output: int = 100) -> Row:
    peak = Peak(resident=resident, anonymous=7_000_000, mapped=8_000_000, seconds=9.4)
    return Row(step="ibf", command="denoise", output=output, peak=peak)


def test_the_limit_is_the_output_and_what_is_allowed():
    assert row(100 + ALLOWED_BYTES).is_kept
    assert not row(101 + ALLOWED_BYTES).is_kept
    text = memory.table([row(5_000_000), row(101 + ALLOWED_BYTES)])
    assert "| 5 MB | 7 MB | 8 MB | yes | 9 |" in text
    assert "| NO |" in text


def test_the_tomogram_is_noise_with_dark_balls_and_the_same_each_time(tmp_path):
    for name in ("a", "b"):
        write_tomogram(tmp_path / f"{name}.mrc", (60, 64, 70))
    volume = read_mrc(tmp_path / "a.mrc")
    assert volume.shape == (60, 64, 70)
    assert volume.grid.voxel_size_angstrom == (13.6,) * 3
    assert volume.data.dtype == np.float32
    assert -0.1 < volume.data.mean() < 0.0
    assert (volume.data < -4).sum() > 20
    assert (tmp_path / "a.mrc").read_bytes() == (tmp_path / "b.mrc").read_bytes()


@needs_wait4
def test_the_model_finds_about_2_percent(tmp_path):
    import torch

    from napari_voxuda.networks.checkpoint import load_model

    write_tomogram(tmp_path / "a.mrc", (40, 40, 40))
    write_model(tmp_path / "m.safetensors", tmp_path / "a.mrc")
    data = np.array(read_mrc(tmp_path / "a.mrc").data)
    batch = -torch.from_numpy((data - data.mean()) / data.std())[None]
    found = load_model(tmp_path / "m.safetensors").predict(batch)
    assert float((found >= 0.5).float().mean()) == pytest.approx(0.02, abs=0.005)


@needs_wait4
def test_the_peak_is_that_of_the_command(monkeypatch, tmp_path):
    package = tmp_path / "napari_voxuda"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("import time; x = b'1' * 200_000_000; time.sleep(0.5)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    peak = watch([])
    assert 200e6 < peak.resident < 400e6
    assert 200e6 < peak.anonymous < 400e6
    (package / "__main__.py").write_text("raise SystemExit('no')")
    with pytest.raises(RuntimeError, match=r"exit code 1: no"):
        watch([])


@needs_wait4
@pytest.mark.slow
def test_every_step_runs_and_is_written_down(tmp_path, capsys):
    path = tmp_path / "out.json"
    size = ["--shape", "40", "36", "32"]
    assert memory.main(["--work", str(tmp_path / "work"), *size, "--json", str(path)]) == 0
    content = json.loads(path.read_text())
    assert content["shape"] == [40, 36, 32]
    assert [row["step"] for row in content["rows"]] == list(memory.STEPS)
    voxels = 40 * 36 * 32
    assert [row["output"] for row in content["rows"]][:5] == [
        0,
        *[1024 + 4 * voxels] * 3,
        1024 + voxels,
    ]
    assert all(row["peak"]["resident"] > 50e6 for row in content["rows"])
    assert sorted(p.name for p in (tmp_path / "work").iterdir()) == [
        "model.safetensors",
        "tomogram.mrc",
    ]
    assert capsys.readouterr().out.count("| yes |") == 2 * len(memory.STEPS)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from napari_voxuda.app.denoise.task import denoise_region
from napari_voxuda.io.mrc import read_mrc
from napari_voxuda.method.denoising import DenoiseSettings

Invoke = Callable[..., Result]


@pytest.mark.parametrize("method", ["ibf", "bilateral", "ngm"])
def test_the_method_asked_for_is_applied_and_the_header_kept(
    invoke: Invoke, files: Path, tmp_path: Path, method: str
) -> None:
    source, out = files / "tomogram.mrc", tmp_path / "out.mrc"
    outcome = invoke("denoise", source, out, "--method", method, "--sigma-range", "0.9")
    assert (outcome.exit_code, outcome.stdout) == (0, f"{out}\n"), outcome.stderr
    before, after = read_mrc(source), read_mrc(out)
    settings = DenoiseSettings(method=method, sigma_range=0.9)  # type: ignore[arg-type]
    assert np.allclose(after.data, denoise_region(before.data, settings), atol=1e-5)
    assert after.grid == before.grid
    assert after.data.std() < before.data.std()


def test_an_existing_output_is_replaced_only_when_asked(
    invoke: Invoke, files: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mrc"
    out.write_text("old")
    assert invoke("denoise", files / "tomogram.mrc", out).exit_code == 4
    assert out.read_text() == "old"
    assert invoke("denoise", files / "tomogram.mrc", out, "--overwrite").exit_code == 0
    assert read_mrc(out).shape == (24, 20, 28)


def test_doubtful_headers_are_told(invoke: Invoke, files: Path, tmp_path: Path) -> None:
    outcome = invoke("denoise", files / "voxel0.mrc", tmp_path / "out.mrc")
    assert outcome.exit_code == 0
    assert "voxel0.mrc: The voxel size in the header is 0" in outcome.stderr


def test_contrast_and_voxel_size_can_be_set(invoke: Invoke, files: Path, tmp_path: Path) -> None:
    plain, turned = tmp_path / "a.mrc", tmp_path / "b.mrc"
    invoke("denoise", files / "voxel0.mrc", plain)
    outcome = invoke("denoise", files / "voxel0.mrc", turned, "--invert", "--voxel-size", "7.84")
    assert outcome.exit_code == 0, outcome.stderr
    assert np.array_equal(read_mrc(turned).data, -read_mrc(plain).data)
    assert read_mrc(plain).grid.voxel_size_angstrom is None
    assert read_mrc(turned).grid.voxel_size_angstrom == (7.84, 7.84, 7.84)

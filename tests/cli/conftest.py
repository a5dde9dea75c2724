"""Small files and a small run on which the subcommands are tried."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from typer.testing import CliRunner, Result

from napari_voxuda.cli.main import app
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.io.mrc import write_mask, write_mrc

Invoke = Callable[..., Result]
_GRID = Grid(
    voxel_size_angstrom=(10.0, 10.0, 10.0), origin_angstrom=(5.0, -3.0, 0.0), nstart=(1, 0, -2)
)
SMALL = (
    *("--preset", "fast", "--steps", "2", "--batch", "2", "--network-stem", "2"),
    *("--network-body", "4", "--noise-samples", "2", "--checkpoint-every", "1"),
    *("--source", "phantom", "--source-variety", "fixed", "--source-box", "16"),
    *("--source-count", "4", "--source-neighbours", "0", "--contrast", "bright"),
)
"""Options of the smallest adaptation that there is."""


@pytest.fixture
def invoke() -> Invoke:
    """Return a function that runs the program on words and returns what it did."""

    def run(*words: object) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words], prog_name="napari-voxuda")

    return run


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of volumes, good and bad; nothing may be written to it."""
    folder = tmp_path_factory.mktemp("files")
    data, mask = noisy_cube((24, 20, 28))
    write_mrc(folder / "tomogram.mrc", Volume(data=data, grid=_GRID))
    write_mask(folder / "truth.mrc", Volume(data=mask, grid=_GRID))
    write_mask(folder / "other_shape.mrc", Volume(data=mask[:-1], grid=_GRID))
    write_mrc(folder / "voxel0.mrc", Volume(data=data))
    with_nan = data.copy()
    with_nan[3, 4, 5] = 7777.0
    write_mrc(folder / "nan.mrc", Volume(data=with_nan, grid=_GRID))
    _patch_nan(folder / "nan.mrc")
    (folder / "text.mrc").write_text("no volume\n" * 500)
    whole = (folder / "tomogram.mrc").read_bytes()
    (folder / "truncated.mrc").write_bytes(whole[:-100])
    (folder / "empty").mkdir()
    _subtomograms(folder / "subtomograms")
    _subtomograms(folder / "one_bad")
    (folder / "one_bad" / "b1_subtomo.mrc").write_bytes((folder / "nan.mrc").read_bytes())
    return folder


@pytest.fixture(scope="session")
def model(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished run on the tomogram, made by the program; it may not be changed."""
    out = tmp_path_factory.mktemp("runs") / "run"
    words = ["adapt", "--target", str(files / "tomogram.mrc"), *SMALL, "--out", str(out)]
    outcome = CliRunner().invoke(app, words)
    assert outcome.exit_code == 0, outcome.output
    return out


def noisy_cube(
    shape: tuple[int, int, int],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Return a bright cube in noise, and its mask."""
    mask = np.zeros(shape, dtype=np.uint8)
    mask[5:11, 4:10, 6:12] = 1
    noise = np.random.default_rng(0).normal(size=shape)
    return (noise + 2 * mask).astype(np.float32), mask


def _subtomograms(folder: Path) -> None:
    folder.mkdir()
    data, mask = noisy_cube((16, 16, 16))
    for name in ("b1", "b2", "b10"):
        write_mrc(folder / f"{name}_subtomo.mrc", Volume(data=data, grid=_GRID))
        write_mask(folder / f"{name}_mask.mrc", Volume(data=mask, grid=_GRID))


def _patch_nan(path: Path) -> None:
    """Turn the marked voxel into NaN, which the writer refuses."""
    raw = path.read_bytes()
    marked = np.array([7777.0], dtype="<f4").tobytes()
    assert raw.count(marked, 1024) == 1
    path.write_bytes(raw[:1024] + raw[1024:].replace(marked, np.array([np.nan], "<f4").tobytes()))

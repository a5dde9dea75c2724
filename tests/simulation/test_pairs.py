from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError
from napari_voxuda.io.mrc import write_mask, write_mrc
from napari_voxuda.simulation.settings import SourceSettings
from napari_voxuda.simulation.source import make_source


def write_pair(
    folder: Path, name: str, data: np.ndarray, mask: np.ndarray, voxel: float | None = 10.0
) -> None:
    grid = Grid() if voxel is None else Grid().with_voxel_size(voxel)
    write_mrc(folder / f"{name}.mrc", Volume(data=data.astype(np.float32), grid=grid))
    write_mask(folder / f"{name}_mask.mrc", Volume(data=mask.astype(np.uint8), grid=grid))


def settings(folder: Path, **changes: object) -> SourceSettings:
    return SourceSettings(kind="folder", files=(str(folder),), **changes)  # type: ignore[arg-type]


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(3):
        data = np.full((36, 36, 36), float(number))
        data[2:-2, 2:-2, 2:-2] += 10  # what a crop of 32 leaves
        mask = np.zeros((36, 36, 36))
        mask[2 + number, 2, 2] = 1
        write_pair(tmp_path, f"box_{number}", data, mask)
    return tmp_path


def test_pairs_are_drawn_and_cropped_at_their_centre(folder: Path) -> None:
    batch = make_source(settings(folder)).draw(20, generator())
    assert batch.images.shape == (20, 32, 32, 32)
    kinds = batch.images[:, 0, 0, 0] - 10
    assert set(kinds.tolist()) == {0.0, 1.0, 2.0}
    for image, mask, kind in zip(batch.images, batch.masks, kinds, strict=True):
        assert (image == 10 + kind).all()
        assert mask.sum() == 1
        assert mask[int(kind), 0, 0]
    assert torch.equal(batch.images, batch.clean)
    assert batch.snr.isnan().all()
    assert torch.equal(batch.images, make_source(settings(folder)).draw(20, generator()).images)


def test_the_description_names_the_files(folder: Path) -> None:
    assert make_source(settings(folder)).description["pairs"][0] == "box_0.mrc"


def test_an_unknown_voxel_size_is_taken_as_that_of_the_settings(tmp_path: Path) -> None:
    write_pair(
        tmp_path,
        "box",
        np.random.default_rng(0).random((32,) * 3),
        np.eye(32)[None].repeat(32, 0),
        None,
    )
    assert len(make_source(settings(tmp_path)).draw(1, generator())) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"box": 40}, "a box of at least 40 voxels was wanted"),
        ({"voxel_size_angstrom": 12.0}, "a voxel size of 12 Å was wanted, got 10 Å.*not resampled"),
    ],
)
def test_pairs_that_do_not_fit_are_refused_before_anything_is_drawn(
    folder: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        make_source(settings(folder, **changes))


def test_pairs_of_two_shapes_and_nan_are_refused(tmp_path: Path) -> None:
    write_pair(tmp_path, "box", np.ones((32, 32, 32)), np.ones((32, 32, 32)))
    write_mask(
        tmp_path / "box_mask.mrc",
        Volume(data=np.ones((32, 32, 34), np.uint8), grid=Grid().with_voxel_size(10.0)),
    )
    with pytest.raises(InputError, match=r"box_mask\.mrc: a mask of shape \(32, 32, 32\)"):
        make_source(settings(tmp_path))
    with pytest.raises(InputError, match="missing"):
        make_source(settings(tmp_path / "missing"))


def test_real_pairs_are_read(shared_data: Path) -> None:
    source = make_source(settings(shared_data / "ribosome70S", voxel_size_angstrom=12.0))
    batch = source.draw(4, generator())
    assert batch.masks.float().mean().item() == pytest.approx(0.053, abs=0.003)
    assert len(source.description["pairs"]) == 20

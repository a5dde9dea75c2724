from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError
from napari_voxuda.io.mrc import write_mask, write_mrc
from napari_voxuda.simulation.labelled_volume import LabelledVolume
from napari_voxuda.simulation.settings import SourceSettings
from napari_voxuda.simulation.source import make_source

SETTINGS = SourceSettings(box=16, voxel_size_angstrom=10.0, empty_fraction=0.0)


def pair(shape: tuple[int, int, int] = (24, 40, 40)) -> tuple[Volume, Volume]:
    """Return a tomogram whose values tell the place, and labels of two particles."""
    grid = Grid().with_voxel_size(10.0)
    image = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    labels = np.zeros(shape, np.uint16)
    labels[10:13, 8:11, 8:11], labels[2:4, 30:33, 30:33] = 1, 7
    return Volume(data=image, grid=grid, name="tomo"), Volume(data=labels, grid=grid, name="drawn")


def test_boxes_lie_at_labelled_places_and_their_masks_on_them() -> None:
    image, labels = pair()
    batch = LabelledVolume(SETTINGS, image, labels).draw(30, torch.Generator().manual_seed(0))
    assert batch.images.shape == batch.masks.shape == (30, 16, 16, 16)
    assert bool(batch.masks.flatten(1).any(1).all())
    values = np.asarray(image.data, np.float64)
    raw = (batch.images.double() * values.std() + values.mean()).round().long()
    starts = np.unravel_index(raw[:, 0, 0, 0].numpy(), image.shape)
    for number, (z, y, x) in enumerate(zip(*starts, strict=True)):
        cut = labels.data[z : z + 16, y : y + 16, x : x + 16] > 0
        np.testing.assert_array_equal(batch.masks[number].numpy(), cut)
    assert len({*starts[1].tolist()}) > 5


def test_a_draw_goes_on_where_the_last_one_ended() -> None:
    source = LabelledVolume(SETTINGS, *pair())
    generator = torch.Generator().manual_seed(3)
    parts = torch.cat([source.draw(2, generator).images, source.draw(3, generator).images])
    whole = source.draw(5, torch.Generator().manual_seed(3)).images
    assert torch.equal(parts, whole)


def test_the_share_of_empty_boxes_lies_anywhere() -> None:
    image, labels = pair((24, 120, 120))
    settings = replace(SETTINGS, empty_fraction=0.5)
    masks = (
        LabelledVolume(settings, image, labels).draw(200, torch.Generator().manual_seed(0)).masks
    )
    assert 0.4 < float(masks.flatten(1).any(1).float().mean()) < 0.75


def test_a_thin_tomogram_is_mirrored() -> None:
    grid = Grid().with_voxel_size(10.0)
    image = np.random.default_rng(0).normal(size=(6, 20, 20)).astype(np.float32)
    labels = (image > 1).astype(np.uint8)
    batch = LabelledVolume(
        SETTINGS, Volume(data=image, grid=grid), Volume(data=labels, grid=grid)
    ).draw(3, torch.Generator().manual_seed(0))
    assert batch.images.shape == (3, 16, 16, 16)
    assert torch.equal(batch.masks, batch.images * float(image.std()) + float(image.mean()) > 1)


def test_what_cannot_teach_is_refused() -> None:
    image, labels = pair()
    shifted = Volume(data=labels.data[1:], name="drawn")
    fine = Volume(data=image.data, grid=Grid().with_voxel_size(8.0), name="fine")
    cases = [
        (image, shifted, "labels of the shape"),
        (image, labels.with_data(np.zeros_like(labels.data)), "is empty"),
        (image, labels.with_data(np.ones_like(labels.data)), "covers everything"),
        (image, labels.with_data(labels.data + 0.5), "whole numbers"),
        (fine, labels, "voxels of 8 Å, but the target's are 10 Å"),
    ]
    for first, second, words in cases:
        with pytest.raises(InputError, match=words):
            LabelledVolume(SETTINGS, first, second)


def test_the_settings_name_its_files(tmp_path: Path) -> None:
    image, labels = pair()
    files = (str(tmp_path / "image.mrc"), str(tmp_path / "labels.mrc"))
    write_mrc(files[0], image)
    write_mask(files[1], labels)
    source = make_source(replace(SETTINGS, kind="pair", files=files))
    drawn = source.draw(4, torch.Generator().manual_seed(0))
    same = LabelledVolume(SETTINGS, image, labels).draw(4, torch.Generator().manual_seed(0))
    assert torch.equal(drawn.masks, same.masks)
    assert source.description["shape"] == [24, 40, 40]
    with pytest.raises(InputError, match="got 1 files"):
        make_source(replace(SETTINGS, kind="pair", files=files[:1]))

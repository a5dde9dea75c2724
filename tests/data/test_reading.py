"""Parts of a volume whose file shrinks, goes or changes while it is read."""

from __future__ import annotations

import os

import numpy as np
import pytest

from napari_voxuda.data.reading import FileStamp, read_part, unchanged
from napari_voxuda.data.targets import TomogramTarget
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import TargetChangedError

SHAPE = (10, 40, 50)


@pytest.fixture
def mapped(tmp_path):
    values = np.random.default_rng(0).normal(size=SHAPE).astype(">f4")
    path = tmp_path / "tomo.bin"
    path.write_bytes(bytes(1024) + values.tobytes())
    return np.memmap(path, dtype=">f4", mode="r", offset=1024, shape=SHAPE), values, path


@pytest.mark.parametrize(
    "region",
    [
        slice(None),
        (slice(2, 7), slice(3, 40), slice(0, 50)),
        (slice(9, 10), slice(39, 40), slice(49, 50)),
        (slice(3, 3), slice(None), slice(None)),
    ],
    ids=["all", "a box", "the last voxel", "nothing"],
)
@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0)], ids=str)
def test_a_part_of_a_map_is_that_of_the_array(mapped, region, axes):
    array, values, _ = mapped
    region = region if isinstance(region, slice) else tuple(region[a] for a in axes)
    part = read_part(array.transpose(axes), region)
    np.testing.assert_array_equal(part, values.transpose(axes)[region])
    assert part.dtype == values.dtype
    assert part.flags.c_contiguous
    assert not isinstance(part, np.memmap)


@pytest.mark.parametrize("array", [np.arange(24.0).reshape(2, 3, 4)[:, ::-1]], ids=["mirrored"])
def test_a_part_of_an_array_is_a_copy(array):
    part = read_part(array, (slice(0, 1), slice(1, 3), slice(0, 4)))
    np.testing.assert_array_equal(part, array[0:1, 1:3])
    assert not np.shares_memory(part, array)


@pytest.mark.skipif(not hasattr(os, "preadv"), reason="the system has no preadv")
def test_a_file_that_was_cut_short_is_told(mapped):
    array, values, path = mapped
    os.truncate(path, 1024 + values.nbytes // 2)
    np.testing.assert_array_equal(read_part(array, slice(0, 4)), values[:4])
    with pytest.raises(TargetChangedError, match=r"cut short while it was read.*go on or start"):
        read_part(array, slice(4, 10))


@pytest.mark.skipif(not hasattr(os, "preadv"), reason="the system has no preadv")
def test_a_file_that_is_gone_is_told(mapped):
    array, _, path = mapped
    path.unlink()
    with pytest.raises(TargetChangedError, match=r"cannot be found any more.*Put it back"):
        read_part(array, slice(0, 1))


def test_a_stamp_tells_a_change_and_a_loss(mapped):
    _, _, path = mapped
    stamp = FileStamp(path)
    assert not stamp.has_changed()
    os.utime(path, (1, 1))
    assert stamp.has_changed()
    path.unlink()
    with pytest.raises(TargetChangedError, match="cannot be found"):
        stamp.has_changed()


def test_a_target_notices_other_values_and_not_a_mere_touch(mapped):
    array, values, path = mapped
    target = TomogramTarget(Volume(data=array, path=path), box=8, contrast="bright")
    os.utime(path, (1, 1))
    target.check()
    path.write_bytes(bytes(1024) + (values + 1).astype(">f4").tobytes())
    with pytest.raises(TargetChangedError, match="has changed since the run began"):
        target.check()


def test_a_file_that_is_written_to_while_it_is_read_is_told(mapped):
    array, values, path = mapped
    volume = Volume(data=array, path=path)
    with unchanged(volume):
        read_part(array, slice(None))
    with pytest.raises(TargetChangedError, match="written to while it was read"), unchanged(volume):
        path.write_bytes(bytes(1024) + (values + 1).tobytes())
    with unchanged(Volume(data=np.array(values), path=path)):
        path.unlink()  # what lies in memory needs no file

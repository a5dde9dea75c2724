from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.segmentation import binning
from napari_voxuda.segmentation.binning import binned_shape, binned_slabs, factor_for


def _slow(volume, factor, reduce):
    shape = binned_shape(volume.shape, factor)
    out = np.zeros(shape)
    for z, y, x in np.ndindex(*shape):
        at = tuple(slice(i * factor, (i + 1) * factor) for i in (z, y, x))
        out[z, y, x] = reduce(volume[at])
    return out


@pytest.mark.parametrize("factor", [1, 2, 3])
@pytest.mark.parametrize("slab_voxels", [1, 200, 1 << 22])
def test_blocks_are_what_slow_loops_make_of_them(monkeypatch, factor, slab_voxels):
    monkeypatch.setattr(binning, "_SLAB_VOXELS", slab_voxels)
    volume = np.random.default_rng(0).integers(0, 4, (7, 8, 9)).astype(np.uint8)
    rules = {"mean": np.mean, "occupancy": lambda b: np.mean(b != 0), "largest": np.max}
    for how, reduce in rules.items():
        out = np.full(binned_shape(volume.shape, factor), -1.0)
        for slab, values in binned_slabs(volume, factor, how):
            out[slab] = values
        np.testing.assert_allclose(out, _slow(volume, factor, reduce), rtol=1e-6)


def test_the_factor_is_the_smallest_that_does():
    assert factor_for((10, 10, 10), 1000) == 1
    assert factor_for((10, 10, 10), 999) == 2
    assert factor_for((928, 928, 464), 1 << 24) == 3

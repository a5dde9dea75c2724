from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_voxuda.segmentation.blending import BlendWeights, WindowName, axis_weights
from napari_voxuda.segmentation.tiling import plan_tiles

WINDOWS: list[WindowName] = ["gaussian", "linear"]


@given(st.integers(1, 200), st.integers(1, 64), st.integers(0, 24), st.sampled_from(WINDOWS))
def test_weights_sum_to_one_at_every_voxel(
    length: int, core: int, halo: int, window: WindowName
) -> None:
    axis = plan_tiles((length, 1, 1), core=core, halo=halo).axes[0]
    total = np.zeros(axis.end)
    for i, weights in enumerate(axis_weights(axis, window)):
        assert weights.min() >= 0
        total[axis.starts[i] : axis.starts[i] + axis.size] += weights
    np.testing.assert_allclose(total, 1.0, rtol=1e-12)


@pytest.mark.parametrize("window", WINDOWS)
def test_weight_falls_towards_a_neighbour_and_not_towards_the_border(window: WindowName) -> None:
    axis = plan_tiles((96, 1, 1), core=48, halo=8).axes[0]
    first, last = axis_weights(axis, window)
    assert (first[:40] == 1.0).all()
    assert (np.diff(first[40:]) < 0).all()
    np.testing.assert_allclose(first, last[::-1])
    assert first[axis.size - 8] == pytest.approx(1 - first[axis.size - 9])


def test_without_halo_tiles_do_not_overlap() -> None:
    axis = plan_tiles((64, 1, 1), core=16, halo=0).axes[0]
    assert (axis_weights(axis, "gaussian") == 1.0).all()


def test_volume_weight_is_the_product_of_the_axes() -> None:
    tiling = plan_tiles((40, 48, 64), core=16, halo=8)
    weights = BlendWeights(tiling, "linear")
    total = np.zeros([a.end for a in tiling.axes])
    for tile in tiling:
        weight = weights(tile)
        assert weight.dtype == np.float32
        assert weight.shape == tiling.tile_shape
        total[tuple(slice(s, s + n) for s, n in zip(tile.start, weight.shape, strict=True))] += (
            weight
        )
    np.testing.assert_allclose(total, 1.0, rtol=1e-6)

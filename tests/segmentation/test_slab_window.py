from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.data.slabs import ArraySink
from napari_voxuda.segmentation.slab_window import SlabWindow
from napari_voxuda.segmentation.tiling import plan_tiles


class Counting(ArraySink):
    """Remembers how many slices came at once."""

    def __init__(self, shape):
        super().__init__(shape)
        self.counts = []

    def append(self, slab):
        self.counts.append(len(slab))
        super().append(slab)


@pytest.mark.parametrize("shape", [(61, 20, 30), (7, 9, 11), (32, 8, 8), (100, 5, 40)])
@pytest.mark.parametrize(
    ("core", "halo", "multiple"), [(16, 8, 8), (8, 16, 8), (5, 2, 1), (9, 0, 1)]
)
def test_sums_over_tiles_are_those_in_one_array(shape, core, halo, multiple):
    tiling = plan_tiles(shape, core=core, halo=halo, multiple=multiple)
    whole, sink = np.zeros(shape, np.float32), Counting(shape)
    window = SlabWindow(tiling, sink)
    for number, tile in enumerate(tiling, 1):
        ends = [min(s + n, m) for s, n, m in zip(tile.start, tiling.tile_shape, shape, strict=True)]
        region = tuple(slice(s, e) for s, e in zip(tile.start, ends, strict=True))
        window.begin(tile)
        window.part(region)[:] += number
        whole[region] += number
    window.finish()
    np.testing.assert_array_equal(sink.array(), whole)
    assert len(sink.counts) == tiling.axes[0].count
    assert max(sink.counts) <= tiling.tile_shape[0]


def test_finished_values_are_brought_into_bounds():
    tiling = plan_tiles((8, 8, 8), core=8, halo=0)
    sink = ArraySink((8, 8, 8))
    window = SlabWindow(tiling, sink, bounds=(0.0, 1.0))
    for tile in tiling:
        window.begin(tile)
        window.part(tile.kept)[:] = np.linspace(-1, 2, 512).reshape(8, 8, 8)
    window.finish()
    assert (sink.array().min(), sink.array().max()) == (0.0, 1.0)

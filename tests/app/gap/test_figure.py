from __future__ import annotations

import numpy as np
import pytest
from matplotlib.image import imread

from napari_voxuda.app.gap.figure import save_gap_figure, shown_images, shown_range
from napari_voxuda.app.gap.report import GapReport


def test_the_boxes_have_equal_grey_values_and_the_residual_its_own(gap):
    found = gap(
        0.5, 1.0, residual=np.full((4, 4), 0.1, np.float32) * np.tile([1, -1], 8).reshape(4, 4)
    )
    images = shown_images(found)
    assert list(images) == ["source", "matched", "target", "residual"]
    assert len({images[name][1] for name in ("source", "matched", "target")}) == 1
    assert images["residual"][1] == pytest.approx((-0.25, 0.25))
    assert "matched" not in shown_images(gap(0.5, noise="none"))


def test_the_range_leaves_out_what_is_nearly_empty(gap):
    found = gap(0.5, 1.0)
    assert shown_range(found) == (-5.0, 5.0)
    for one in (found.target, found.source, found.matched):
        one.density[:3] = 0.0
    assert shown_range(found) == (-2.0, 5.0)


def test_a_gap_without_matching_is_drawn_too(gap, tmp_path):
    found = gap(0.5, noise="none")
    save_gap_figure(GapReport(name="tomo", gap=found, sentences=("So.",)), tmp_path / "a.png")
    assert imread(tmp_path / "a.png").std() > 0.1

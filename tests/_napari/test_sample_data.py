from __future__ import annotations

import numpy as np
import pytest


@pytest.mark.parametrize(("key", "visible"), [("tomogram", False), ("small", True)])
def test_samples_open_offline_with_their_truth(make_napari_viewer, key, visible):
    viewer = make_napari_viewer()
    viewer.open_sample("napari-voxuda", key)
    image, truth = viewer.layers
    assert truth.visible is visible
    assert image.data.shape == truth.data.shape
    assert truth.data.max() > 3
    np.testing.assert_array_equal(image.scale, truth.scale)
    assert [str(u) for u in image.units] == ["angstrom"] * 3
    inside = truth.data > 0
    assert image.data[inside].mean() < image.data[~inside].mean()  # protein is dark


def test_samples_are_the_same_every_time():
    from napari_voxuda._napari.sample_data import small_phantom

    first, second = small_phantom(), small_phantom()
    np.testing.assert_array_equal(first[0][0], second[0][0])

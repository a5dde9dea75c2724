from __future__ import annotations

import numpy as np

from napari_voxuda.io.mrc import read_header, read_mrc


def test_an_image_saved_again_has_the_same_header(make_napari_viewer, tomogram_file, tmp_path):
    viewer = make_napari_viewer()
    (layer,) = viewer.open(tomogram_file, plugin="napari-voxuda")
    saved = viewer.layers.save(str(tmp_path / "again.mrc"), plugin="napari-voxuda")
    assert saved == [str(tmp_path / "again.mrc")]
    assert read_header(saved[0]).grid == read_header(tomogram_file).grid
    np.testing.assert_array_equal(read_mrc(saved[0]).data, layer.data)


def test_labels_are_saved_as_a_mask(make_napari_viewer, tomogram_file, tmp_path):
    viewer = make_napari_viewer()
    (image,) = viewer.open(tomogram_file, plugin="napari-voxuda")
    mask = np.zeros(image.data.shape, np.uint16)
    mask[3, 4, 5] = 2
    layer = viewer.add_labels(mask, scale=image.scale, translate=image.translate, units=image.units)
    viewer.layers.selection = {layer}
    (path,) = viewer.layers.save(str(tmp_path / "mask.mrc"), selected=True, plugin="napari-voxuda")
    saved = read_mrc(path)
    assert saved.data.dtype == np.int8
    assert saved.data[3, 4, 5] == 2
    assert saved.grid.voxel_size_angstrom == (12.0,) * 3
    assert saved.grid.origin_angstrom == (120.0, -36.0, 24.0)

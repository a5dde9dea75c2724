from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import FileFormatError, InputError, OutputError
from napari_voxuda.io.ome_zarr import open_ome_zarr, read_ome_zarr
from napari_voxuda.io.zarr_image import write_image_zarr
from napari_voxuda.io.zarr_labels import add_label_to_image

zarr = pytest.importorskip("zarr")

GRID = Grid(voxel_size_angstrom=(10.0, 12.0, 13.6), origin_angstrom=(5.0, -3.0, 0.0))


@pytest.fixture
def labels():
    data = np.zeros((5, 6, 7), np.uint16)
    data[1, 2, 3], data[4, 5, 6], data[2, 2, 2] = 1, 300, 7
    return Volume(data=data, grid=GRID, name="mask")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_labels_in_an_image(tmp_path, labels, version):
    image = tmp_path / "tomogram.zarr"
    write_image_zarr(image, Volume(data=labels.data.astype(np.float32), grid=GRID), version=version)
    for name in ("first", "second"):
        path = add_label_to_image(image, labels, name=name, names={7: "membrane"})
        assert path == image / "labels" / name
    volume = read_ome_zarr(image / "labels" / "second")
    np.testing.assert_array_equal(volume.data, labels.data)
    assert volume.grid == GRID
    assert open_ome_zarr(image / "labels" / "first").version == version
    group = zarr.open_group(image / "labels", mode="r")
    listed = group.attrs["labels"] if version == "0.4" else group.attrs["ome"]["labels"]
    assert listed == ["first", "second"]
    own = dict(zarr.open_group(path, mode="r").attrs)
    described = own if version == "0.4" else own["ome"]
    assert described["image-label"]["source"] == {"image": "../../"}
    assert not [p for p in image.rglob(".*") if p.name.endswith((".part", ".old"))]


def test_labels_in_an_image_are_checked(tmp_path, labels):
    image = tmp_path / "tomogram.zarr"
    write_image_zarr(image, Volume(data=np.zeros((5, 6, 8), np.float32)))
    with pytest.raises(InputError, match=r"labels of the image's shape \(5, 6, 8\)"):
        add_label_to_image(image, labels, name="a")
    assert not (image / "labels").exists()
    write_image_zarr(image, Volume(data=np.zeros((5, 6, 7), np.float32)), overwrite=True)
    for name in ("../escape", "/absolute", "..", "a/b", "nul\0"):
        with pytest.raises(OutputError, match="a plain name"):
            add_label_to_image(image, labels, name=name)
    add_label_to_image(image, labels, name="a")
    with pytest.raises(OutputError, match="it exists"):
        add_label_to_image(image, labels, name="a")
    add_label_to_image(image, labels, name="a", overwrite=True)
    (image / "labels" / ".zattrs").write_text("[")
    with pytest.raises(FileFormatError, match="list of labels"):
        add_label_to_image(image, labels, name="b")

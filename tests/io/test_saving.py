from __future__ import annotations

import json

import numpy as np
import pytest

from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io.picks_file import read_picks
from napari_voxuda.io.saving import is_output_name, save_labels, save_picks, save_values
from napari_voxuda.io.volumes import read_volume

GRID = Grid(voxel_size_angstrom=(10.0,) * 3, origin_angstrom=(5.0, 6.0, 7.0))
LABELS = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)


@pytest.mark.parametrize("name", ["a.mrc", "a.rec.gz", "a.zarr"])
def test_the_name_decides(tmp_path, name):
    if name.endswith("zarr"):
        pytest.importorskip("zarr")
    assert is_output_name(name)
    for save, data in [(save_labels, LABELS), (save_values, LABELS / np.float32(7))]:
        path = tmp_path / save.__name__
        path.mkdir()
        save(path / name, Volume(data=data, grid=GRID), label="a test")
        back = read_volume(path / name)
        np.testing.assert_allclose(back.data, data, rtol=1e-6)
        assert back.grid.voxel_size_angstrom == GRID.voxel_size_angstrom
        assert back.grid.origin_angstrom == GRID.origin_angstrom
        save(path / name, Volume(data=data, grid=GRID), overwrite=True)


@pytest.mark.parametrize("name", ["p.star", "p.json", "p.ndjson"])
def test_positions(tmp_path, name):
    picks = Picks(positions=np.array([[1.0, 2.0, 3.0]]))
    keywords = {"tomogram_name": "TS_1", "voxel_size_angstrom": (10.0,) * 3, "shape": (3, 4, 5)}
    save_picks(tmp_path / name, picks, **keywords)
    back = read_picks(tmp_path / name, voxel_size_angstrom=10.0, shape=(3, 4, 5))
    np.testing.assert_allclose(back.positions, picks.positions, atol=1e-6)
    if name == "p.json":
        assert json.loads((tmp_path / name).read_text())["run_name"] == "TS_1"
    keywords["voxel_size_angstrom"] = None
    if name == "p.ndjson":
        save_picks(tmp_path / name, picks, **keywords)
    else:
        with pytest.raises(InputError, match="voxel size"):
            save_picks(tmp_path / name, picks, **keywords)


def test_other_names_are_refused(tmp_path):
    assert not is_output_name("a.tif")
    picks = Picks(positions=np.zeros((0, 3)))
    with pytest.raises(OutputError, match=r"\.star, \.json, \.ndjson"):
        save_picks(
            tmp_path / "p.txt", picks, tomogram_name="a", voxel_size_angstrom=None, shape=(1, 1, 1)
        )

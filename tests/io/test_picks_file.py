from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.data.picks import Picks
from napari_voxuda.errors import FileFormatError, InputError
from napari_voxuda.io.copick import CopickOwner
from napari_voxuda.io.copick_picks import write_copick_picks
from napari_voxuda.io.ndjson import write_ndjson_picks
from napari_voxuda.io.picks_file import is_picks_name, read_picks
from napari_voxuda.io.star import write_star_picks

SHAPE = (50, 60, 70)
PICKS = Picks(positions=np.array([[1.0, 2.0, 3.0], [49.0, 59.0, 69.0]]))


def write(path):
    if path.suffix == ".star":
        write_star_picks(path, PICKS, tomogram_name="a", voxel_size_angstrom=10.0, shape=SHAPE)
    elif path.suffix == ".json":
        write_copick_picks(path, PICKS, owner=CopickOwner(), run="a", voxel_size_angstrom=10.0)
    elif path.suffix == ".ndjson":
        write_ndjson_picks(path, PICKS)
    else:
        path.write_text("z_voxel,y_voxel,x_voxel\n1,2,3\n49,59,69\n")


@pytest.mark.parametrize("name", ["p.star", "p.json", "p.ndjson", "p.csv"])
def test_each_format_gives_the_same_positions(tmp_path, name):
    write(tmp_path / name)
    assert is_picks_name(name.upper())
    found = read_picks(tmp_path / name, voxel_size_angstrom=10.0, shape=SHAPE)
    np.testing.assert_allclose(found.positions, PICKS.positions, atol=1e-6)


@pytest.mark.parametrize("name", ["p.star", "p.json"])
def test_angstrom_need_a_voxel_size(tmp_path, name):
    write(tmp_path / name)
    with pytest.raises(InputError, match="voxel size is unknown"):
        read_picks(tmp_path / name, voxel_size_angstrom=None, shape=SHAPE)


def test_other_files_are_refused(tmp_path):
    assert not is_picks_name("p.txt")
    with pytest.raises(FileFormatError, match=r"\.star, \.json, \.ndjson, \.csv"):
        read_picks(tmp_path / "p.txt", voxel_size_angstrom=10.0, shape=SHAPE)


def test_a_real_star_file(shared_data):
    picks = read_picks(
        shared_data / "formats" / "relion5_particles.star",
        voxel_size_angstrom=24.0,
        shape=(125, 500, 500),
        tomogram_name="Unt_088",
    )
    assert len(picks) == 10
    # The last row is 83.533, 522.094, 173.419 (x, y, z) in pixels of 12 Å: half as many of 24 Å.
    np.testing.assert_allclose(picks.positions[-1], [86.7095, 261.047, 41.7665])

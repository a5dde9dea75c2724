from __future__ import annotations

import csv

import numpy as np
import pytest

from napari_voxuda.data.volume import Grid
from napari_voxuda.errors import FileFormatError
from napari_voxuda.io.table import PARTICLE_COLUMNS, read_csv_picks, write_particles_csv
from napari_voxuda.segmentation.particles import Particle

PARTICLES = [
    Particle(label=1, centroid=(1.0, 2.5, 30.25), voxels=40, volume_angstrom3=40e3, mean_probability=0.87654),
    Particle(label=2, centroid=(0.0, 0.0, 0.0), voxels=1, volume_angstrom3=1e3, mean_probability=1.0),
]  # fmt: skip


def rows(path):
    with path.open(newline="") as stream:
        return list(csv.reader(stream))


def test_positions_in_angstrom_hold_the_origin_but_not_the_start(tmp_path):
    grid = Grid(
        voxel_size_angstrom=(10.0, 10.0, 10.0), origin_angstrom=(-5.0, 0.0, 100.5), nstart=(9, 9, 9)
    )
    write_particles_csv(tmp_path / "p.csv", PARTICLES, grid)
    assert rows(tmp_path / "p.csv") == [
        list(PARTICLE_COLUMNS),
        ["1", "1.00", "2.50", "30.25", "5.00", "25.00", "403.00", "40", "40000.0", "0.8765"],
        ["2", "0.00", "0.00", "0.00", "-5.00", "0.00", "100.50", "1", "1000.0", "1.0000"],
    ]


def test_unknown_voxel_size_leaves_cells_empty(tmp_path):
    particle = Particle(label=3, centroid=(1.0, 1.0, 1.0), voxels=5, volume_angstrom3=None, mean_probability=0.5)  # fmt: skip
    write_particles_csv(tmp_path / "p.csv", [particle], Grid())
    assert rows(tmp_path / "p.csv")[1] == [
        "3",
        "1.00",
        "1.00",
        "1.00",
        "",
        "",
        "",
        "5",
        "",
        "0.5000",
    ]


def test_no_particles_give_a_header_alone(tmp_path):
    write_particles_csv(tmp_path / "p.csv", [], Grid())
    assert rows(tmp_path / "p.csv") == [list(PARTICLE_COLUMNS)]


def test_positions_come_back_from_a_table(tmp_path):
    particles = [
        Particle(
            label=n,
            centroid=(1.25, 20.5, 3.0 * n),
            voxels=10,
            volume_angstrom3=None,
            mean_probability=0.5 + n / 10,
        )
        for n in (1, 2)
    ]
    write_particles_csv(tmp_path / "t.csv", particles, Grid())
    picks = read_csv_picks(tmp_path / "t.csv", shape=(10, 30, 10))
    np.testing.assert_array_equal(picks.positions, [[1.25, 20.5, 3.0], [1.25, 20.5, 6.0]])
    np.testing.assert_allclose(picks.scores, [0.6, 0.7])


@pytest.mark.parametrize(
    "text",
    ["index,axis-0,axis-1,axis-2\n0,1.0,2.0,3.0\n", " z , y , x\n1, 2, 3\n\n", "x,y,z\n3,2,1"],
)
def test_tables_of_others(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    picks = read_csv_picks(tmp_path / "t.csv", shape=(10, 30, 10))
    np.testing.assert_array_equal(picks.positions, [[1, 2, 3]])
    assert picks.scores is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "columns z_voxel, y_voxel, x_voxel was wanted, got a, b"),
        ("", "got nothing"),
        ("z,y,x\n1,2\n", "numbers were wanted in row 2"),
        ("z,y,x\n1,2,3\n1,2,a\n", "numbers were wanted in row 3"),
        ("z,y,x\n1,2,nan\n", "finite numbers were wanted in row 2"),
        ('z,y,x\n1,2,"3\n', "numbers"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path, text, words):
    (tmp_path / "t.csv").write_text(text)
    if words == "numbers":  # an open quotation mark: the csv module takes what there is
        assert len(read_csv_picks(tmp_path / "t.csv", shape=(10, 30, 10))) == 1
        return
    with pytest.raises(FileFormatError, match=words):
        read_csv_picks(tmp_path / "t.csv", shape=(10, 30, 10))

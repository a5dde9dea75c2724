from __future__ import annotations

import csv

from napari_voxuda.data.volume import Grid
from napari_voxuda.io.table import PARTICLE_COLUMNS, write_particles_csv
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

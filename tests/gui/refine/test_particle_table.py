from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_voxuda.gui.refine.particle_table import ParticleTable
from napari_voxuda.segmentation.particles import Particle

_DOWN, _UP = Qt.SortOrder.DescendingOrder, Qt.SortOrder.AscendingOrder


def _particle(label, volume, probability=0.5, centre=(1.0, 2.0, 3.0)):
    return Particle(
        label=label,
        centroid=centre,
        voxels=10,
        volume_angstrom3=volume,
        mean_probability=probability,
    )


@pytest.fixture
def table(qtbot):
    made = ParticleTable()
    qtbot.addWidget(made)
    made.set_particles(
        [_particle(1, 50.0, 0.7), _particle(2, 20.0, 0.9), _particle(5, 1234567.0, 0.8)]
    )
    return made


def _labels(table):
    return [table.particles.label(row) for row in range(table.particles.rowCount())]


def _cell(table, row, column):
    return table.particles.data(table.particles.index(row, column))


def test_the_largest_comes_first_and_a_heading_sorts(table):
    assert _labels(table) == [5, 1, 2]
    assert _cell(table, 0, 1) == "1 234 567"
    table.sortByColumn(5, _UP)
    assert _labels(table) == [1, 5, 2]
    assert _cell(table, 0, 5) == "0.70"


def test_the_selection_stays_with_its_particle(table):
    table.choose([2])
    table.sortByColumn(0, _DOWN)
    assert table.chosen() == [2]
    table.set_particles([_particle(2, 99.0), _particle(3, 1.0)])
    assert table.chosen() == [2]
    table.set_particles([_particle(3, 1.0)])
    assert table.chosen() == []


def test_a_click_names_the_place_and_delete_deletes(table, qtbot):
    table.set_particles([_particle(4, 1.0, centre=(7.0, 8.0, 9.0))])
    with qtbot.waitSignal(table.visited) as visited:
        table.clicked.emit(table.particles.index(0, 0))
    assert visited.args == [(7.0, 8.0, 9.0)]
    with qtbot.waitSignal(table.deleted):
        qtbot.keyClick(table, Qt.Key.Key_Delete)


def test_voxels_stand_where_the_size_is_unknown(table):
    table.set_particles([_particle(1, None)])
    assert _cell(table, 0, 1) == "10"


def test_ten_thousand_rows_ask_for_no_more_cells_than_are_seen(table, monkeypatch, qtbot):
    rng = np.random.default_rng(0)
    many = [_particle(n, float(v)) for n, v in enumerate(rng.random(10_000), 1)]
    asked = []
    data = table.particles.data
    monkeypatch.setattr(table.particles, "data", lambda *a: asked.append(a) or data(*a))
    table.resize(300, 200)
    table.show()
    qtbot.waitExposed(table)
    table.set_particles(many)
    table.sortByColumn(1, _UP)
    qtbot.wait(50)
    assert table.particles.rowCount() == 10_000
    assert len(asked) < 5_000
    volumes = [table.particles._values[i, 1] for i in table.particles._order]
    assert volumes == sorted(volumes)


def test_headings_explain_themselves(table):
    for column in range(table.particles.columnCount()):
        tip = table.particles.headerData(
            column, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole
        )
        assert tip.endswith(".")

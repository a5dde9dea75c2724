from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.adapt.task import adapt_task
from napari_voxuda.app.jobs import AdaptJob
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.io.mrc import write_mrc
from napari_voxuda.networks.settings import NetworkSettings
from napari_voxuda.simulation.settings import SourceSettings

_TIMEOUT = 120_000  # milliseconds; a bound for a broken test, not a measure of speed


@pytest.fixture
def tomogram_file(tmp_path) -> Path:
    """An MRC file of 20 by 40 by 48 voxels of 12 Å with an origin: dark blobs in noise."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(20, 40, 48)).astype(np.float32)
    z, y, x = np.indices(values.shape)
    for centre in ((10, 12, 12), (10, 28, 30)):
        inside = sum((a - c) ** 2 for a, c in zip((z, y, x), centre, strict=True)) < 25
        values[inside] -= 3.0
    grid = Grid(origin_angstrom=(120.0, -36.0, 24.0), nstart=(1, 2, 3)).with_voxel_size(12.0)
    path = tmp_path / "tomo.mrc"
    write_mrc(path, Volume(data=values, grid=grid, name="tomo"))
    return path


@pytest.fixture
def viewer(make_napari_viewer, tomogram_file):
    """A viewer that shows the tomogram."""
    viewer = make_napari_viewer()
    viewer.open(tomogram_file, plugin="napari-voxuda")
    return viewer


@pytest.fixture
def until(qtbot):
    """Wait, with the event loop running, until a condition holds."""

    def wait(condition: Callable[[], object]) -> None:
        qtbot.waitUntil(lambda: bool(condition()), timeout=_TIMEOUT)

    return wait


@pytest.fixture
def adapt(viewer, tmp_path):
    """The dock *Vox-UDA adapt*, set to a tiny run in a thread of the viewer."""
    dock = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA adapt")[1]
    dock.training.run_row.set_paths([tmp_path / "run"])
    dock.training.place_box.setCurrentIndex(dock.training.place_box.findData("thread"))
    settings = dock.training.form
    for name, value in {
        "steps": 4,
        "batch": 2,
        "pseudo_start": 0.0,
        "preview_every": 2,
        "checkpoint_every": 2,
    }.items():
        settings.fields[name].setValue(value)
    for name, value in {"stem": 2, "body": 4, "head": 1}.items():
        settings.nested["network"].fields[name].setValue(value)
    for name, value in {"count": 4, "box": 16, "neighbours": 0}.items():
        dock.source.form.fields[name].setValue(value)
    return dock


@pytest.fixture
def run(tomogram_file, tmp_path):
    """A finished run of a tiny network."""
    job = AdaptJob(
        target=tomogram_file,
        out=tmp_path / "run",
        source=SourceSettings(count=4, box=16, neighbours=0),
        settings=AdaptSettings(
            steps=2,
            batch=2,
            pseudo_labels="none",
            network=NetworkSettings(stem=2, body=4, head=1),
            mirrors=False,
        ),
        contrast="dark",
    )
    for _ in adapt_task(job):
        pass
    return job.out

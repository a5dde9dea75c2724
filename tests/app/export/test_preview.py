from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from napari_voxuda.app.export.preview import preview_export
from napari_voxuda.app.export.task import ExportJob, export_all_task
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io.mrc import read_header

GRID = Grid(voxel_size_angstrom=(10.0,) * 3, origin_angstrom=(1.0, 2.0, 3.0), nstart=(4, 5, 6))
EXACT = ("mrc", "mrc-per-label", "probability-mrc")
TEXT = ("copick-picks", "relion5", "relion4", "ndjson", "csv")
ZARR = ("zarr", "zarr-per-label", "probability-zarr", "copick-segmentation", "copick-multilabel")


@pytest.fixture
def job(tmp_path):
    data = np.zeros((20, 30, 40), np.int64)
    data[2:5, 4:7, 6:9] = 1
    data[10, 20, 30] = 200
    labels = Volume(data=data, grid=GRID, name="TS_01")
    probability = labels.with_data(np.where(data > 0, 0.75, 0).astype(np.float32), name="p")
    return ExportJob(
        labels=labels,
        formats=EXACT + TEXT,
        folder=tmp_path,
        name="TS_01",
        probability=probability,
        coordinate_pixel_angstrom=2.0,
    )


def _run(jobs):
    task = export_all_task(jobs)
    while True:
        try:
            next(task)
        except StopIteration as stop:
            return stop.value


def test_names_sizes_and_first_lines_are_those_of_the_files(job, tmp_path):
    preview = preview_export([job])
    assert os.listdir(tmp_path) == []
    assert preview.particles == 2
    result = _run([job])
    assert [f.planned.path for f in preview.files] == [f.path for f in result.files]
    for file in preview.files:
        path = file.planned.path
        assert file.is_exact
        assert path.stat().st_size == file.size_bytes
        if file.planned.format in TEXT:
            assert path.read_text().startswith(file.head.removesuffix("\n…"))
        else:
            grid = read_header(path).grid
            assert file.nstart == grid.nstart == (4, 5, 6)
            assert file.planned.origin_angstrom == grid.origin_angstrom
    again = preview_export([job])
    assert again.existing == len(again.files)
    assert again.problem == ""


def test_the_size_of_packed_formats_is_a_bound(job):
    pytest.importorskip("zarr", reason="OME-Zarr needs the optional package zarr")
    made = replace(job, formats=ZARR)
    preview = preview_export([made])
    _run([made])
    for file in preview.files:
        assert not file.is_exact
        values = sum(f.stat().st_size for f in file.planned.path.rglob("*") if f.name[0].isdigit())
        assert values <= file.size_bytes
    assert [f.dtype for f in preview.files if "copick" in f.planned.format] == ["int8", "uint8"]


def test_long_texts_are_cut(job):
    data = np.zeros((20, 30, 40), np.uint8)
    data[::4, ::4, ::4] = 1
    many = replace(job, labels=replace(job.labels, data=data), formats=("csv",))
    (file,) = preview_export([many]).files
    lines = file.head.splitlines()
    assert lines[-1] == "…"
    assert len(lines) == 25
    assert lines[0].startswith("label,z_voxel")


def test_what_cannot_be_written_is_told_beside_the_rest(job, tmp_path):
    made = replace(job, formats=("mrc", "csv"), protected=(tmp_path / "TS_01.mrc",), overwrite=True)
    preview = preview_export([made])
    assert "this is an input" in preview.files[0].problem == preview.problem
    assert preview.files[1].problem == ""
    with pytest.raises(OutputError, match="this is an input"):
        _run([made])


def test_two_masks_of_one_name_are_refused_before_anything_is_written(job, tmp_path):
    made = replace(job, formats=("mrc",))
    assert "two outputs" in preview_export([made, made]).problem
    with pytest.raises(OutputError, match="two outputs"):
        _run([made, made])
    assert os.listdir(tmp_path) == []
    _run([made, replace(made, name="other")])
    assert len(list(tmp_path.glob("*.mrc"))) == 2


def test_a_tomogram_is_no_probability(job):
    wrong = job.labels.with_data(np.full(job.labels.shape, -20.0, np.float32), name="tomo")
    with pytest.raises(InputError, match="tomo: probabilities from 0 to 1"):
        preview_export([replace(job, probability=wrong)])

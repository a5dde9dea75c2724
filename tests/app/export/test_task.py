from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from napari_voxuda._types import Progress
from napari_voxuda.app.export.task import ExportJob, export_task, plan_export
from napari_voxuda.app.provenance import Provenance
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io.copick import CopickOwner
from napari_voxuda.io.mrc import read_mrc
from napari_voxuda.io.picks_file import read_picks
from napari_voxuda.io.provenance import finished, hash_path, read_sidecar
from napari_voxuda.io.volumes import read_volume

GRID = Grid(
    voxel_size_angstrom=(10.0,) * 3, origin_angstrom=(100.0, 200.0, 300.0), nstart=(1, 2, 3)
)
SHAPE = (20, 30, 40)
PLACES = np.array([[3.0, 5.0, 7.0], [10.0, 20.0, 30.0]])  # (z, y, x) of the larger and the smaller


@pytest.fixture
def labels() -> Volume:
    """Labels 1 and 2: a cube of 3 voxels around the first place, one voxel at the second."""
    data = np.zeros(SHAPE, np.uint8)
    data[2:5, 4:7, 6:9] = 1
    data[10, 20, 30] = 2
    return Volume(data=data, grid=GRID, name="TS_01")


def job(labels: Volume, folder: Path, *formats: str, **changes: object) -> ExportJob:
    values = {"labels": labels, "formats": formats, "folder": folder, "name": "TS_01", **changes}
    return ExportJob(**values)  # type: ignore[arg-type]


def export(made: ExportJob):
    task = export_task(made)
    events = []
    while True:
        try:
            events.append(next(task))
        except StopIteration as stop:
            return stop.value, events


def test_positions_in_every_format_worked_by_hand(labels: Volume, tmp_path: Path) -> None:
    made = job(
        labels,
        tmp_path,
        *("relion5", "relion4", "copick-picks", "ndjson", "csv"),
        coordinate_pixel_angstrom=2.0,
        owner=CopickOwner(user="jane", session="1", object_name="ribosome"),
    )
    result, events = export(made)
    assert result.particles == 2
    assert isinstance(events[-1], Progress)
    relion5, relion4, copick, ndjson, table = (file.path for file in result.files)
    # The middle of 40 x 30 x 20 voxels (x, y, z) is at 20, 15, 10.
    rows = [r.split() for r in relion5.read_text().splitlines() if r.startswith("TS_01")]
    assert [float(v) for v in rows[0][1:4]] == [-130.0, -100.0, -70.0]
    assert [float(v) for v in rows[1][1:4]] == [100.0, 50.0, 0.0]
    rows = [r.split() for r in relion4.read_text().splitlines() if r.startswith("TS_01")]
    assert [float(v) for v in rows[0][1:4]] == [
        35.0,
        25.0,
        15.0,
    ]  # 7 voxels of 10 Å in pixels of 2 Å
    assert "_rlnTomoTiltSeriesPixelSize" in relion4.read_text()
    assert json.loads(copick.read_text())["points"][0]["location"] == {
        "x": 70.0,
        "y": 50.0,
        "z": 30.0,
    }
    assert json.loads(ndjson.read_text().splitlines()[1])["location"] == {
        "x": 30.0,
        "y": 20.0,
        "z": 10.0,
    }
    with table.open() as stream:
        row = next(csv.DictReader(stream))
    assert (row["x_voxel"], row["x_angstrom"], row["z_angstrom"]) == ("7.00", "370.00", "130.00")
    assert copick == tmp_path / "ExperimentRuns" / "TS_01" / "Picks" / "jane_1_ribosome.json"
    for path in (relion5, relion4, copick, ndjson, table):
        back = read_picks(path, voxel_size_angstrom=10.0, shape=SHAPE, tomogram_name="TS_01")
        np.testing.assert_allclose(back.positions, PLACES, atol=1e-3)
    firsts = [file.first for file in result.files]
    assert firsts[0] == (-130.0, -100.0, -70.0)
    assert firsts[1] == (35.0, 25.0, 15.0)
    assert firsts[2] == (70.0, 50.0, 30.0)
    assert firsts[3] == (7.0, 5.0, 3.0)


def test_labels_in_every_format(labels: Volume, tmp_path: Path) -> None:
    pytest.importorskip("zarr", reason="OME-Zarr needs the optional package zarr")
    made = job(
        labels, tmp_path, "mrc", "zarr", "mrc-per-label", "zarr-per-label", label_names={2: "a/b"}
    )
    result, _ = export(made)
    assert [file.path.name for file in result.files] == [
        "TS_01.mrc",
        "TS_01.zarr",
        "TS_01_label1_segmentationmask.mrc",
        "TS_01_a_b_segmentationmask.mrc",
        "TS_01_label1_segmentationmask.zarr",
        "TS_01_a_b_segmentationmask.zarr",
    ]
    for file in result.files:
        volume = read_volume(file.path)
        wanted = labels.data if file.label is None else labels.data == file.label
        np.testing.assert_array_equal(volume.data, wanted)
        assert volume.grid.voxel_size_angstrom == file.voxel_size_angstrom == (10.0,) * 3
        assert volume.grid.origin_angstrom == file.origin_angstrom == (100.0, 200.0, 300.0)
    assert read_mrc(result.files[0].path).grid.nstart == (1, 2, 3)
    assert result.particles is None


def test_a_copick_project_is_written_into(labels: Volume, tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr", reason="OME-Zarr needs the optional package zarr")
    (tmp_path / "overlay" / "ExperimentRuns" / "TS_01").mkdir(parents=True)
    project = tmp_path / "project.json"
    content = {"overlay_root": "overlay", "pickable_objects": [{"name": "ribosome", "label": 2}]}
    project.write_text(json.dumps(content))
    owner = CopickOwner(user="jane", session="2", object_name="ribosome")
    formats = ("copick-segmentation", "copick-multilabel", "copick-picks")
    made = job(labels, tmp_path / "unused", *formats, owner=owner, project=project)
    assert [file.note for file in plan_export(made)] == ["", "", ""]
    result, _ = export(made)
    run = tmp_path / "overlay" / "ExperimentRuns" / "TS_01"
    assert [file.path.relative_to(run).as_posix() for file in result.files] == [
        "Segmentations/10.000_jane_2_ribosome.zarr",
        "Segmentations/10.000_jane_2_ribosome-multilabel.zarr",
        "Picks/jane_2_ribosome.json",
    ]
    binary, multilabel = (zarr.open_group(f.path, mode="r") for f in result.files[:2])
    assert binary["0"].dtype == np.int8
    np.testing.assert_array_equal(binary["0"][:], labels.data != 0)
    np.testing.assert_array_equal(multilabel["0"][:], labels.data)
    (dataset,) = binary.attrs["multiscales"][0]["datasets"]
    assert dataset["coordinateTransformations"] == [{"type": "scale", "scale": [10.0, 10.0, 10.0]}]
    assert not (tmp_path / "unused").exists()
    # copick takes every *.json in the folder for picks, so the record has another name.
    assert sorted(os.listdir(run / "Picks")) == [
        "jane_2_ribosome.json",
        "jane_2_ribosome.json.provenance",
    ]
    assert len(list((run / "Segmentations").glob("*.zarr"))) == 2
    other = job(labels, tmp_path, "copick-picks", project=project, run="TS_9")
    assert plan_export(other)[0].note == (
        "The project has no object particle; add it to project.json. "
        "The project has no run TS_9 yet."
    )


def test_labels_go_into_an_image(labels: Volume, tmp_path: Path) -> None:
    pytest.importorskip("zarr", reason="OME-Zarr needs the optional package zarr")
    from napari_voxuda.io.zarr_image import write_image_zarr

    write_image_zarr(tmp_path / "tomo.zarr", labels, version="0.5")
    result, _ = export(
        job(labels, tmp_path, "zarr-in-image", image=tmp_path / "tomo.zarr", name="cells")
    )
    assert result.files[0].path == tmp_path / "tomo.zarr" / "labels" / "cells"
    np.testing.assert_array_equal(read_volume(result.files[0].path).data, labels.data)


def test_probabilities(labels: Volume, tmp_path: Path) -> None:
    pytest.importorskip("zarr", reason="OME-Zarr needs the optional package zarr")
    probability = labels.with_data(np.full(SHAPE, 0.75, np.float32))
    formats = ("probability-mrc", "probability-zarr", "csv")
    result, _ = export(job(labels, tmp_path, *formats, probability=probability))
    for file in result.files[:2]:
        np.testing.assert_array_equal(read_volume(file.path).data, probability.data)
    assert "0.7500" in (tmp_path / "TS_01.csv").read_text()
    with pytest.raises(InputError, match="needs a probability"):
        plan_export(job(labels, tmp_path, "probability-mrc"))
    with pytest.raises(InputError, match="a probability of the labels' shape"):
        job(labels, tmp_path, "mrc", probability=Volume(data=np.zeros((2, 2, 2))))


def test_what_counts_as_a_particle(labels: Volume, tmp_path: Path) -> None:
    mask = labels.with_data((labels.data > 0).astype(np.uint8))
    for volume, choice, wanted in [
        (labels, "auto", 2),
        (mask, "auto", 2),
        (mask, "labels", 1),
        (labels, "components", 2),
    ]:
        made = job(volume, tmp_path, "ndjson", particles_from=choice, overwrite=True)
        assert export(made)[0].particles == wanted


def test_every_file_is_signed(labels: Volume, tmp_path: Path) -> None:
    result, _ = export(job(labels, tmp_path, "mrc", "csv"))
    for file in result.files:
        record = read_sidecar(file.path)
        assert record["task"] == "export"
        assert record["output"]["sha256"] == finished(hash_path(file.path))
        assert record["inputs"][0]["values_sha256"]
    origin = Provenance(task="segment", seed=4, settings={"threshold": 0.5})
    result, events = export(job(labels, tmp_path, "mrc", provenance=origin, overwrite=True))
    record = read_sidecar(result.files[0].path)
    assert (record["task"], record["seed"]) == ("segment", 4)
    assert record["settings"]["threshold"] == 0.5
    assert record["settings"]["export"]["formats"] == ["mrc"]
    assert not any(getattr(e, "stage", "") == "Hashing inputs" for e in events)


def test_a_plan_writes_nothing(labels: Volume, tmp_path: Path) -> None:
    planned = plan_export(job(labels, tmp_path, "mrc", "relion5", "copick-segmentation"))
    assert [file.kind for file in planned] == ["labels", "picks", "segmentation"]
    assert planned[1].first is None
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_done_is_refused_before_anything_is_written(
    labels: Volume, tmp_path: Path
) -> None:
    unknown = Volume(data=labels.data)
    with pytest.raises(InputError, match="relion5 needs the voxel size"):
        export(job(unknown, tmp_path, "mrc", "relion5"))
    with pytest.raises(InputError, match="formats among"):
        job(labels, tmp_path, "png")
    with pytest.raises(InputError, match="formats among"):
        job(labels, tmp_path)
    with pytest.raises(InputError, match="needs an OME-Zarr image"):
        export(job(labels, tmp_path, "mrc", "zarr-in-image"))
    with pytest.raises(OutputError, match="does not exist"):
        export(job(labels, tmp_path / "none", "mrc"))
    assert os.listdir(tmp_path) == []
    (tmp_path / "TS_01.csv").write_text("mine")
    with pytest.raises(OutputError, match="it exists"):
        export(job(labels, tmp_path, "mrc", "csv"))
    (tmp_path / "TS_01.mrc.json").write_text("{}")
    with pytest.raises(OutputError, match="another file has this name"):
        export(job(labels, tmp_path, "mrc"))
    assert sorted(os.listdir(tmp_path)) == ["TS_01.csv", "TS_01.mrc.json"]


@pytest.mark.parametrize("name", ["../x", "/abs/x", "a/../../x", "CON", "x" * 5000, "a\0b"])
def test_names_do_not_lead_out_of_the_folder(labels: Volume, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    formats = ("mrc", "relion5", "mrc-per-label", "copick-picks")
    made = job(labels, folder, *formats, name=name, run=name, label_names={1: name})
    result, _ = export(made)
    assert all(file.path.resolve().is_relative_to(folder) for file in result.files)
    assert os.listdir(tmp_path) == ["out"]


def test_an_input_is_not_replaced(labels: Volume, tmp_path: Path) -> None:
    export(job(labels, tmp_path, "mrc"))
    source = read_mrc(tmp_path / "TS_01.mrc")
    with pytest.raises(OutputError, match="this is an input"):
        export(job(source, tmp_path, "mrc", overwrite=True))

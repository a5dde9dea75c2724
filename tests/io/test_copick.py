from __future__ import annotations

import json

import pytest

from napari_voxuda.data.volume import Grid
from napari_voxuda.errors import FileFormatError, InputError, OutputError
from napari_voxuda.io.copick import (
    CopickOwner,
    copick_voxel_size,
    is_copick_project,
    picks_name,
    read_copick_project,
    run_of,
    segmentation_name,
)

OWNER = CopickOwner(user="jane", session="3", object_name="ribosome")


@pytest.fixture
def project(tmp_path):
    """A project as copick lays it out, with empty tomograms."""
    for place in (
        "static/ExperimentRuns/TS_01/VoxelSpacing10.000/wbp.zarr",
        "static/ExperimentRuns/TS_01/VoxelSpacing10.000/denoised.zarr",
        "static/ExperimentRuns/TS_01/VoxelSpacing10.000/wbp_sam_features.zarr",
        "static/ExperimentRuns/TS_02/VoxelSpacing7.840/wbp.zarr",
        "overlay/ExperimentRuns/TS_02/VoxelSpacing7.840/wbp.zarr",
        "overlay/ExperimentRuns/TS_03/Picks",
        "overlay/ExperimentRuns/.hidden",
    ):
        (tmp_path / place).mkdir(parents=True)
    path = tmp_path / "project.json"
    content = {
        "config_type": "filesystem",
        "name": "test",
        "pickable_objects": [
            {"name": "ribosome", "is_particle": True, "label": 2},
            {"name": "membrane", "is_particle": False, "label": 1},
        ],
        "overlay_root": f"local://{tmp_path / 'overlay'}",
        "overlay_fs_args": {"auto_mkdir": True},
        "static_root": f"local://{tmp_path / 'static'}",
        "user_id": "jane",
    }
    path.write_text(json.dumps(content))
    return path


def change(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_project_is_read(project, tmp_path):
    assert is_copick_project(project)
    found = read_copick_project(project)
    assert (found.name, found.user, found.session) == ("test", "jane", None)
    assert found.objects == {"ribosome": 2, "membrane": 1}
    assert found.runs() == ["TS_01", "TS_02", "TS_03"]
    tomograms = found.tomograms()
    assert [(t.run, t.voxel_size_angstrom, t.kind) for t in tomograms] == [
        ("TS_01", 10.0, "denoised"),
        ("TS_01", 10.0, "wbp"),
        ("TS_02", 7.84, "wbp"),
    ]
    assert tomograms[2].path.is_relative_to(tmp_path / "overlay")
    assert run_of(tomograms[0].path) == "TS_01"


@pytest.mark.parametrize("root", ["overlay", "file://{}/overlay", "{}/overlay"])
def test_ways_to_name_a_folder(project, tmp_path, root):
    change(project, overlay_root=root.format(tmp_path), static_root=None)
    found = read_copick_project(project)
    assert found.overlay == tmp_path / "overlay"
    assert found.runs() == ["TS_02", "TS_03"]


def test_names_are_those_that_copick_looks_for(project, tmp_path):
    found = read_copick_project(project)
    run = tmp_path / "overlay" / "ExperimentRuns" / "TS_01"
    assert found.picks_path("TS_01", OWNER) == run / "Picks" / "jane_3_ribosome.json"
    assert found.segmentation_path("TS_01", OWNER, 10.0) == (
        run / "Segmentations" / "10.000_jane_3_ribosome.zarr"
    )
    assert segmentation_name(OWNER, 13.4804, multilabel=True) == (
        "13.480_jane_3_ribosome-multilabel.zarr"
    )


def test_names_cannot_be_taken_apart_wrongly():
    owner = CopickOwner(user="jane_doe", session="a/b c", object_name="80S_ribosome")
    assert picks_name(owner) == "jane-doe_a-b-c_80S-ribosome.json"
    with pytest.raises(InputError, match="copick user"):
        CopickOwner(user="..")


@pytest.mark.parametrize("run", ["..", "../../x", "/abs", "a/b", "", "x\0"])
def test_runs_do_not_lead_out_of_the_project(project, run):
    with pytest.raises(OutputError, match="a plain name"):
        read_copick_project(project).picks_path(run, OWNER)


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"overlay_root": "s3://bucket/x"}, InputError, "on this machine was wanted, got s3"),
        ({"static_root": "ssh:///data"}, InputError, "on this machine was wanted, got ssh"),
        ({"config_type": "cryoet_data_portal"}, InputError, "type filesystem was wanted"),
        ({"overlay_root": 3}, FileFormatError, "JSON file of a copick project"),
        ({"pickable_objects": {}}, FileFormatError, "JSON file of a copick project"),
        ({"overlay_root": ""}, FileFormatError, "name of a folder"),
    ],
)
def test_what_is_refused(project, values, error, words):
    change(project, **values)
    with pytest.raises(error, match=words):
        read_copick_project(project)


def test_other_json_files_are_no_projects(tmp_path):
    for name, text in [("a.json", "[]"), ("b.json", "{"), ("c.json", "{}"), ("d.txt", "{}")]:
        (tmp_path / name).write_text(text)
        assert not is_copick_project(tmp_path / name)


def test_copick_keeps_one_voxel_size():
    assert copick_voxel_size(Grid(voxel_size_angstrom=(10.0, 10.0, 10.001)), "a") == pytest.approx(
        10, rel=1e-3
    )
    with pytest.raises(InputError, match="needs the voxel size"):
        copick_voxel_size(Grid(), "a")
    with pytest.raises(InputError, match="cubic"):
        copick_voxel_size(Grid(voxel_size_angstrom=(10.0, 10.0, 11.0)), "a")


def test_other_places_are_in_no_run(tmp_path):
    assert run_of(tmp_path / "TS_01" / "VoxelSpacing10.000" / "wbp.zarr") is None
    assert run_of(tmp_path / "a.zarr") is None

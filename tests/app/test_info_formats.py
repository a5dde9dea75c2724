from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_voxuda.app.info import describe
from napari_voxuda.app.provenance import Provenance, sign
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import FileFormatError
from napari_voxuda.io.copick import CopickOwner
from napari_voxuda.io.copick_picks import write_copick_picks
from napari_voxuda.io.mrc import write_mask
from napari_voxuda.io.ndjson import write_ndjson_picks

PICKS = Picks(positions=np.ones((3, 3)))
NOISE = np.random.default_rng(0).normal(size=(10, 12, 14)).astype(np.float32)


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    data = np.zeros((4, 5, 6), np.uint8)
    data[1, 2, 3] = 1
    write_mask(tmp_path / "mask.mrc", Volume(data=data))
    sign(tmp_path / "mask.mrc", "mask", Provenance(task="segment", settings={"threshold": 0.25}))
    return tmp_path / "mask.mrc"


def test_an_output_tells_where_it_comes_from(mask: Path) -> None:
    told = describe(mask)
    assert told["provenance"]["task"] == "segment"
    assert told["provenance"]["settings"] == {"threshold": 0.25}
    assert not any("changed" in w for w in told["warnings"])
    assert json.loads(json.dumps(told)) == told


def test_an_output_that_has_changed_is_told(mask: Path) -> None:
    raw = bytearray(mask.read_bytes())
    raw[-1] ^= 1
    mask.write_bytes(raw)
    assert any("has changed since its record" in w for w in describe(mask)["warnings"])


def test_a_record_can_be_shown_itself(mask: Path) -> None:
    told = describe(mask.with_name("mask.mrc.json"))
    assert (told["kind"], told["task"]) == ("provenance", "segment")
    assert told["output"]["name"] == "mask.mrc"


def test_zarr(tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    from napari_voxuda.io.zarr_image import write_image_zarr

    grid = Grid(voxel_size_angstrom=(8.0, 9.0, 10.0), origin_angstrom=(1.0, 2.0, 3.0))
    write_image_zarr(tmp_path / "a.zarr", Volume(data=NOISE, grid=grid), version="0.5", levels=2)
    sign(tmp_path / "a.zarr", "probability", Provenance(task="export"))
    told = describe(tmp_path / "a.zarr")
    assert (told["kind"], told["format"], told["version"]) == ("volume", "OME-Zarr", "0.5")
    assert told["voxel_size_angstrom"] == [8.0, 9.0, 10.0]
    assert [level["shape"] for level in told["levels"]] == [[10, 12, 14], [5, 6, 7]]
    assert told["contrast"]["contrast"] in ("bright", "dark")
    assert told["provenance"]["task"] == "export"
    assert told["warnings"] == ["The voxels are no cubes; they are kept as they are."]
    (tmp_path / "a.zarr" / "more").write_text("")
    assert any("has changed" in w for w in describe(tmp_path / "a.zarr")["warnings"])


def test_em_and_tiff(shared_data: Path, tmp_path: Path) -> None:
    told = describe(shared_data / "formats" / "ribosome_unscaled.em")
    assert (told["format"], told["shape"], told["dtype"]) == ("EM", [48, 48, 48], "float32")
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "a.tif", NOISE, photometric="minisblack")
    assert describe(tmp_path / "a.tif")["format"] == "TIFF"


def test_picks(tmp_path: Path) -> None:
    write_ndjson_picks(tmp_path / "a.ndjson", PICKS)
    write_copick_picks(
        tmp_path / "a.json",
        PICKS,
        owner=CopickOwner(user="u"),
        run="TS_1",
        voxel_size_angstrom=10.0,
    )
    (tmp_path / "a.csv").write_text("z,y,x\n1,2,3\n1,2,3\n1,2,3\n")
    for name in ("a.ndjson", "a.json", "a.csv"):
        told = describe(tmp_path / name)
        assert (told["kind"], told["count"]) == ("picks", 3)
    assert describe(tmp_path / "a.json")["tomograms"] == ["TS_1"]
    (tmp_path / "b.json").write_text("{}")
    assert describe(tmp_path / "b.json")["kind"] == "file"
    (tmp_path / "b.json").write_text("{")
    with pytest.raises(FileFormatError, match="JSON was wanted"):
        describe(tmp_path / "b.json")


def test_a_copick_project(tmp_path: Path) -> None:
    (tmp_path / "ExperimentRuns" / "TS_1" / "VoxelSpacing10.000" / "wbp.zarr").mkdir(parents=True)
    content = {"overlay_root": ".", "pickable_objects": [{"name": "ribosome", "label": 2}]}
    (tmp_path / "project.json").write_text(json.dumps(content))
    told = describe(tmp_path / "project.json")
    assert told["kind"] == "project"
    assert told["objects"] == [{"name": "ribosome", "label": 2}]
    assert [(t["run"], t["type"]) for t in told["tomograms"]] == [("TS_1", "wbp")]

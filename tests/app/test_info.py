from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from napari_voxuda.app.info import describe
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import FileFormatError, InputError
from napari_voxuda.io.mrc import write_mask, write_mrc
from napari_voxuda.io.star import write_star_picks

_GRID = Grid(
    voxel_size_angstrom=(8.0, 9.0, 10.0), origin_angstrom=(1.0, 2.0, 3.0), nstart=(4, 5, 6)
)
_NOISE = np.random.default_rng(0).normal(size=(10, 12, 14)).astype(np.float32)


def _run_folder(path: Path, *, losses: tuple[float, ...] = ()) -> Path:
    path.mkdir()
    record = {"format": 1, "seed": 3, "settings": {"steps": 7}, "contrast": "dark"}
    (path / "run.json").write_text(json.dumps(record))
    lines = [
        json.dumps({"event": "step", "step": n, "losses": {"total": loss}, "coverage": 0.5})
        for n, loss in enumerate(losses, 1)
    ]
    (path / "events.jsonl").write_text("\n".join(lines) + '\n{"event": "st')
    return path


def test_a_volume(tmp_path: Path) -> None:
    path = tmp_path / "volume.mrc"
    write_mrc(path, Volume(data=_NOISE, grid=_GRID), label="made by a test")
    told = describe(path)
    assert told["kind"] == "volume"
    assert told["shape"] == [10, 12, 14]
    assert (told["mode"], told["dtype"]) == (2, "float32")
    assert told["voxel_size_angstrom"] == [8.0, 9.0, 10.0]
    assert told["origin_angstrom"] == [1.0, 2.0, 3.0]
    assert told["nstart"] == [4, 5, 6]
    statistics = told["header_statistics"]
    assert statistics["mean"] == pytest.approx(_NOISE.mean(), abs=1e-6)
    assert statistics["rms"] == pytest.approx(_NOISE.std(), rel=1e-5)
    assert any("made by a test" in label for label in told["labels"])
    assert told["contrast"]["contrast"] in ("bright", "dark")
    assert json.loads(json.dumps(told)) == told


def test_an_unknown_voxel_size_is_none_and_told(tmp_path: Path) -> None:
    write_mrc(tmp_path / "volume.mrc", Volume(data=_NOISE))
    told = describe(tmp_path / "volume.mrc")
    assert told["voxel_size_angstrom"] is None
    assert "voxel size" in told["warnings"][0]


def test_a_mask_has_no_contrast(tmp_path: Path) -> None:
    write_mask(tmp_path / "mask.mrc", Volume(data=(_NOISE > 1).astype(np.uint8), grid=_GRID))
    assert describe(tmp_path / "mask.mrc")["contrast"] is None


def test_a_constant_volume_is_described_with_a_warning(tmp_path: Path) -> None:
    write_mrc(tmp_path / "flat.mrc", Volume(data=np.ones_like(_NOISE), grid=_GRID))
    told = describe(tmp_path / "flat.mrc")
    assert told["contrast"] is None
    assert told["warnings"]


@pytest.mark.parametrize("convention", ["relion5", "relion4"])
def test_picks(tmp_path: Path, convention: str) -> None:
    write_star_picks(
        tmp_path / "picks.star",
        Picks(positions=np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])),
        tomogram_name="TS_01",
        voxel_size_angstrom=10.0,
        shape=(10, 12, 14),
        convention=convention,  # type: ignore[arg-type]
    )
    told = describe(tmp_path / "picks.star")
    assert told["kind"] == "picks"
    assert (told["count"], told["convention"]) == (2, convention)
    assert told["tomograms"] == ["TS_01"]


def test_a_folder_of_subtomograms(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_mrc(tmp_path / f"{name}.mrc", Volume(data=_NOISE, grid=_GRID))
        write_mask(
            tmp_path / f"{name}_mask.mrc", Volume(data=(_NOISE > 1).astype(np.uint8), grid=_GRID)
        )
    told = describe(tmp_path)
    assert told["kind"] == "subtomograms"
    assert (told["count"], told["with_mask"]) == (2, 2)
    assert told["shapes"] == [{"shape": [10, 12, 14], "count": 2}]
    assert told["voxel_sizes_angstrom"][0]["voxel_size_angstrom"] == [8.0, 9.0, 10.0]
    write_mrc(tmp_path / "c.mrc", Volume(data=_NOISE[1:]))
    told = describe(tmp_path)
    assert (told["count"], told["with_mask"]) == (3, 0)
    assert {"shape": [9, 12, 14], "count": 1} in told["shapes"]


def test_a_run_tells_how_far_it_is(tmp_path: Path) -> None:
    run = _run_folder(tmp_path / "run", losses=(3.0, 2.0))
    told = describe(run)
    assert told["kind"] == "run"
    assert (told["state"], told["step"], told["steps"]) == ("started", 2, 7)
    assert told["losses"] == {"total": 2.0}
    assert (told["seed"], told["contrast"]) == (3, "dark")


def test_a_run_tells_its_alarms_each_once(tmp_path: Path) -> None:
    run = _run_folder(tmp_path / "run", losses=(3.0,))
    assert describe(run)["alarms"] == []
    alarms = [
        {"event": "alarm", "step": n, "kind": "not finite", "text": text, "restored_step": 0}
        for n, text in ((5, "First."), (9, "Lost."), (9, "Second."))
    ]
    with (run / "events.jsonl").open("a") as file:
        file.write("\n" + "\n".join(json.dumps(alarm) for alarm in alarms))
    assert describe(run)["alarms"] == [
        {"step": 5, "kind": "not finite", "text": "First."},
        {"step": 9, "kind": "not finite", "text": "Second."},
    ]


def test_the_states_of_a_run(tmp_path: Path) -> None:
    run = _run_folder(tmp_path / "run")
    assert (describe(run)["state"], describe(run)["step"]) == ("started", 0)
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "step-00000001.safetensors").touch()
    assert describe(run)["state"] == "unfinished"
    with FileLock(run / "lock"):
        assert describe(run)["state"] == "running"
    (run / "model.safetensors").touch()
    assert describe(run)["state"] == "finished"


def test_describing_a_run_writes_nothing(tmp_path: Path) -> None:
    run = _run_folder(tmp_path / "run")
    before = sorted(p.name for p in run.iterdir())
    describe(run)
    assert sorted(p.name for p in run.iterdir()) == before


def test_what_is_nothing_of_these(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file or folder"):
        describe(tmp_path / "none")
    with pytest.raises(InputError, match=r"neither run\.json nor volumes"):
        describe(tmp_path)
    (tmp_path / "text.csv").write_text("a,b\n" * 500)
    with pytest.raises(FileFormatError):
        describe(tmp_path / "text.csv")
    (tmp_path / "bad.star").write_text("no star")
    with pytest.raises(FileFormatError):
        describe(tmp_path / "bad.star")
    _run_folder(tmp_path / "run")
    (tmp_path / "run" / "run.json").write_text("{")
    with pytest.raises(FileFormatError, match="JSON was wanted"):
        describe(tmp_path / "run")

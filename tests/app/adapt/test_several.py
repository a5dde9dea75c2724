"""An adaptation to several tomograms: what it records, how it goes on, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.app.adapt.test_preflight import check
from tests.app.adapt.test_task import SETTINGS, SOURCE, finish, job, losses, tomogram
from tests.app.conftest import run_to_end

from napari_voxuda._types import Event, Message
from napari_voxuda.adaptation.run_folder import read_record
from napari_voxuda.app.adapt.and_segment import adapt_and_segment_task
from napari_voxuda.app.adapt.task import adapt_task
from napari_voxuda.app.gap.task import gap_task
from napari_voxuda.app.jobs import GapJob
from napari_voxuda.app.live.view import LivePiece, ViewWish
from napari_voxuda.app.runs.overview import summarise
from napari_voxuda.app.scene import SliceView
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError, RunFolderError, TargetChangedError
from napari_voxuda.io.mrc import read_mrc, write_mrc
from napari_voxuda.io.provenance import finished, hash_path, read_sidecar
from napari_voxuda.networks.checkpoint import load_model
from napari_voxuda.segmentation.settings import SegmentSettings


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Return two tomograms of one session, of different size and values."""
    paths = (tmp_path / "TS_01.mrc", tmp_path / "TS_02.mrc")
    write_mrc(paths[0], tomogram())
    other = tomogram((24, 20, 20))
    write_mrc(paths[1], replace(other, data=other.data * 3 + 7))
    return paths


def star(path: Path, rows: str, column: str = "rlnTomoName") -> Path:
    names = [f"_{column}"] if column else []
    columns = [*names, *(f"_rlnCenteredCoordinate{axis}Angst" for axis in "XYZ")]
    path.write_text("data_particles\n\nloop_\n" + "\n".join(columns) + f"\n{rows}\n")
    return path


def stopped(out: Path, files: tuple[Path, Path], at: int = 4) -> None:
    """Leave a run that was stopped before the message of step `at`."""
    task = adapt_task(job(out, target=files))
    for event in task:
        if getattr(event, "step", 0) >= at:
            break
    task.close()


def test_one_network_is_adapted_to_all_of_them(tmp_path: Path, files: tuple[Path, Path]) -> None:
    _, result = finish(job(tmp_path / "run", target=files))
    target = read_record(result.run)["target"]
    assert (target["kind"], target["level"]) == ("tomograms", 0)
    assert [part["path"] for part in target["tomograms"]] == [str(path) for path in files]
    assert [part["name"] for part in target["tomograms"]] == ["TS_01", "TS_02"]
    assert [part["shape"] for part in target["tomograms"]] == [[20, 24, 28], [24, 20, 20]]
    assert target["tomograms"][0]["mean"] < 0 < target["tomograms"][1]["mean"]
    model = load_model(result.run)
    assert (model.normalisation, model.contrast) == ("volume", "dark")
    sidecar = json.loads((result.run / "model.safetensors.json").read_text())
    hashes = [it["sha256"] for it in sidecar["inputs"] if it["role"] == "target"]
    assert hashes == [finished(hash_path(path)) for path in files]
    assert summarise(result.run).target == "TS_01 and TS_02"


def test_several_of_one_are_that_one(tmp_path: Path, files: tuple[Path, Path]) -> None:
    _, one = finish(job(tmp_path / "one", target=files[0]))
    _, of_one = finish(job(tmp_path / "of_one", target=(files[0],)))
    assert read_record(one.run)["target"] == read_record(of_one.run)["target"]
    assert losses(one.run) == losses(of_one.run)


def test_a_run_goes_on_from_its_record_or_in_any_order(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    _, whole = finish(job(tmp_path / "whole", target=files))
    for name, given in (("recorded", None), ("turned", (files[1], files[0]))):
        stopped(tmp_path / name, files)
        finish(job(tmp_path / name, target=given, resume=True))
        assert losses(tmp_path / name) == losses(whole.run)


def test_a_changed_file_is_found_when_a_run_goes_on(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    stopped(tmp_path / "run", files)
    other = tomogram((24, 20, 20))
    other.data[0, 0, 0] += 1
    write_mrc(files[1], other)
    with pytest.raises(RunFolderError, match=r"TS_02\.mrc has other values"):
        finish(job(tmp_path / "run", target=None, resume=True))
    three = (*files, tomogram((16, 16, 30)))
    with pytest.raises(RunFolderError, match="2 tomograms"):
        finish(job(tmp_path / "run", target=three, resume=True))
    with pytest.raises(RunFolderError, match="start a new run"):
        finish(job(tmp_path / "run", target=files[0], resume=True))


def test_a_file_that_changes_in_a_run_is_found(tmp_path: Path, files: tuple[Path, Path]) -> None:
    task = adapt_task(job(tmp_path / "run", target=files))
    for event in task:
        if getattr(event, "step", 0) >= 2:
            break
    with files[1].open("r+b") as stream:
        stream.seek(2000)
        stream.write(b"\x01\x02\x03\x04")
    with pytest.raises(TargetChangedError, match=r"TS_02\.mrc"):
        list(task)


def test_volumes_that_are_no_files_are_asked_for_again(tmp_path: Path) -> None:
    volumes = (tomogram(), replace(tomogram((16, 20, 30)), name="other"))
    task = adapt_task(job(tmp_path / "run", target=volumes))
    for event in task:
        if getattr(event, "step", 0) >= 2:
            break
    task.close()
    with pytest.raises(InputError, match="Give the same volume again"):
        finish(job(tmp_path / "run", target=None, resume=True))
    _, result = finish(job(tmp_path / "run", target=volumes, resume=True))
    assert result.steps == 6


def test_another_voxel_size_contrast_or_the_same_file_is_refused(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    wrong = tmp_path / "fine.mrc"
    write_mrc(wrong, tomogram((16, 16, 18), voxel_size=6.0))
    for given in (None, 12.0):
        with pytest.raises(InputError, match=r"fine\.mrc: the voxel size 12 Å of .*TS_01\.mrc"):
            finish(job(tmp_path / "run", target=(*files, wrong), voxel_size_angstrom=given))
    unknown = replace(tomogram(voxel_size=None), name="unknown")
    with pytest.raises(InputError, match="unknown: the header does not tell the voxel size"):
        finish(job(tmp_path / "run", target=(*files, unknown)))
    with pytest.raises(InputError, match=r"TS_01\.mrc: the target was given twice"):
        finish(job(tmp_path / "run", target=(files[0], files[0])))
    with pytest.raises(InputError, match="several targets must be tomograms"):
        finish(job(tmp_path / "run", target=(files[0], tmp_path)))
    assert not (tmp_path / "run").exists()


def test_tomograms_of_both_contrasts_are_refused(tmp_path: Path) -> None:
    def beads(sign: float, name: str) -> Volume:
        data = np.random.default_rng(1).normal(size=(48, 64, 64)).astype(np.float32)
        for z, y, x in np.random.default_rng(2).integers(4, 44, (40, 3)):
            data[z : z + 4, y : y + 4, x : x + 4] += 8 * sign
        return replace(tomogram(), data=data, name=name)

    given = (beads(1.0, "one"), beads(-1.0, "two"))
    with pytest.raises(InputError, match="two: protein looks dark, but in one bright"):
        finish(job(tmp_path / "run", target=given, contrast="auto"))
    events, _ = finish(job(tmp_path / "run", target=(given[0], beads(1.0, "x")), contrast="auto"))
    assert any(isinstance(e, Message) and "taken as bright" in e.text for e in events)


def test_picks_of_a_star_file_go_to_their_tomograms(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    rows = "TS_01 0 0 0\nTS_01 12 0 0\nTS_02 0 12 0"
    for column in ("rlnTomoName", "rlnMicrographName"):
        picks = star(tmp_path / f"{column}.star", rows, column)
        _, report = check(job(tmp_path / "run", target=files, picks=picks))
        assert report.where == "near 3 picks in 2 tomograms"
    _, result = finish(job(tmp_path / "run", target=files, picks=picks))
    parts = read_record(result.run)["target"]["tomograms"]
    assert [part["picks"] for part in parts] == [2, 1]


def test_picks_that_do_not_tell_their_tomogram_are_refused(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    table = tmp_path / "picks.csv"
    table.write_text("z,y,x\n10,10,10\n")
    nameless = star(tmp_path / "nameless.star", "0 0 0", column="")
    for picks in (table, nameless, Picks(positions=np.full((2, 3), 10.0))):
        with pytest.raises(InputError, match="names the tomogram of each pick"):
            finish(job(tmp_path / "run", target=files, picks=picks))
    other = star(tmp_path / "other.star", "TS_01 0 0 0")
    with pytest.raises(InputError, match="picks of tomogram 'TS_02' were wanted"):
        finish(job(tmp_path / "run", target=files, picks=other))


def test_a_folder_of_tomograms_is_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    for number in range(2):
        big = tomogram((16, 20, 200))
        write_mrc(folder / f"TS_{number}.mrc", replace(big, data=big.data + number))
    write_mrc(folder / "TS_0_mask.mrc", tomogram((16, 16, 16)))
    events, result = finish(job(tmp_path / "run", target=folder))
    assert any(isinstance(e, Message) and "taken as 2 tomograms" in e.text for e in events)
    parts = read_record(result.run)["target"]["tomograms"]
    assert [Path(part["path"]).name for part in parts] == ["TS_0.mrc", "TS_1.mrc"]
    assert load_model(result.run).normalisation == "volume"
    write_mrc(folder / "box.mrc", tomogram((16, 16, 16)))
    _, result = finish(job(tmp_path / "boxes", target=folder))
    assert read_record(result.run)["target"]["kind"] == "subtomograms"


@pytest.mark.parametrize("shape", [(16, 20, 200), (16, 16, 16)])
def test_a_folder_is_segmented_into_the_run(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    for number in range(2):
        write_mrc(folder / f"TS_{number}.mrc", tomogram(shape))
    wanted = job(tmp_path / "run", target=folder)
    settings = SegmentSettings(threshold=0.0)
    outcome, _ = run_to_end(adapt_and_segment_task(wanted, [], settings))
    assert outcome.segmentations == ()
    masks = [tmp_path / "run" / "masks" / f"TS_{number}.mrc" for number in range(2)]
    assert outcome.masks.masks == tuple(masks)
    assert [read_mrc(mask).shape for mask in masks] == [shape, shape]
    assert all(read_mrc(mask).data.all() for mask in masks)  # as the settings want it
    traced = read_sidecar(masks[0])
    assert traced is not None
    assert [part["name"] for part in traced["inputs"]] == ["TS_0.mrc"]


def test_the_check_of_a_folder_counts_its_masks(tmp_path: Path) -> None:
    shape = (16, 20, 200)
    folder = tmp_path / "session"
    folder.mkdir()
    paths = tuple(folder / f"TS_{number}.mrc" for number in range(2))
    for path in paths:
        write_mrc(path, tomogram(shape))
    _, as_folder = check(job(tmp_path / "run", target=folder))
    _, as_layers = check(job(tmp_path / "run", target=paths))
    assert as_folder.where == as_layers.where
    assert (
        as_folder.disk_bytes - as_layers.disk_bytes == (2 + 4) * 16 * 20 * 200
    )  # masks, and one probability


def test_the_check_tells_of_all_and_shows_boxes_in_each(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    _, report = check(job(tmp_path / "run", target=files))
    assert report.where == "at random places in 2 tomograms"
    assert len(report.starts) == len(report.tomogram_of) == 12
    assert set(report.tomogram_of) == {0, 1}
    assert any("tomograms are small" in text for text in report.doubts)


def test_the_gap_is_measured_over_all(files: tuple[Path, Path]) -> None:
    asked = GapJob(target=files, source=SOURCE, settings=SETTINGS, contrast="dark")
    reports = []

    def measured() -> Iterator[Event]:
        reports.append((yield from gap_task(asked)))

    list(measured())
    assert reports[0].name == "TS_01 and TS_02"


def test_the_live_prediction_is_of_the_tomogram_that_is_looked_at(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    seen = SliceView(axis=0, index=22, start=(22, 0, 0), stop=(23, 20, 20))
    settings = replace(SETTINGS, steps=8)
    wanted = job(tmp_path / "run", target=files, live=ViewWish(seen, tomogram=1), settings=settings)
    events, _ = finish(wanted)
    pieces = [event for event in events if isinstance(event, LivePiece)]
    assert pieces
    assert {piece.tomogram for piece in pieces} == {1}
    assert {piece.offset[0] for piece in pieces} == {22}  # the first has 20 slices only

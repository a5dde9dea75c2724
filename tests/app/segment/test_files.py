from __future__ import annotations

import csv
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
from tests.app.conftest import run_to_end
from tests.app.segment.test_task import Brightness

from napari_voxuda._types import Message, Progress, Task
from napari_voxuda.app.evaluate import evaluate
from napari_voxuda.app.jobs import Segmentation, SegmentFolderJob, SegmentJob
from napari_voxuda.app.segment.files import (
    SegmentOutputs,
    particle_picks,
    save_segmentation,
    segment_to_files_task,
)
from napari_voxuda.app.segment.folder import mask_name, segment_folder_task
from napari_voxuda.app.segment.task import segment_task
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io.folders import find_subtomograms
from napari_voxuda.io.mrc import read_header, read_mrc, write_mask, write_mrc
from napari_voxuda.io.provenance import read_sidecar
from napari_voxuda.io.star import read_star_picks
from napari_voxuda.segmentation import components
from napari_voxuda.segmentation.instances import find_particles, label_particles
from napari_voxuda.segmentation.settings import SegmentSettings

GRID = Grid(voxel_size_angstrom=(10.0, 10.0, 10.0), origin_angstrom=(5.0, 6.0, 7.0))


Whole = partial(Brightness, normalisation="subtomogram")


def segmentation(grid: Grid = GRID) -> Segmentation:
    probability = np.zeros((8, 9, 10), dtype=np.float32)
    probability[1:3, 1:3, 1:3] = 0.75
    probability[5, 6, 7:9] = 1.0
    mask = (probability > 0.5).astype(np.uint8)
    volume = Volume(data=probability, grid=grid, name="tomo")
    return Segmentation(
        probability=volume,
        mask=volume.with_data(mask),
        particles=find_particles(label_particles(mask), probability, grid.voxel_size_angstrom),
    )


def outputs(folder: Path) -> dict[str, Path]:
    return {
        "mask": folder / "mask.mrc",
        "probability": folder / "probability.mrc",
        "picks": folder / "picks.star",
        "table": folder / "table.csv",
        "instances": folder / "instances.mrc",
    }


def test_everything_is_written_and_reads_back(tmp_path: Path) -> None:
    found, paths = segmentation(), outputs(tmp_path)
    save_segmentation(found, SegmentOutputs(**paths))
    with mrcfile.open(paths["mask"]) as file:
        assert int(file.header.mode) == 0
        np.testing.assert_array_equal(file.data, found.mask.data)
    probability = read_mrc(paths["probability"])
    np.testing.assert_array_equal(probability.data, found.probability.data)
    assert probability.grid.origin_angstrom == GRID.origin_angstrom
    assert read_mrc(paths["instances"]).data[5, 6, 7] == 2
    picks = read_star_picks(
        paths["picks"], voxel_size_angstrom=GRID.voxel_size_angstrom, shape=(8, 9, 10)
    )
    np.testing.assert_allclose(picks.positions, [[1.5, 1.5, 1.5], [5, 6, 7.5]], atol=1e-4)
    with paths["table"].open() as stream:
        assert len(list(csv.DictReader(stream))) == 2
    assert "tomo" in paths["picks"].read_text()


def test_only_the_mask_is_a_must(tmp_path: Path) -> None:
    save_segmentation(segmentation(), SegmentOutputs(mask=tmp_path / "mask.mrc"))
    assert [path.name for path in tmp_path.iterdir()] == ["mask.mrc"]


@pytest.mark.parametrize("taken", ["mask", "probability", "picks", "table", "instances"])
def test_an_existing_file_is_kept_and_nothing_is_written(tmp_path: Path, taken: str) -> None:
    paths = outputs(tmp_path)
    paths[taken].write_text("mine")
    with pytest.raises(OutputError, match=f"{paths[taken].name}: a new file was wanted"):
        save_segmentation(segmentation(), SegmentOutputs(**paths))
    assert [path.name for path in tmp_path.iterdir()] == [paths[taken].name]
    assert paths[taken].read_text() == "mine"


def test_overwriting_is_asked_for(tmp_path: Path) -> None:
    paths = outputs(tmp_path)
    for path in paths.values():
        path.write_text("old")
    save_segmentation(segmentation(), SegmentOutputs(**paths), overwrite=True)
    assert read_mrc(paths["mask"]).data.sum() == 10
    assert paths["table"].read_text() != "old"


def test_two_outputs_of_one_name_are_refused(tmp_path: Path) -> None:
    same = tmp_path / "a.mrc"
    with pytest.raises(OutputError, match="two outputs"):
        save_segmentation(
            segmentation(), SegmentOutputs(mask=same, probability=tmp_path / "." / "a.mrc")
        )
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere does not exist"):
        save_segmentation(segmentation(), SegmentOutputs(mask=tmp_path / "nowhere" / "mask.mrc"))


def test_picks_without_voxel_size_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="voxel size of tomo, which is unknown"):
        save_segmentation(segmentation(Grid()), SegmentOutputs(**outputs(tmp_path)))
    assert list(tmp_path.iterdir()) == []


def noisy_particles() -> np.ndarray:
    data = np.random.default_rng(0).normal(0.0, 1.0, (40, 45, 50)).astype(np.float32)
    for z, y, x in [(4, 5, 6), (20, 22, 23), (15, 40, 44), (33, 3, 30)]:
        data[z : z + 6, y : y + 5, x : x + 6] += 20
    return data


@pytest.mark.parametrize("suffix", [".mrc", ".mrc.gz"])
@pytest.mark.parametrize("merge", ["cores", "blend"])
def test_files_written_on_the_way_are_those_of_the_whole_volume_to_the_bit(
    tmp_path: Path, merge: Any, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(components, "_SLAB_VOXELS", 5000)
    job = SegmentJob(
        volume=Volume(data=noisy_particles(), grid=GRID, name="tomo"),
        model=Path("run"),
        settings=SegmentSettings(core=16, merge=merge, min_size_angstrom3=20_000.0),
        device="cpu",
    )
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole, streamed = outputs(tmp_path / "a"), outputs(tmp_path / "b")
    for paths in (whole, streamed):
        for name in ("mask", "probability", "instances"):
            paths[name] = paths[name].with_name(f"{name}{suffix}")
    segmentation, _ = run_to_end(segment_task(job, load=lambda run, device: Whole()))
    save_segmentation(segmentation, SegmentOutputs(**whole))
    found, _ = run_to_end(
        segment_to_files_task(job, SegmentOutputs(**streamed), load=lambda run, device: Whole())
    )
    assert len(found.particles) == 4
    assert found.particles == segmentation.particles
    assert found.contrast == segmentation.contrast == "bright"
    for name, path in whole.items():
        assert streamed[name].read_bytes() == path.read_bytes(), name
        assert (read_sidecar(streamed[name]) or {})["output"]["name"] == path.name
    files = {path.name for path in (tmp_path / "b").iterdir() if path.suffix != ".json"}
    assert files == {path.name for path in whole.values()}


def test_without_a_file_for_the_probability_nothing_of_it_stays(tmp_path: Path) -> None:
    job = SegmentJob(
        volume=Volume(data=noisy_particles(), grid=GRID), model=Path("run"), device="cpu"
    )
    run_to_end(
        segment_to_files_task(
            job, SegmentOutputs(mask=tmp_path / "m.mrc"), load=lambda run, device: Whole()
        )
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.mrc", "m.mrc.json"]


def test_a_cancelled_segmentation_leaves_no_file(tmp_path: Path) -> None:
    volume = Volume(data=noisy_particles(), grid=GRID)
    job = SegmentJob(volume=volume, model=Path("run"), device="cpu")
    task = segment_to_files_task(
        job, SegmentOutputs(**outputs(tmp_path)), load=lambda run, device: Whole()
    )
    for event in task:
        if getattr(event, "stage", "") == "Segmenting":
            break
    assert len(list(tmp_path.iterdir())) == 1  # the hidden file
    task.close()
    assert list(tmp_path.iterdir()) == []


def test_the_contrast_stands_in_the_label_of_the_mask(tmp_path: Path) -> None:
    dark = replace(segmentation(), contrast="dark")
    save_segmentation(dark, SegmentOutputs(mask=tmp_path / "mask.mrc"))
    assert read_header(tmp_path / "mask.mrc").labels[0].endswith(": mask, protein dark")


def test_picks_of_no_particle() -> None:
    volume = Volume(data=np.zeros((3, 3, 3), dtype=np.float32))
    picks = particle_picks(Segmentation(probability=volume, mask=volume, particles=[]))
    assert picks.positions.shape == (0, 3)


@pytest.mark.parametrize(
    ("volume", "mask"),
    [
        ("a.mrc", "a.mrc"),
        ("a_subtomo.mrc", "a_mask.mrc"),
        ("a.b_subtomo.map.gz", "a.b_mask.mrc"),
        ("a.REC", "a.mrc"),
        ("_subtomo.mrc", "_mask.mrc"),
    ],
)
def test_names_of_masks(volume: str, mask: str) -> None:
    assert mask_name(Path("folder") / volume) == mask


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """Three subtomograms, of other brightness each, two with their truth."""
    folder = tmp_path / "boxes"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i, name in enumerate(("a_subtomo", "b_subtomo", "c")):
        data = rng.normal(0, 1, (16, 16, 16)).astype(np.float32)
        data[4:9, 4:9, 4:9] += 30
        write_mrc(folder / f"{name}.mrc", Volume(data=data * 10**i + 1000 * i, grid=GRID))
        if name != "c":
            truth = np.zeros((16, 16, 16), dtype=np.uint8)
            truth[4:9, 4:9, 4:9] = 1
            write_mask(folder / f"{name[0]}_mask.mrc", Volume(data=truth, grid=GRID))
    return folder


def folder_task(boxes: Path, out: Path, **changes: Any) -> Task[Any]:
    model = changes.pop("net", Whole())
    job = SegmentFolderJob(folder=boxes, model=Path("run"), out=out, device="cpu", **changes)
    return segment_folder_task(job, load=lambda run, device: model)


def test_a_folder_of_subtomograms_scores_against_its_own_truths(
    boxes: Path, tmp_path: Path
) -> None:
    out = tmp_path / "deep" / "out"
    result, events = run_to_end(folder_task(boxes, out))
    assert [path.name for path in result.masks] == ["a_mask.mrc", "b_mask.mrc", "c.mrc"]
    assert sorted(path.name for path in out.glob("*.mrc")) == ["a_mask.mrc", "b_mask.mrc", "c.mrc"]
    assert read_mrc(out / "a_mask.mrc").grid.origin_angstrom == GRID.origin_angstrom
    assert all(read_mrc(path).data.sum() == 125 for path in result.masks)  # each by itself
    (out / "c.mrc").rename(tmp_path / "c.mrc")
    (boxes / "c.mrc").unlink()
    assert evaluate(out, boxes).mean.dice == 1.0
    progress = [event for event in events if isinstance(event, Progress)]
    done = [event.done for event in progress if event.stage == "Segmenting"]
    assert sorted(set(done)) == [0, 1, 2, 3]
    assert done == sorted(done)
    assert {event.total for event in progress} == {3}


def test_a_warning_that_fits_every_box_is_given_once(boxes: Path, tmp_path: Path) -> None:
    events = run_to_end(folder_task(boxes, tmp_path / "o", net=Whole(voxel_size_angstrom=20.0)))
    assert len([event for event in events[1] if isinstance(event, Message)]) == 1
    empty = SegmentSettings(threshold=1.0)
    events = run_to_end(folder_task(boxes, tmp_path / "p", settings=empty))
    assert len([event for event in events[1] if isinstance(event, Message)]) == 1


def test_a_folder_can_be_stopped_within_a_volume(tmp_path: Path) -> None:
    folder, out = tmp_path / "session", tmp_path / "out"
    folder.mkdir()
    data = np.random.default_rng(0).normal(size=(16, 24, 24)).astype(np.float32)
    write_mrc(folder / "a.mrc", Volume(data=data, grid=GRID))
    settings = SegmentSettings(core=8, halo=0)  # some tiles
    _, events = run_to_end(folder_task(folder, out, settings=settings))
    assert events.count(Progress(stage="Segmenting", done=0, total=1)) > 3
    task = folder_task(folder, tmp_path / "stopped", settings=settings)
    for _ in range(len(events) - 3):
        next(task)
    task.close()
    assert [path.name for path in (tmp_path / "stopped").iterdir()] == []


def test_existing_masks_are_kept(boxes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "b_mask.mrc").write_text("mine")
    with pytest.raises(OutputError, match=r"b_mask.mrc: a new file was wanted"):
        run_to_end(folder_task(boxes, out))
    assert [path.name for path in out.iterdir()] == ["b_mask.mrc"]
    run_to_end(folder_task(boxes, out, overwrite=True))
    assert len(list(out.glob("*.mrc"))) == 3


def test_the_folder_of_the_subtomograms_is_never_the_output(boxes: Path) -> None:
    with pytest.raises(OutputError, match="another folder"):
        run_to_end(folder_task(boxes, boxes / ".." / boxes.name, overwrite=True))


def test_a_bad_subtomogram_is_named_before_any_mask_is_written(boxes: Path, tmp_path: Path) -> None:
    write_mrc(boxes / "d.mrc", Volume(data=np.ones((8, 8, 8), dtype=np.float32), grid=GRID))
    with pytest.raises(InputError, match=r"d\.mrc: .*varying values"):
        run_to_end(folder_task(boxes, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_smallest_size_without_voxel_size_names_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "boxes"
    folder.mkdir()
    data = np.random.default_rng(0).random((8, 8, 8), dtype=np.float32)
    write_mrc(folder / "a.mrc", Volume(data=data))
    settings = SegmentSettings(min_size_angstrom3=10.0)
    with pytest.raises(InputError, match=r"a: .*voxel size of the volume is unknown"):
        run_to_end(folder_task(folder, tmp_path / "out", settings=settings))
    out = tmp_path / "given"
    run_to_end(folder_task(folder, out, settings=settings, voxel_size_angstrom=12.0))
    assert read_mrc(out / "a.mrc").grid.voxel_size_angstrom == pytest.approx((12.0,) * 3)


def test_probabilities_go_into_a_folder_of_their_own(boxes: Path, tmp_path: Path) -> None:
    out = tmp_path / "probabilities"
    run_to_end(folder_task(boxes, tmp_path / "masks", probability=out))
    names = [f"{name}_probability.mrc" for name in "abc"]
    assert sorted(path.name for path in out.glob("*.mrc")) == names
    assert 0.9 < read_mrc(out / names[0]).data.max() <= 1.0
    with pytest.raises(OutputError, match=r"a_probability.mrc: a new file was wanted"):
        run_to_end(folder_task(boxes, tmp_path / "other", probability=out))
    with pytest.raises(OutputError, match="another folder"):
        run_to_end(folder_task(boxes, tmp_path / "other", probability=boxes))


def test_two_subtomograms_of_one_mask_are_refused(boxes: Path, tmp_path: Path) -> None:
    (boxes / "c.map").write_bytes((boxes / "c.mrc").read_bytes())
    with pytest.raises(OutputError, match="two outputs were to be written to this file"):
        run_to_end(folder_task(boxes, tmp_path / "out"))


def test_an_output_that_is_a_file_is_refused(boxes: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputError, match="out: the folder cannot be made"):
        run_to_end(folder_task(boxes, tmp_path / "out"))


def test_masks_done_before_a_cancel_stay(boxes: Path, tmp_path: Path) -> None:
    task = folder_task(boxes, tmp_path / "out")
    while next(task) != Progress(stage="Segmenting", done=1, total=3):
        pass
    task.close()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a_mask.mrc",
        "a_mask.mrc.json",
    ]


def test_every_mask_has_its_record(boxes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result, _ = run_to_end(folder_task(boxes, out))
    for mask, source in zip(result.masks, find_subtomograms(boxes), strict=True):
        record = read_sidecar(mask)
        assert record is not None
        assert record["output"]["sha256"] == sha256(mask.read_bytes()).hexdigest()
        assert record["inputs"][0]["name"] == source.name
        assert record["inputs"][0]["sha256"] == sha256(source.read_bytes()).hexdigest()
        assert record["settings"]["threshold"] == SegmentSettings().threshold
        assert record["device"] == "cpu"

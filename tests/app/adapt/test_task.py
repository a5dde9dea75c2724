"""The adaptation task: what it refuses, what it records, and that it survives being killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.app.conftest import run_to_end

from napari_voxuda._types import Event, Message
from napari_voxuda.adaptation.events import StepDone
from napari_voxuda.adaptation.run_folder import RunFolder, read_events, read_record
from napari_voxuda.adaptation.run_scores import read_scores
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.adapt.task import adapt_task
from napari_voxuda.app.jobs import AdaptJob, AdaptResult
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError, RunBusyError, RunFolderError
from napari_voxuda.io.mrc import write_mrc
from napari_voxuda.io.provenance import finished, hash_path, read_sidecar
from napari_voxuda.io.saving import save_picks
from napari_voxuda.networks.checkpoint import load_model
from napari_voxuda.networks.settings import NetworkSettings
from napari_voxuda.simulation.settings import SourceSettings

SETTINGS = AdaptSettings(
    steps=6,
    batch=2,
    network=NetworkSettings(stem=2, body=4),
    noise_samples=2,
    checkpoint_every=2,
    preview_every=3,
)
SOURCE = SourceSettings(count=6, box=16, variety="fixed", neighbours=0, voxel_size_angstrom=10.0)


def tomogram(shape: tuple[int, int, int] = (20, 24, 28), voxel_size: float | None = 12.0) -> Volume:
    data = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    data[8:12, 8:12, 8:12] -= 20  # dark protein
    grid = Grid() if voxel_size is None else Grid().with_voxel_size(voxel_size)
    return Volume(data=data, grid=grid, name="tomo")


def job(out: Path, **changes: Any) -> AdaptJob:
    options: dict[str, Any] = {
        "target": tomogram(),
        "settings": SETTINGS,
        "source": SOURCE,
        "contrast": "dark",
        "device": "cpu",
    }
    return AdaptJob(out=out, **(options | changes))


def finish(wanted: AdaptJob) -> tuple[list[Event], AdaptResult]:
    result, events = run_to_end(adapt_task(wanted))
    return events, result


def losses(run: Path) -> dict[int, float]:
    """Return the total loss of each step; of a repeated step the last."""
    return {e["step"]: e["losses"]["total"] for e in read_events(run) if e["event"] == "step"}


def test_a_tomogram_gives_a_run_with_a_model(tmp_path: Path) -> None:
    events, result = finish(job(tmp_path / "run"))
    assert result == AdaptResult(run=tmp_path / "run", steps=6)
    assert sum(isinstance(e, StepDone) for e in events) == 6
    model = load_model(result.run)
    assert (model.contrast, model.normalisation) == ("dark", "volume")
    assert model.voxel_size_angstrom == pytest.approx(12.0)
    record = read_record(result.run)
    assert record["source"]["voxel_size_angstrom"] == pytest.approx(12.0)
    assert record["target"]["shape"] == [20, 24, 28]
    assert record["settings"]["steps"] == 6
    assert record["versions"]["torch"]
    assert sorted(losses(result.run)) == [1, 2, 3, 4, 5, 6]
    expected = read_scores(result.run).expected_dice
    assert expected is not None
    assert 0 < expected <= 1


def test_a_finished_model_tells_what_it_was_adapted_to(tmp_path: Path) -> None:
    path = tmp_path / "tomo.mrc"
    write_mrc(path, tomogram())
    _, result = finish(job(tmp_path / "run", target=path, seed=5))
    record = read_sidecar(result.run / "model.safetensors")
    assert record is not None
    (target,) = record["inputs"]
    assert (target["name"], target["sha256"]) == ("tomo.mrc", finished(hash_path(path)))
    assert target["voxel_size_angstrom"] == [12.0, 12.0, 12.0]
    assert (record["task"], record["seed"], record["device"]) == ("adapt", 5, "cpu")
    assert record["settings"]["settings"]["steps"] == 6
    assert record["output"]["sha256"] == finished(hash_path(result.run / "model.safetensors"))


def test_a_zarr_folder_is_a_tomogram_and_not_a_folder_of_subtomograms(tmp_path: Path) -> None:
    pytest.importorskip("zarr", reason="OME-Zarr needs the optional package zarr")
    from napari_voxuda.io.zarr_image import write_image_zarr

    write_image_zarr(tmp_path / "tomo.zarr", tomogram(), levels=2)
    _, result = finish(job(tmp_path / "run", target=tmp_path / "tomo.zarr"))
    assert read_record(result.run)["target"]["shape"] == [20, 24, 28]
    assert load_model(result.run).normalisation == "volume"
    _, result = finish(job(tmp_path / "coarse", target=tmp_path / "tomo.zarr", level=1))
    assert read_record(result.run)["target"]["shape"] == [10, 12, 14]
    assert load_model(result.run).voxel_size_angstrom == pytest.approx(24.0)


@pytest.mark.parametrize("name", ["p.ndjson", "p.json", "p.csv"])
def test_picks_in_every_format_are_taken(tmp_path: Path, name: str) -> None:
    positions = np.array([[10.0, 10.0, 10.0], [9.0, 11.0, 10.0]])
    if name == "p.csv":
        (tmp_path / name).write_text("z,y,x\n10,10,10\n9,11,10\n")
    else:
        save_picks(
            tmp_path / name,
            Picks(positions=positions),
            tomogram_name="tomo",
            voxel_size_angstrom=(12.0,) * 3,
            shape=(20, 24, 28),
        )
    _, result = finish(job(tmp_path / "run", picks=tmp_path / name))
    assert read_record(result.run)["target"]["picks"] == 2


def test_a_folder_of_subtomograms_is_normalised_one_by_one(tmp_path: Path) -> None:
    folder = tmp_path / "boxes"
    folder.mkdir()
    for number in range(3):
        write_mrc(folder / f"p{number}_subtomo.mrc", tomogram((18, 18, 18)))
        write_mrc(folder / f"p{number}_mask.mrc", tomogram((18, 18, 18)))
    _, result = finish(job(tmp_path / "run", target=folder))
    record = read_record(result.run)
    assert record["target"]["count"] == 3
    assert record["source"]["box"] == 16
    assert load_model(result.run).normalisation == "subtomogram"


def test_only_subtomograms_have_masks_of_their_own_size(tmp_path: Path) -> None:
    folder = tmp_path / "boxes"
    folder.mkdir()
    for number in range(2):
        write_mrc(folder / f"p{number}.mrc", tomogram((16, 16, 16)))
    calibrated = replace(SETTINGS, calibrate=True)
    cases = {
        "subtomograms": ({"target": folder, "settings": calibrated}, True),
        "literal": ({"target": folder, "settings": replace(SETTINGS, calibrate=False)}, False),
        "tomogram": ({"settings": calibrated}, False),
    }
    for name, (changes, expected) in cases.items():
        _, result = finish(job(tmp_path / name, **changes))
        assert load_model(result.run).card.own_size == expected, name


def test_contrast_is_detected_said_and_recorded(tmp_path: Path) -> None:
    events, result = finish(job(tmp_path / "run", contrast="auto"))
    said = [e.text for e in events if isinstance(e, Message) and "Contrast taken as" in e.text]
    assert len(said) == 1
    assert read_record(result.run)["contrast"] in said[0]


def test_the_folder_is_not_touched_when_the_input_is_wrong(tmp_path: Path) -> None:
    spoilt = tomogram()
    spoilt.data[0, 0, 0] = np.nan
    outside = Picks(positions=np.array([[100.0, 0.0, 0.0]]))
    cases: list[tuple[dict[str, Any], str]] = [
        ({"target": None}, "a target was wanted"),
        ({"target": tomogram(voxel_size=None)}, "does not tell the voxel size"),
        ({"target": spoilt}, "NaN"),
        ({"picks": outside}, "outside"),
        ({"source": replace(SOURCE, kind="structures", files=("missing.pdb",))}, r"missing\.pdb"),
        ({"target": tmp_path / "none.mrc"}, r"none\.mrc"),
    ]
    for changes, text in cases:
        with pytest.raises(InputError, match=text):
            finish(job(tmp_path / "run", **changes))
        assert not (tmp_path / "run").exists()


def test_a_voxel_size_given_by_the_user_is_used(tmp_path: Path) -> None:
    target = tomogram(voxel_size=None)
    _, result = finish(job(tmp_path / "run", target=target, voxel_size_angstrom=8.5))
    assert load_model(result.run).voxel_size_angstrom == 8.5


def test_a_stopped_run_goes_on_to_the_same_losses(tmp_path: Path) -> None:
    path = tmp_path / "tomo.mrc"
    write_mrc(path, tomogram())
    finish(job(tmp_path / "whole", target=path))
    task = adapt_task(job(tmp_path / "run", target=path))
    while not isinstance(event := next(task), StepDone) or event.step < 3:
        pass
    task.close()
    RunFolder.open(tmp_path / "run").close()  # the lock is free again
    _, result = finish(AdaptJob(target=None, out=tmp_path / "run", resume=True, device="cpu"))
    assert losses(result.run) == losses(tmp_path / "whole")
    events, _ = finish(AdaptJob(target=None, out=tmp_path / "run", resume=True, device="cpu"))
    assert next(e.text for e in events if isinstance(e, Message)).endswith("nothing was done.")


def test_a_run_goes_on_only_with_its_own_target(tmp_path: Path) -> None:
    task = adapt_task(job(tmp_path / "run"))
    while not isinstance(next(task), StepDone):
        pass
    task.close()
    resumed = job(tmp_path / "run", target=None, resume=True)
    with pytest.raises(InputError, match="Give the same volume again"):
        finish(resumed)
    other = replace(resumed, target=tomogram((20, 20, 20)))
    with pytest.raises(RunFolderError, match=r"shape \[20, 24, 28\], but the one given has"):
        finish(other)
    finish(replace(resumed, target=tomogram()))


def test_a_run_in_use_and_a_missing_run_are_refused(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", {}), pytest.raises(RunBusyError):
        finish(job(tmp_path / "run"))
    with pytest.raises(RunFolderError, match=r"run\.json was not found"):
        finish(job(tmp_path / "nothing", resume=True))


_CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
import torch
torch.set_num_threads(1)
from test_task import job, finish
from napari_voxuda.app.jobs import AdaptJob
run, target = Path(sys.argv[1]), Path(sys.argv[2])
finish(AdaptJob(target=None, out=run, resume=True, device="cpu") if (run / "run.json").exists()
       else job(run, target=target))
"""


def _run_child(run: Path, target: Path, kill_after_bytes: int | None) -> int:
    """Run an adaptation in a child; kill it once its event log has grown to some size."""
    arguments = [sys.executable, "-c", _CHILD, str(run), str(target), str(Path(__file__).parent)]
    child = subprocess.Popen(arguments, env={**os.environ, "OMP_NUM_THREADS": "1"})
    log = run / "events.jsonl"
    while child.poll() is None:
        if kill_after_bytes is not None and log.exists() and log.stat().st_size > kill_after_bytes:
            child.send_signal(signal.SIGKILL)
            child.wait()
    return child.returncode


@pytest.mark.slow
def test_a_run_killed_again_and_again_finishes_with_the_same_losses(tmp_path: Path) -> None:
    target = tmp_path / "tomo.mrc"
    write_mrc(target, tomogram())
    finish(job(tmp_path / "whole", target=target))
    run = tmp_path / "run"
    kills = 0
    for size in (1, 400, 1300, 2500):
        if _run_child(run, target, kill_after_bytes=size) == -signal.SIGKILL:
            kills += 1
    assert kills >= 3
    assert _run_child(run, target, kill_after_bytes=None) == 0
    assert losses(run) == losses(tmp_path / "whole")
    json.loads((run / "run.json").read_text())

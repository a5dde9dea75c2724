from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from napari_voxuda._types import Event, Message, Progress
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.gap.report import GapReport
from napari_voxuda.app.gap.task import gap_figure_task, gap_task
from napari_voxuda.app.jobs import GapJob
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError
from napari_voxuda.io.provenance import read_sidecar
from napari_voxuda.simulation.settings import SourceSettings

SOURCE = SourceSettings(count=6, box=16, variety="fixed", neighbours=0, voxel_size_angstrom=10.0)


def job(voxel_size: float | None = 12.0, **changes: Any) -> GapJob:
    data = np.random.default_rng(0).normal(size=(20, 24, 28)).astype(np.float32)
    grid = Grid() if voxel_size is None else Grid().with_voxel_size(voxel_size)
    options: dict[str, Any] = {
        "target": Volume(data=data, grid=grid, name="tomo"),
        "source": SOURCE,
        "settings": AdaptSettings(batch=4),
    }
    return GapJob(**(options | changes))


def finish(task: Any) -> tuple[list[Event], GapReport]:
    events = []
    try:
        while True:
            events.append(next(task))
    except StopIteration as stop:
        return events, stop.value


def test_white_noise_against_a_tomogram_of_white_noise() -> None:
    events, report = finish(gap_task(job(contrast="dark")))
    assert all(isinstance(event, Progress) for event in events)
    gap = report.gap
    assert (report.name, gap.contrast, gap.voxel_size_angstrom) == ("tomo", "dark", 12.0)
    assert gap.matched is not None
    assert gap.compare(gap.matched).deviation < 0.2
    assert report.sentences[1].startswith("After noise matching it agrees")
    assert np.allclose(gap.target.power, 1.0, atol=0.25)  # normalised over the volume


def test_the_contrast_is_found_where_none_is_given_and_told() -> None:
    events, report = finish(gap_task(job()))
    (message,) = (event for event in events if isinstance(event, Message))
    assert f"Contrast taken as {report.gap.contrast}" in message.text


def test_all_that_was_measured_is_json() -> None:
    _, report = finish(gap_task(job(contrast="bright")))
    facts = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert facts["frequencies_per_angstrom"][-1] == pytest.approx(0.5 / 12)
    assert facts["name"] == "tomo"
    assert len(facts["target"]["power"]) == 8
    assert facts["matched"]["noise_over_target"]["highest"] < 1.2
    assert facts["sentences"] == list(report.sentences)
    none = replace(job(contrast="bright"), settings=AdaptSettings(noise="none"))
    assert "matched" not in finish(gap_task(none))[1].to_dict()


def test_the_figure_is_written_with_its_record(tmp_path: Path) -> None:
    path = tmp_path / "gap.png"
    _, report = finish(gap_figure_task(job(contrast="bright"), path))
    pixels = imread(path)
    assert pixels.shape[1] > 1000
    assert pixels.std() > 0.1
    record = read_sidecar(path)
    assert record is not None
    assert record["output"]["kind"] == "figure"
    assert report.name == "tomo"


def test_an_unknown_voxel_size_and_no_target_are_refused(tmp_path: Path) -> None:
    for wrong, text in ((job(None), "voxel size"), (job(target=None), "a target was wanted")):
        with pytest.raises(InputError, match=text):
            finish(gap_figure_task(wrong, tmp_path / "gap.png"))
    assert list(tmp_path.iterdir()) == []

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests.app.adapt.test_task import SOURCE, finish, job, losses, tomogram

from napari_voxuda._types import Message
from napari_voxuda.adaptation.events import StepDone
from napari_voxuda.adaptation.run_folder import read_record
from napari_voxuda.app.adapt.task import adapt_task, source_of_run
from napari_voxuda.app.jobs import AdaptJob
from napari_voxuda.app.layer_source import KEPT_PAIR, LayerSource
from napari_voxuda.app.wire import receive, send
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError
from napari_voxuda.io import mrc
from napari_voxuda.io.mrc import read_mrc, write_mrc


@pytest.fixture
def pair() -> LayerSource:
    """A tomogram with dark particles, and their labels."""
    values = np.random.default_rng(1).normal(3.0, 2.0, size=(20, 30, 30)).astype(np.float32)
    labels = np.zeros(values.shape, np.uint8)
    labels[6:12, 6:12, 6:12] = labels[8:14, 20:26, 20:26] = 3
    values[labels > 0] -= 4.0
    grid = Grid().with_voxel_size(12.0)
    image = Volume(data=values, grid=grid, name="taught")
    return LayerSource(image=image, labels=Volume(data=labels, grid=grid, name="drawn"))


def test_the_run_keeps_the_pair_and_goes_on_from_it(tmp_path: Path, pair: LayerSource) -> None:
    target = tmp_path / "tomo.mrc"
    write_mrc(target, tomogram())
    events, whole = finish(job(tmp_path / "whole", target=target, labelled=pair))
    said = [e.text for e in events if isinstance(e, Message)]
    assert any("labelled voxels are darker" in text for text in said)
    kept = read_mrc(whole.run / KEPT_PAIR[0])
    assert kept.data[pair.labels.data > 0].mean() > kept.data[pair.labels.data == 0].mean() + 1
    np.testing.assert_array_equal(read_mrc(whole.run / KEPT_PAIR[1]).data, pair.labels.data > 0)
    record = read_record(whole.run)
    assert (record["source"]["kind"], record["source"]["files"]) == ("pair", list(KEPT_PAIR))
    names = {entry["name"] for entry in record["provenance"]["inputs"]}
    assert {"taught", "drawn"} <= names

    task = adapt_task(job(tmp_path / "run", target=target, labelled=pair))
    while not isinstance(event := next(task), StepDone) or event.step < 3:
        pass
    task.close()
    (tmp_path / "run").rename(tmp_path / "moved")  # the layers are gone, the folder has moved
    resumed = AdaptJob(target=None, out=tmp_path / "moved", resume=True, device="cpu")
    finish(resumed)
    assert losses(tmp_path / "moved") == losses(whole.run)


def test_a_refinement_finds_the_pair_again(tmp_path: Path, pair: LayerSource) -> None:
    _, result = finish(job(tmp_path / "run", labelled=pair))
    source, _ = finished_source(result.run)
    assert source.description["shape"] == [20, 30, 30]
    (result.run / KEPT_PAIR[1]).unlink()
    with pytest.raises(InputError, match="it is gone"):
        finished_source(result.run)


def finished_source(run: Path):
    task = source_of_run(read_record(run), run)
    try:
        while True:
            next(task)
    except StopIteration as stop:
        return stop.value


def test_a_run_killed_while_the_pair_was_written_can_be_started_again(
    tmp_path: Path, pair: LayerSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mrc, "write_mask", killed)
        with pytest.raises(KeyboardInterrupt):
            finish(job(tmp_path / "run", labelled=pair))
    assert not (tmp_path / "run" / "run.json").exists()
    assert (tmp_path / "run" / KEPT_PAIR[0]).exists()
    _, result = finish(job(tmp_path / "run", labelled=pair))
    assert (result.run / "model.safetensors").exists()


def test_what_does_not_fit_is_said_before_a_folder_is_made(
    tmp_path: Path, pair: LayerSource
) -> None:
    empty = replace(pair, labels=pair.labels.with_data(np.zeros_like(pair.labels.data)))
    coarse = replace(pair, image=replace(pair.image, grid=Grid().with_voxel_size(20.0)))
    for bad, words in ((empty, "is empty"), (coarse, "nothing is resampled")):
        with pytest.raises(InputError, match=words):
            finish(job(tmp_path / "run", labelled=bad))
        assert not (tmp_path / "run").exists()


def test_a_contrast_that_is_given_is_taken_and_a_size_that_is_unknown_is_said(
    tmp_path: Path, pair: LayerSource
) -> None:
    plain = replace(pair.image, grid=Grid())
    bright = replace(pair, image=plain, contrast="bright")
    events, result = finish(job(tmp_path / "run", labelled=bright))
    kept = read_mrc(result.run / KEPT_PAIR[0])
    assert kept.data[pair.labels.data > 0].mean() < kept.data[pair.labels.data == 0].mean()
    assert kept.grid.voxel_size_angstrom == pytest.approx((12.0,) * 3)
    said = [e.text for e in events if isinstance(e, Message) and e.level == "warning"]
    assert any("taken to be that of the target, 12 Å" in text for text in said)


def test_the_job_travels_to_a_process_of_its_own(tmp_path: Path, pair: LayerSource) -> None:
    stream = io.BytesIO()
    send(stream, partial(adapt_task, job(tmp_path / "run", labelled=pair, source=SOURCE)))
    stream.seek(0)
    (sent,) = receive(stream).args
    np.testing.assert_array_equal(sent.labelled.labels.data, pair.labels.data)
    np.testing.assert_array_equal(sent.labelled.image.data, pair.image.data)

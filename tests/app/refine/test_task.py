from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_voxuda._types import Message
from napari_voxuda.adaptation.refine import RefineStep
from napari_voxuda.adaptation.refine_settings import RefineSettings
from napari_voxuda.adaptation.run_folder import RunFolder
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.adaptation.versions import list_versions, load_corrections
from napari_voxuda.app.adapt.task import adapt_task
from napari_voxuda.app.jobs import AdaptJob, RefineJob, SegmentJob
from napari_voxuda.app.refine.task import refine_task
from napari_voxuda.app.segment.task import segment_task
from napari_voxuda.data.corrections import Corrections, fingerprint
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError, RunBusyError
from napari_voxuda.networks.checkpoint import load_model
from napari_voxuda.networks.ensemble import load_ensemble
from napari_voxuda.networks.settings import NetworkSettings
from napari_voxuda.segmentation.settings import SegmentSettings
from napari_voxuda.simulation.settings import SourceSettings


@pytest.fixture(scope="module")
def volume():
    values = np.random.default_rng(0).normal(size=(16, 24, 32)).astype(np.float32)
    return Volume(data=values, grid=Grid().with_voxel_size(12.0), name="tomo")


@pytest.fixture
def run(volume, tmp_path):
    job = AdaptJob(
        target=volume,
        out=tmp_path / "run",
        source=SourceSettings(count=2, box=16, neighbours=0),
        settings=AdaptSettings(
            steps=1,
            batch=2,
            pseudo_labels="none",
            network=NetworkSettings(stem=2, body=4, head=1),
            mirrors=False,
        ),
        contrast="bright",
    )
    _finish(adapt_task(job))
    return job.out


@pytest.fixture
def corrections(volume):
    labels = np.zeros(volume.shape, np.uint8)
    labels[3:5, 4:8, 4:8], labels[9:12, 10:12, 20:24] = 1, 2
    return Corrections.from_labels(labels)


def _job(run, volume, corrections, **changes):
    settings = RefineSettings(**{"steps": 2, "batch": 2, "source_count": 2, **changes})
    return RefineJob(
        run=run, volume=volume, corrections=corrections, settings=settings, device="cpu"
    )


def _finish(task):
    events = []
    while True:
        try:
            events.append(next(task))
        except StopIteration as stop:
            return stop.value, events


def test_a_run_learns_and_the_corrected_voxels_stay(run, volume, corrections):
    result, events = _finish(refine_task(_job(run, volume, corrections)))
    mask = result.segmentation.mask.data
    assert (mask[tuple(corrections.positions.T)] == corrections.foreground).all()
    assert sum(p.voxels for p in result.segmentation.particles) == mask.sum()
    steps = [e for e in events if isinstance(e, RefineStep)]
    assert len(steps) == 2
    assert steps[0].losses["source"] > 0
    assert [v.name for v in list_versions(run)] == ["As adapted", result.version]
    assert load_model(run).card.contrast == "bright"
    assert len(load_ensemble(run).networks) == 2
    kept = load_corrections(run, fingerprint(volume.data), volume.shape)
    np.testing.assert_array_equal(kept.to_labels(), corrections.to_labels())


def test_the_mask_at_the_users_threshold_keeps_its_size(run, volume, corrections):
    free = corrections.to_labels() == 0
    found, _ = _finish(segment_task(SegmentJob(volume=volume, model=run)))
    before = found.probability.data
    threshold = float(np.quantile(before, 0.8))
    job = _job(run, volume, corrections, steps=6, learning_rate=0.1)
    result, _ = _finish(refine_task(replace(job, segment=SegmentSettings(threshold=threshold))))
    after = result.segmentation.probability.data
    assert not np.allclose(after, before, atol=1e-3)
    # what was corrected counts for as much elsewhere
    called = before[tuple(corrections.positions.T)] >= threshold
    more = int((corrections.foreground & ~called).sum())
    more -= int((~corrections.foreground & called).sum())
    wanted = (before >= threshold)[free].sum() + more
    assert (after >= threshold)[free].sum() == pytest.approx(wanted, rel=0.1)


def test_stopping_leaves_the_model_and_keeps_the_corrections(run, volume, corrections):
    before = (run / "model.safetensors").read_bytes()
    task = refine_task(_job(run, volume, corrections))
    while not isinstance(next(task), RefineStep):
        pass
    with pytest.raises(RunBusyError):
        RunFolder.open(run)
    task.close()
    assert (run / "model.safetensors").read_bytes() == before
    assert len(load_corrections(run, fingerprint(volume.data), volume.shape)) == len(corrections)
    RunFolder.open(run).close()


def test_a_source_that_is_gone_is_said_and_not_needed(run, volume, corrections, monkeypatch):
    def gone(*_):
        raise InputError("map.mrc: there is no such file.")
        yield

    monkeypatch.setattr("napari_voxuda.app.adapt.task.labelled_source", gone)
    result, events = _finish(refine_task(_job(run, volume, corrections)))
    assert any(isinstance(e, Message) and "map.mrc" in e.text for e in events)
    assert result.version.startswith("Refined 1")


def test_an_unfinished_run_and_no_corrections_are_refused(run, volume, corrections):
    with pytest.raises(InputError, match="got none"):
        _finish(refine_task(_job(run, volume, Corrections.none(volume.shape))))
    (run / "model.safetensors").unlink()
    with pytest.raises(InputError, match="finished run"):
        _finish(refine_task(_job(run, volume, corrections)))

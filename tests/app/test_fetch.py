"""Fetching as a step of a task: before anything is written, and no more than is needed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_voxuda._types import Message, Progress
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.adapt.task import adapt_task
from napari_voxuda.app.fetch import fetch_task
from napari_voxuda.app.jobs import AdaptJob, SimulateJob
from napari_voxuda.app.simulate import simulate_task
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import DownloadError, InputError
from napari_voxuda.io.pdb_entries import cached_entry, entry_path
from napari_voxuda.networks.settings import NetworkSettings
from napari_voxuda.simulation.settings import SourceSettings

SOURCE = SourceSettings(
    kind="pdb", files=("1abc", "1abd"), count=2, box=16, neighbours=0, voxel_size_angstrom=12.0
)
SETTINGS = AdaptSettings(
    steps=2, batch=2, network=NetworkSettings(stem=2, body=4), noise_samples=2, checkpoint_every=1
)


@pytest.fixture
def served(pdb_sites, pdb_file):
    for entry in SOURCE.files:
        pdb_sites.put(f"/rcsb/{entry}.cif.gz", pdb_file(entry))
    return pdb_sites


@pytest.fixture
def job(tmp_path):
    data = np.random.default_rng(0).normal(size=(20, 24, 28)).astype(np.float32)
    target = Volume(data=data, grid=Grid().with_voxel_size(12.0), name="tomo")
    out = tmp_path / "run"
    return AdaptJob(
        target=target, out=out, source=SOURCE, settings=SETTINGS, contrast="dark", device="cpu"
    )


def resumed(job):
    return AdaptJob(target=job.target, out=job.out, device="cpu", resume=True)


def test_each_missing_entry_is_told_and_fetched(served):
    events = list(fetch_task(SOURCE))
    assert [(e.done, e.total) for e in events if isinstance(e, Progress)] == [
        (0, 2),
        (1, 2),
        (2, 2),
    ]
    texts = [e.text for e in events if isinstance(e, Message)]
    assert texts == [f"Fetching {entry} from the Protein Data Bank." for entry in SOURCE.files]
    assert list(fetch_task(SOURCE)) == []
    assert len(served.asked) == 2


def test_a_damaged_copy_is_told(served):
    list(fetch_task(SOURCE))
    entry_path("1abd").write_bytes(b"broken")
    warnings = [e for e in fetch_task(SOURCE) if isinstance(e, Message)]
    assert [(e.level, "1abd in the cache is damaged" in e.text) for e in warnings] == [
        ("warning", True)
    ]
    assert cached_entry("1abd") is not None


def test_an_entry_named_twice_is_fetched_once(served):
    list(fetch_task(SourceSettings(kind="pdb", files=("1abc", "1ABC"))))
    assert len(served.asked) == 1


def test_other_sources_fetch_nothing():
    assert list(fetch_task(SourceSettings())) == []


def test_cancelled_between_two_entries_the_first_is_kept(served, job, tmp_path):
    task = adapt_task(job)
    while not (isinstance(event := next(task), Progress) and event.done == 1):
        pass
    task.close()
    assert served.asked == ["/rcsb/1abc.cif.gz"]
    assert cached_entry("1abc") is not None
    assert not job.out.exists()


@pytest.mark.parametrize(("status", "error"), [(404, InputError), (500, DownloadError)])
def test_what_cannot_be_had_is_said_before_anything_is_made(served, job, tmp_path, status, error):
    for path in ("/rcsb/1abd.cif.gz", "/pdbe/ab/1abd.cif.gz"):
        served.put(path, status=status)
    with pytest.raises(error, match=r"^1abd: "):
        list(adapt_task(job))
    out = tmp_path / "pairs"
    with pytest.raises(error, match=r"^1abd: "):
        list(simulate_task(SimulateJob(source=SOURCE, out=out)))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache"]


def test_a_run_records_identifiers_and_goes_on_without_the_network(served, job):
    task = adapt_task(job)
    while not (job.out / "checkpoints" / "step-00000001.safetensors").exists():
        next(task)
    task.close()
    record = json.loads((job.out / "run.json").read_text())
    assert (record["source"]["kind"], record["source"]["files"]) == ("pdb", ["1abc", "1abd"])
    assert record["source_description"]["molecules"][0].startswith("1abc (")
    assert "cache" not in json.dumps(record["source"])
    served.answers.clear()
    list(adapt_task(resumed(job)))
    assert (job.out / "model.safetensors").is_file()


def test_a_run_goes_on_where_the_cache_is_empty(served, job):
    task = adapt_task(job)
    while not (job.out / "checkpoints" / "step-00000001.safetensors").exists():
        next(task)
    task.close()
    entry_path("1abc").unlink()
    texts = [e.text for e in adapt_task(resumed(job)) if isinstance(e, Message)]
    assert "Fetching 1abc from the Protein Data Bank." in texts
    assert (job.out / "model.safetensors").is_file()


def test_pairs_are_simulated_from_entries(served, tmp_path):
    list(simulate_task(SimulateJob(source=SOURCE, out=tmp_path / "pairs")))
    names = sorted(p.name for p in (tmp_path / "pairs").glob("*.mrc"))
    assert names[0] == "structure_000001.mrc"
    assert len(names) == 4

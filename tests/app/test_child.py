"""A task in a child process: the same events and result, and what happens when either end is gone."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from napari_voxuda._types import Message, Progress, Task
from napari_voxuda.adaptation.events import CheckpointSaved, StepDone
from napari_voxuda.adaptation.run_folder import RunFolder
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app import child
from napari_voxuda.app.adapt.task import adapt_task
from napari_voxuda.app.child import child_task
from napari_voxuda.app.denoise.task import denoise_task
from napari_voxuda.app.jobs import AdaptJob, DenoiseJob
from napari_voxuda.app.live.view import ViewWish
from napari_voxuda.app.wire import receive, send
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError, ProcessError
from napari_voxuda.networks.settings import NetworkSettings
from napari_voxuda.simulation.settings import SourceSettings

VALUES = np.random.default_rng(0).normal(size=(20, 24, 28)).astype(np.float32)
TOMOGRAM = Volume(data=VALUES, grid=Grid().with_voxel_size(12.0), name="tomo")


def job(out: Path, steps: int = 4) -> AdaptJob:
    return AdaptJob(
        target=TOMOGRAM,
        out=out,
        settings=AdaptSettings(
            steps=steps,
            batch=2,
            network=NetworkSettings(stem=2, body=4),
            noise_samples=2,
            checkpoint_every=10_000,
            preview_every=10_000,
            calibrate=False,
            mirrors=False,
        ),
        source=SourceSettings(count=4, box=16, variety="fixed", neighbours=0),
        contrast="bright",
        device="cpu",
    )


def finish(task):
    events = []
    while True:
        try:
            events.append(next(task))
        except StopIteration as stop:
            return events, stop.value


@pytest.fixture
def children(monkeypatch):
    """The child processes that a test started."""
    started = []

    class Watched(subprocess.Popen):
        def __init__(self, *args, **keywords):
            super().__init__(*args, **keywords)
            started.append(self)

    monkeypatch.setattr(child.subprocess, "Popen", Watched)
    return started


def test_events_and_result_are_those_of_the_task(tmp_path, children):
    wanted = DenoiseJob(volume=TOMOGRAM, device="cpu")
    here, there = finish(denoise_task(wanted)), finish(child_task(partial(denoise_task, wanted)))
    assert there[0][1:] == here[0]
    assert any(isinstance(event, Progress) for event in there[0])
    np.testing.assert_array_equal(there[1].data, here[1].data)
    assert there[1].grid == here[1].grid
    assert children[0].poll() == 0


def test_an_error_arrives_as_it_is_with_its_traceback(children):
    with pytest.raises(InputError, match="a target was wanted") as caught:
        finish(child_task(partial(adapt_task, AdaptJob(target=None, out=Path("run")))))
    assert "in adapt_task" in caught.value.__notes__[0]
    assert children[0].poll() == 0


def test_stopping_saves_the_run_and_ends_the_process(tmp_path, children):
    task = child_task(partial(adapt_task, job(tmp_path / "run", steps=100_000)))
    while not isinstance(next(task), StepDone):
        pass
    task.close()
    assert children[0].poll() == 0
    with RunFolder.open(tmp_path / "run") as run:
        # The child was one step ahead of what was told.
        assert run.latest_checkpoint().name == "step-00000002.safetensors"


def test_a_child_that_is_killed_is_told_and_the_run_goes_on(tmp_path, children):
    settings = job(tmp_path / "run", steps=4)
    task = child_task(partial(adapt_task, settings))
    while not isinstance(next(task), StepDone):
        pass
    children[0].send_signal(signal.SIGKILL)
    with pytest.raises(ProcessError, match=r"memory ran out.*Resume"):
        finish(task)
    resumed = AdaptJob(target=TOMOGRAM, out=tmp_path / "run", device="cpu", resume=True)
    events, result = finish(child_task(partial(adapt_task, resumed)))
    assert result.steps == 4
    assert any(isinstance(event, CheckpointSaved) for event in events)


def test_a_child_that_cannot_begin_is_told(monkeypatch):
    monkeypatch.setattr(child.sys, "executable", "/bin/false")
    with pytest.raises(ProcessError, match="exit status 1"):
        finish(child_task(partial(denoise_task, DenoiseJob(volume=TOMOGRAM))))


def test_without_an_interpreter_to_start_the_task_runs_here(monkeypatch, children):
    monkeypatch.setattr(child.sys, "executable", "")
    _, result = finish(child_task(partial(denoise_task, DenoiseJob(volume=TOMOGRAM, device="cpu"))))
    assert result.data.shape == VALUES.shape
    assert not children


def test_an_orphan_saves_its_run_and_ends(tmp_path):
    program = textwrap.dedent("""
        import os, sys
        from functools import partial
        from pathlib import Path
        sys.path.insert(0, sys.argv[1])
        from test_child import adapt_task, child_task, job, StepDone
        for event in child_task(partial(adapt_task, job(Path(sys.argv[2]), steps=100_000))):
            if isinstance(event, StepDone):
                os._exit(3)  # as if killed: nothing is cleaned up
    """)
    run = tmp_path / "run"
    code = subprocess.run(
        [sys.executable, "-c", program, str(Path(__file__).parent), str(run)], check=False
    ).returncode
    assert code == 3
    deadline = time.monotonic() + 30
    while not list((run / "checkpoints").glob("*.safetensors")) and time.monotonic() < deadline:
        time.sleep(0.05)
    while time.monotonic() < deadline:
        try:
            with RunFolder.open(run) as opened:  # its lock is free: the orphan is gone
                assert opened.latest_checkpoint() is not None
            return
        except Exception:
            time.sleep(0.05)
    pytest.fail("the orphan still holds its run")


def test_the_task_is_closed_when_the_requests_end():
    closed = []

    def task():
        try:
            while True:
                yield Message(text="step")
        finally:
            closed.append(True)

    requests, answers = io.BytesIO(), io.BytesIO()
    send(requests, "next")
    send(requests, "next")
    requests.seek(0)
    with pytest.raises(EOFError):
        child._serve(task, None, requests, answers)
    answers.seek(0)
    assert [receive(answers)[0], receive(answers)[0]] == ["event", "event"]
    assert closed == [True]


def test_what_a_library_prints_does_not_disturb_the_answers(tmp_path):
    program = (
        "import sys, napari_voxuda.app.child as c\n"
        "from napari_voxuda._types import Message\n"
        "def serve(call, live, requests, answers):\n"
        "    print('a library talks', flush=True)\n"
        "    c.send(answers, 'clean')\n"
        "c._serve = serve\n"
        "c.main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ},
    )
    send(process.stdin, ("a call", None))
    assert receive(process.stdout) == "clean"
    _, said = process.communicate(timeout=30)
    assert b"a library talks" in said


def test_the_wanted_view_goes_with_each_request():
    live = ViewWish()

    def task():
        while True:
            yield Message(text=f"{live.view} {live.tomogram}")

    requests, answers = io.BytesIO(), io.BytesIO()
    for view in ("here", "there", None):
        send(requests, ViewWish(view, tomogram=2))
    requests.seek(0)
    with pytest.raises(EOFError):
        child._serve(task, live, requests, answers)
    answers.seek(0)
    assert [receive(answers)[1].text for _ in range(3)] == ["here 2", "there 2", "None 2"]


def spins() -> Task[tuple[str | None, str | None]]:
    yield from ()
    return os.environ.get("GOMP_SPINCOUNT"), os.environ.get("OMP_WAIT_POLICY")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ("3000", None)),
        ({"GOMP_SPINCOUNT": "7"}, ("7", None)),
        ({"OMP_WAIT_POLICY": "active"}, (None, "active")),
    ],
)
def test_threads_that_wait_sleep_soon_unless_the_user_wants_else(given, found, monkeypatch) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert finish(child_task(partial(spins)))[1] == found

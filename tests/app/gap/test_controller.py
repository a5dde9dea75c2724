from __future__ import annotations

from pathlib import Path

import pytest

from napari_voxuda._types import Progress
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.adapt.request import AdaptRequest
from napari_voxuda.app.gap import controller as gap_controller
from napari_voxuda.app.gap.controller import GapController
from napari_voxuda.app.gap.report import GapReport
from napari_voxuda.app.job import JobState
from napari_voxuda.errors import InputError


class GapFacts:
    """The dock *Vox-UDA domain gap*, as plain values."""

    def __init__(self) -> None:
        self.inputs: AdaptRequest | InputError = AdaptRequest()
        self.reports, self.states, self.said, self.lines = [], [], [], []

    def request(self):
        if isinstance(self.inputs, InputError):
            raise self.inputs
        return self.inputs

    def show_report(self, report):
        self.reports.append(report)

    def show_state(self, state):
        self.states.append(state)

    def show_progress(self, line):
        self.lines.append(line)

    def say(self, text, level="info"):
        self.said.append((level, text))


@pytest.fixture
def facts(scene, tomogram):
    facts = GapFacts()
    facts.inputs = AdaptRequest(
        layer=scene.add_volume(tomogram),
        settings=AdaptSettings(noise="calibrated"),
        contrast="dark",
        run=Path("nowhere"),
        seed=7,
    )
    return facts


@pytest.fixture
def jobs(monkeypatch, gap, controllers):
    jobs = []

    def task(job):
        jobs.append(job)
        controllers[0].measure()  # goes on already
        yield Progress(stage="Measuring the gap", done=0, total=1)
        return GapReport(name="tomo", gap=gap(0.5, 1.0), sentences=("So.",))

    monkeypatch.setattr(gap_controller, "gap_task", task)
    return jobs


@pytest.fixture
def controllers():
    return []


@pytest.fixture
def controller(facts, scene, executor, controllers):
    controllers.append(GapController(facts, scene, executor))
    return controllers[0]


def test_the_run_s_own_inputs_are_measured(controller, facts, executor, jobs, tomogram):
    controller.measure()
    assert facts.reports == [None]
    executor.run_all()
    (job,) = jobs
    assert job.target is tomogram
    assert (job.settings.noise, job.contrast, job.seed) == ("calibrated", "dark", 7)
    assert facts.reports[-1].sentences == ("So.",)
    assert facts.states == [JobState.RUNNING, JobState.DONE]
    assert facts.lines


def test_inputs_that_do_not_fit_are_said(controller, facts, executor, jobs):
    facts.inputs = InputError("Source: files were wanted, got none.")
    controller.measure()
    assert facts.said[-1] == ("error", "Source: files were wanted, got none.")
    facts.inputs = AdaptRequest()
    controller.measure()
    assert facts.said[-1][1].startswith("Target: a tomogram layer was wanted")
    assert (executor.waiting, jobs, facts.reports) == ([], [], [])


def test_stopping_shows_nothing(controller, facts, executor, jobs):
    controller.measure()
    controller.close()
    executor.run_all()
    assert facts.reports == [None]
    assert facts.states[-1] is JobState.CANCELLED

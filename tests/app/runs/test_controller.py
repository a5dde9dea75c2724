from __future__ import annotations

from pathlib import Path

import pytest
from tests.app.runs.test_history import step
from tests.app.runs.test_overview import make_run

from napari_voxuda.adaptation.run_folder import RunFolder
from napari_voxuda.app.runs.controller import RunsController


class RunsFacts:
    def __init__(self) -> None:
        self.runs, self.histories, self.followed, self.said, self.run = [], [], [], [], None

    def show_runs(self, runs):
        self.runs = runs

    def choose_run(self, run):
        self.run = run

    def show_history(self, history):
        self.histories.append([s.step for s in history.steps])

    def follow(self, words):
        self.followed.append(words)

    def say(self, text, level="info"):
        self.said.append(text)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("VOXUDA_RUNS", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def facts():
    return RunsFacts()


@pytest.fixture
def changes():
    return []


@pytest.fixture
def controller(facts, executor, changes):
    return RunsController(facts, executor, lambda: changes.append(None))


def test_the_runs_are_listed_and_one_is_opened(controller, facts, executor, home, tmp_path):
    run = make_run(home / "one")
    other = make_run(tmp_path / "other")
    controller.refresh()
    executor.run_all()
    assert [r.path for r in facts.runs] == [run]
    controller.add(other)
    executor.run_all()
    assert [r.path for r in facts.runs] == [other, run]
    controller.open(run)
    assert facts.run == run
    assert facts.said == []


def test_a_folder_without_runs_is_not_added(controller, facts, executor, tmp_path):
    controller.add(tmp_path)
    assert "a run folder" in facts.said[0]
    controller.open(tmp_path / "gone")
    executor.run_all()
    assert "not there any more" in facts.said[1]
    assert facts.run is None


def test_an_unfinished_run_shows_its_curves(controller, facts, executor, home, changes):
    run = make_run(home / "one")
    with RunFolder.open(run) as folder:
        folder.log(step(1))
        folder.log(step(2))
    controller.look_at(run)
    executor.run_all()
    assert facts.histories == [[1, 2]]
    assert not controller.following
    controller.tick()
    assert not executor.waiting
    assert facts.followed == changes == []
    assert len(facts.said) == 1
    assert "press Resume" in facts.said[0]


def test_a_run_of_another_process_is_followed_until_it_ends(
    controller, facts, executor, home, changes
):
    run = make_run(home / "one")
    with RunFolder.open(run) as folder:
        folder.log(step(1, 400))
        controller.look_at(run)
        executor.run_all()
        assert controller.following
        assert len(changes) == 1
        assert "step 1 of 400, 13 min left" in facts.followed[-1]
        folder.log(step(2, 400))
        controller.tick()
        executor.run_all()
        assert facts.histories[-1] == [1, 2]
    controller.tick()
    executor.run_all()
    assert not controller.following
    assert facts.followed[-1] == ""
    assert "stopped at step 2 of 400. Resume" in facts.said[-1]
    assert len(changes) == 2


def test_the_end_of_a_followed_run_is_told(controller, facts, executor, home):
    run = make_run(home / "one")
    with RunFolder.open(run):
        controller.look_at(run)
        executor.run_all()
        (run / "model.safetensors").touch()
    controller.tick()
    executor.run_all()
    assert "finished" in facts.said[-1]


def test_news_of_a_run_that_is_left_are_dropped(controller, facts, executor, home):
    run = make_run(home / "one")
    with RunFolder.open(run):
        controller.look_at(run)
        executor.run_all()
        controller.tick()
        controller.leave()
        executor.run_all()
    assert len(facts.histories) == 1
    assert facts.followed[-1] == ""
    controller.tick()
    assert not executor.waiting


def test_looking_at_no_run_shows_nothing(controller, facts, executor, tmp_path):
    controller.look_at(None)
    controller.look_at(tmp_path)
    assert not executor.waiting

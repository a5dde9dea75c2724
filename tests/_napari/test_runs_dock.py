"""The list of runs in the dock *Vox-UDA adapt*, in a real viewer."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_voxuda._params import to_dict
from napari_voxuda.adaptation.events import Alarm, StepDone
from napari_voxuda.adaptation.run_folder import RunFolder
from napari_voxuda.adaptation.run_scores import write_expected_dice
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.gui.adapt import runs_group


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("VOXUDA_RUNS", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def adapt(make_napari_viewer, home):
    viewer = make_napari_viewer()
    return viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA adapt")[1]


def _step(number):
    losses = {"total": 1.0, "segmentation": 1.0}
    return StepDone(
        step=number,
        total=600,
        losses=losses,
        coverage=0.0,
        foreground=0.0,
        learning_rate=1e-3,
        seconds_per_step=1.0,
    )


def _run(path):
    record = {"settings": to_dict(AdaptSettings()), "target": {"path": "/data/tomo.mrc"}}
    return RunFolder.create(path, record)


def _cells(adapt):
    table = adapt.runs.table
    return [[_cell(table, row, column) for column in range(3)] for row in range(table.rowCount())]


def _cell(table, row, column):
    lines = table.item(row, column).text().splitlines()
    return " ".join(lines[:1] if column == 0 else lines)  # the name without its time


def _steps(adapt):
    return adapt.progress.curves.points("total")[0]


def test_runs_of_an_earlier_session_are_listed_and_gone_on_with(
    adapt, until, home, tmp_path, monkeypatch
):
    with _run(home / "done") as run:
        (run.path / "model.safetensors").touch()
    write_expected_dice(home / "done", 0.8)
    with _run(home / "half") as run:
        for event in (_step(1), _step(2)):
            run.log(event)
        run.log(Alarm(step=2, kind="all background", text="Step 2, collapsed.", restored_step=0))
    adapt.runs.expand()
    until(lambda: adapt.runs.table.rowCount())
    assert _cells(adapt) == [["half", "step 2 of 600", ""], ["done", "finished", "≈ 0.80"]]
    assert not adapt.runs.open_button.isEnabled()
    adapt.runs.table.selectRow(0)
    assert "Settings: default" in adapt.runs.details.text()
    adapt.runs.open_button.click()
    until(lambda: _steps(adapt) == [1, 2])
    assert adapt.training.run_folder() == home / "half"
    assert adapt.bar.resume_button.isEnabled()
    assert not adapt.result.segment_button.isEnabled()
    assert "collapsed" in adapt.progress.alert.text()
    adapt.runs.table.choose(home / "done")
    adapt.runs.table.cellDoubleClicked.emit(1, 0)
    until(lambda: not _steps(adapt))
    assert adapt.result.segment_button.isEnabled()
    assert not adapt.bar.resume_button.isEnabled()
    # one from another place
    with _run(tmp_path / "far" / "away"):
        pass
    monkeypatch.setattr(runs_group, "ask_folder", lambda *args: [tmp_path / "far"])
    adapt.runs.add_button.click()
    until(lambda: adapt.runs.table.rowCount() == 3)
    assert adapt.runs.table.chosen().path == home / "done"


def test_a_run_that_another_process_writes_is_followed_and_not_touched(adapt, until, home):
    adapt.runs._timer.setInterval(50)
    with _run(home / "live") as run:
        run.log(_step(1))
        adapt.runs.expand()
        until(lambda: adapt.runs.table.rowCount())
        adapt.runs.table.selectRow(0)
        adapt.runs.open_button.click()
        until(lambda: adapt.runs.followed.text())
        assert not adapt.bar.resume_button.isEnabled()
        run.log(_step(2))
        until(lambda: _steps(adapt) == [1, 2])
        before = sorted(path.name for path in run.path.iterdir())
    until(lambda: not adapt.runs.followed.text())
    assert sorted(path.name for path in (home / "live").iterdir()) == before
    assert adapt.bar.resume_button.isEnabled()
    assert "stopped at step 2 of 600" in adapt.notice.text()
    until(lambda: _cells(adapt) == [["live", "step 2 of 600", ""]])


def test_closing_the_viewer_while_a_run_is_followed_raises_nothing(adapt, until, home, qtbot):
    adapt.runs._timer.setInterval(10)
    with _run(home / "live") as run:
        adapt.controller.runs.open(run.path)
        until(lambda: adapt.runs.followed.text())
        adapt.deleteLater()
        qtbot.wait(100)

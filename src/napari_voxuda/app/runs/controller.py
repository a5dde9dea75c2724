"""The list of runs in *Vox-UDA adapt*: what is known, what is open, and what goes on elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from napari_voxuda.app.running import Executor, LatestOnly
from napari_voxuda.app.runs.history import LogTail, RunHistory
from napari_voxuda.app.runs.overview import (
    RunSummary,
    known_folders,
    list_runs,
    remember_folder,
    summarise,
)
from napari_voxuda.app.runs.places import is_run
from napari_voxuda.app.words import Level, time_words
from napari_voxuda.errors import VoxUDAError

__all__ = ["RunsController", "RunsView"]


class RunsView(Protocol):
    """What the dock shows of its runs."""

    def show_runs(self, runs: list[RunSummary]) -> None:
        """List the runs, the newest first."""
        ...

    def choose_run(self, run: Path) -> None:
        """Make `run` the run folder, as if the user had chosen it."""
        ...

    def show_history(self, history: RunHistory) -> None:
        """Draw the curves and alarms of a run anew."""
        ...

    def follow(self, words: str) -> None:
        """Say that a run goes on elsewhere, and ask for news of it every few seconds; stop if empty."""
        ...

    def say(self, text: str, level: Level = "info") -> None:
        """Show a sentence beside the buttons."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Looked:
    run: Path
    summary: RunSummary
    history: RunHistory


class RunsController:
    """Lists runs, opens them, and follows one that another process writes; only ever reads them.

    Parameters
    ----------
    view : RunsView
        The dock.
    executor : Executor
        Where files are read.
    on_change : callable
        Called when it is known anew what can be done with the run that is looked at.
    """

    def __init__(self, view: RunsView, executor: Executor, on_change: Callable[[], None]) -> None:
        self._view = view
        self._on_change = on_change
        self._listing: LatestOnly[list[RunSummary]] = LatestOnly(
            executor, view.show_runs, self._failed
        )
        self._looking: LatestOnly[_Looked] = LatestOnly(executor, self._looked, self._failed)
        self._run: Path | None = None
        self._tail: LogTail | None = None
        self._following = False
        self._is_new = False  # looked at, and nothing was said of it yet

    @property
    def following(self) -> bool:
        """Whether the run that is looked at is being written by another process."""
        return self._following

    def refresh(self) -> None:
        """Read the list anew."""
        self._listing.request(lambda: list_runs(known_folders()))

    def add(self, folder: Path) -> None:
        """Add a run, or a folder of runs, to the list."""
        if not is_run(folder) and not any(map(is_run, _entries(folder))):
            self._view.say(
                f"{folder}: a run folder, or a folder that holds some, was wanted. Choose the folder "
                "that was given as run folder or as --out.",
                "warning",
            )
            return
        self.remember(folder)
        self.refresh()

    def open(self, run: Path) -> None:
        """Make a run of the list the run folder; its curves are shown."""
        if not is_run(run):
            self._view.say(f"{run}: the run is not there any more.", "warning")
            self.refresh()
            return
        self._view.choose_run(run)

    def remember(self, folder: Path) -> None:
        """Keep a folder in the list for later sessions."""
        try:
            remember_folder(folder)
        except VoxUDAError as error:
            self._view.say(str(error), "warning")

    def look_at(self, run: Path | None) -> None:
        """Show what a run has gone through, and follow it if another process writes it."""
        self.leave()
        if run is None or not is_run(run):
            return
        self.remember(run)
        self._run, self._tail = run, LogTail(run)
        self._is_new = True
        self._look()

    def leave(self) -> None:
        """Look at no run any more: one is about to be written here, or none is chosen."""
        self._looking.forget()
        was, self._following = self._following, False
        self._run = self._tail = None
        if was:
            self._view.follow("")

    def tick(self) -> None:
        """Look again; called every few seconds while a run is followed."""
        if self._following and not self._looking.busy:
            self._look()

    def close(self) -> None:
        """Drop what is under way."""
        self._listing.forget()
        self._looking.forget()
        self._following = False

    def _look(self) -> None:
        if self._run is not None and self._tail is not None:
            self._looking.request(partial(_look, self._run, self._tail))

    def _looked(self, looked: _Looked) -> None:
        if looked.run != self._run:
            return
        self._view.show_history(looked.history.thinned())
        was, self._following = self._following, looked.summary.state == "running"
        if self._following:
            self._view.follow(_followed_words(looked))
        elif was:
            self._view.follow("")
            self._view.say(_ended_words(looked.summary))
        elif self._is_new:
            self._view.say(_opened_words(looked.summary))
        self._is_new = False
        if was != self._following:
            self._on_change()
            self.refresh()

    def _failed(self, error: BaseException) -> None:
        self._view.say(f"The runs cannot be read ({error}).", "warning")


def _look(run: Path, tail: LogTail) -> _Looked:
    """Read a run's state, then its log, so that nothing that was logged before its end is missed."""
    summary = summarise(run)
    return _Looked(run=run, summary=summary, history=tail.read())


def _followed_words(looked: _Looked) -> str:
    summary = looked.summary
    words = f"Another process is writing this run: step {summary.step} of {summary.steps}"
    if looked.history.steps:
        left = summary.steps - summary.step
        words += f", {time_words(left * looked.history.steps[-1].seconds_per_step)} left"
    return f"{words}. Its curves are followed here; nothing of it is changed."


def _opened_words(summary: RunSummary) -> str:
    if summary.state == "finished":
        return "The run is open. “Segment with this run” shows its mask on the target."
    if summary.state == "unfinished":
        return (
            f"The run is open at {summary.state_words}. Choose the target that it had, then press Resume "
            "to go on with it."
        )
    return f"The run cannot be read. {summary.problem}"


def _ended_words(summary: RunSummary) -> str:
    if summary.state == "finished":
        return "The run has finished. Press “Segment with this run” to see its mask."
    if summary.state == "unfinished":
        return f"The run has stopped at {summary.state_words}. Resume goes on with it."
    return f"The run cannot be read any more. {summary.problem}"


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []

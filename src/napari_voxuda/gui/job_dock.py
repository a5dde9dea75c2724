"""A dock with one job: its buttons, its progress and its news stand below the column."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Protocol

from qtpy.QtWidgets import QPushButton

from napari_voxuda.app.job import JobState
from napari_voxuda.app.pace import ProgressLine
from napari_voxuda.app.words import Level
from napari_voxuda.gui.frame import DockFrame, Notice
from napari_voxuda.gui.job_bar import JobBar
from napari_voxuda.gui.remember import Choice

__all__ = ["JobDock"]


class _Held(Protocol):
    """What can be held, gone on with and stopped."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def cancel(self) -> None: ...


class JobDock(DockFrame):
    """A `napari_voxuda.app.dock_work.WorkView`; `bar` and `notice` are there after `end_with`."""

    bar: JobBar
    notice: Notice

    def end_with(self, bar: JobBar) -> None:
        """Put the job's buttons and the news into the footer; widgets made later come later by Tab."""
        self.bar, self.notice = bar, Notice()
        self.footer.addWidget(self.bar)
        self.footer.addWidget(self.notice)

    def remember(self, name: str, choices: dict[str, Choice]) -> None:
        """Begin with what was chosen last; the Tab key comes to the column's last button before the job's."""
        super().remember(name, choices)
        order = (self.defaults_button, *self.bar.findChildren(QPushButton))
        for before, after in pairwise(order):
            self.setTabOrder(before, after)

    def drive(self, start: Callable[[], None], work: _Held) -> None:
        """Let the buttons start and hold the job."""
        self.bar.started.connect(start)
        self.bar.paused.connect(work.pause)
        self.bar.resumed.connect(work.resume)
        self.bar.stopped.connect(work.cancel)

    def show_state(self, state: JobState) -> None:
        """Show the state of the job."""
        self.paced.flush()
        self.bar.show_state(state)

    def show_progress(self, line: ProgressLine) -> None:
        """Show how far the job is, at the pace of all that it reports."""
        self.paced.show("progress", lambda: self.bar.show_progress(line))

    def say(self, text: str, level: Level = "info") -> None:
        """Show a sentence below the buttons; an empty one clears the last."""
        self.notice.say(text, level)

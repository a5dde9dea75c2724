"""Start, Pause, Resume and Stop, a progress bar, and the state in words."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_voxuda.app.buttons import STATE_WORDS, buttons_for
from napari_voxuda.app.job import JobState
from napari_voxuda.app.pace import ProgressLine
from napari_voxuda.gui.wrapping import let_wrap

__all__ = ["JobBar"]


class JobBar(QWidget):
    """The buttons and the progress of one job.

    Parameters
    ----------
    start_text : str
        What the first button says.
    start_tip, stop_tip : str
        Tooltips.
    """

    started = Signal()
    paused = Signal()
    resumed = Signal()
    stopped = Signal()

    def __init__(self, start_text: str, *, start_tip: str, stop_tip: str) -> None:
        super().__init__()
        self._state = JobState.IDLE
        self._resumable = False
        self._line = ""
        self.start_button = _button(start_text, start_tip)
        self.pause_button = _button("Pause", "Hold the work after the current step.")
        self.resume_button = _button("Resume", "Go on with the held work.")
        self.stop_button = _button("Stop", stop_tip)
        self.start_button.clicked.connect(lambda: self.started.emit())
        self.pause_button.clicked.connect(lambda: self.paused.emit())
        self.resume_button.clicked.connect(lambda: self.resumed.emit())
        self.stop_button.clicked.connect(lambda: self.stopped.emit())
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.pause_button)
        row.addWidget(self.resume_button)
        row.addWidget(self.stop_button)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(12)
        self.progress.setAccessibleName("Progress")
        self.state_label = QLabel()
        let_wrap(self.state_label)
        self.state_label.setAccessibleName("State")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.start_button)
        layout.addLayout(row)
        layout.addWidget(self.progress)
        layout.addWidget(self.state_label)
        self.show_state(JobState.IDLE)

    def show_state(self, state: JobState) -> None:
        """Show `state` in words and set every button's enabled flag from it."""
        was_active = self._state.is_active
        self._state = state
        if state is JobState.RUNNING and not was_active:
            self.progress.setRange(0, 0)
        if not state.is_active:
            self.progress.setRange(0, 1)
            self.progress.setValue(1 if state is JobState.DONE else 0)
            self._line = ""
        self._tell()
        self._update()

    def set_resumable(self, resumable: bool) -> None:
        """Say whether an ended job can go on from what it left on disk."""
        self._resumable = resumable
        self._update()

    def show_progress(self, line: ProgressLine) -> None:
        """Show how far the job is."""
        if not self._state.is_active:
            return
        self.progress.setRange(0, line.total)
        self.progress.setValue(line.done)
        self._line = line.text
        self._tell()

    def _tell(self) -> None:
        """Say the state, and how far the job is or is held."""
        words = STATE_WORDS[self._state]
        self.state_label.setText(f"{words}: {self._line}" if self._line else words)

    def _update(self) -> None:
        flags = buttons_for(self._state, resumable=self._resumable)
        self.start_button.setEnabled(flags.start)
        self.pause_button.setEnabled(flags.pause)
        self.resume_button.setEnabled(flags.resume)
        self.stop_button.setEnabled(flags.stop)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAccessibleName(text)
    return button

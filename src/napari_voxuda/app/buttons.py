"""Which buttons of a job can be pressed: a function of the job's state."""

from __future__ import annotations

from dataclasses import dataclass

from napari_voxuda.app.job import JobState

__all__ = ["STATE_WORDS", "Buttons", "buttons_for"]

STATE_WORDS: dict[JobState, str] = {
    JobState.IDLE: "Ready",
    JobState.RUNNING: "Running",
    JobState.PAUSED: "Paused",
    JobState.CANCELLING: "Stopping after the current step",
    JobState.CANCELLED: "Stopped",
    JobState.DONE: "Done",
    JobState.FAILED: "Failed",
}


@dataclass(frozen=True, kw_only=True)
class Buttons:
    """Whether each button can be pressed."""

    start: bool
    pause: bool
    resume: bool
    stop: bool


def buttons_for(state: JobState, *, resumable: bool = False) -> Buttons:
    """Return the buttons of `state`.

    Parameters
    ----------
    state : JobState
        The job's state.
    resumable : bool
        Whether an ended job can go on from what it left on disk.
    """
    ended = not state.is_active
    return Buttons(
        start=ended,
        pause=state is JobState.RUNNING,
        resume=state is JobState.PAUSED or (ended and resumable),
        stop=state in (JobState.RUNNING, JobState.PAUSED),
    )

"""The steps of *Getting started*: where the user is, and what is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["STEPS", "Tour", "TourStep"]


@dataclass(frozen=True, kw_only=True)
class TourStep:
    """One step.

    Parameters
    ----------
    key : str
        Its name in the program.
    title : str
        Its name for the user, two or three words.
    text : str
        What to do, and why; a sentence or two.
    """

    key: str
    title: str
    text: str


STEPS = (
    TourStep(
        key="open",
        title="Open",
        text="A small synthetic tomogram was opened and is the target. Later, open your own with "
        "“Open tomogram…”, or drop its file on the canvas.",
    ),
    TourStep(
        key="denoise",
        title="Preview denoising",
        text="Tick the live preview and move the sliders: what is visible of the slice is denoised at "
        "once, and the tomogram stays as it is.",
    ),
    TourStep(
        key="adapt",
        title="Adapt",
        text="Press Start. A network learns from simulated molecules and adapts to the tomogram, "
        "without one label of yours; with the preset “fast” that takes some minutes.",
    ),
    TourStep(
        key="mask",
        title="Look at the mask",
        text="Scroll through the slices, then move the threshold: the mask follows, and Ctrl-Z takes it "
        "back.",
    ),
    TourStep(
        key="refine",
        title="Refine",
        text="Press “Correct and refine…”, paint a few corrections as particle or background, then press "
        "Refine: the run learns from them within a minute.",
    ),
    TourStep(
        key="export",
        title="Export",
        text="Press “Export mask…”: save the mask as MRC, or in another format, with the tomogram's voxel "
        "size and origin.",
    ),
)


class Tour:
    """Walks through steps; what was done once stays done.

    Parameters
    ----------
    steps : sequence of TourStep
        The steps, at least one.
    """

    def __init__(self, steps: tuple[TourStep, ...] = STEPS) -> None:
        self.steps = steps
        self._index = 0
        self._done: set[str] = set()

    @property
    def step(self) -> TourStep:
        """The present step."""
        return self.steps[self._index]

    @property
    def number(self) -> int:
        """The present step's number, from 1."""
        return self._index + 1

    @property
    def can_go_back(self) -> bool:
        """Whether there is a step before."""
        return self._index > 0

    @property
    def can_go_on(self) -> bool:
        """Whether there is a step after."""
        return self._index < len(self.steps) - 1

    @property
    def finished(self) -> bool:
        """Whether every step was done."""
        return all(self.is_done(step) for step in self.steps)

    def is_done(self, step: TourStep) -> bool:
        """Whether a step was done."""
        return step.key in self._done

    def back(self) -> None:
        """Go to the step before."""
        self._index = max(0, self._index - 1)

    def next(self) -> None:
        """Go to the step after, done or not."""
        self._index = min(len(self.steps) - 1, self._index + 1)

    def tick(self, done: Iterable[str]) -> bool:
        """Note what the user has done; return whether that is news."""
        known = {step.key for step in self.steps}
        news = (set(done) & known) - self._done
        self._done |= news
        return bool(news)

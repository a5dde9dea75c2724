"""What the controller of *Vox-UDA refine* asks of the dock."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from napari_voxuda.adaptation.refine_settings import RefineSettings
from napari_voxuda.app.compare.controller import ComparisonView
from napari_voxuda.app.job import JobState
from napari_voxuda.app.jobs import DeviceName
from napari_voxuda.app.mask.refinement import MaskChoice
from napari_voxuda.app.pace import ProgressLine
from napari_voxuda.app.scene import LayerChoice, LayerKey
from napari_voxuda.app.words import Level
from napari_voxuda.segmentation.particles import Particle

__all__ = ["RefineRequest", "RefineView", "VersionLine"]


@dataclass(frozen=True, kw_only=True)
class RefineRequest:
    """The dock's inputs.

    Parameters
    ----------
    layer : LayerKey or None
        The tomogram.
    run : Path or None
        The run whose model is refined.
    settings : RefineSettings
        The short adaptation.
    device : {"auto", "cpu", "cuda"}
        Where tensors are computed.
    mask : MaskChoice
        How the mask is made from the probability.
    """

    layer: LayerKey | None = None
    run: Path | None = None
    settings: RefineSettings = field(default_factory=RefineSettings)
    device: DeviceName = "auto"
    mask: MaskChoice = field(default_factory=lambda: MaskChoice(threshold=0.5))


@dataclass(frozen=True, kw_only=True)
class VersionLine:
    """A version of the run's model that the user can go back to."""

    number: int
    name: str
    current: bool


class RefineView(Protocol):
    """The dock, as its controller sees it."""

    @property
    def comparison(self) -> ComparisonView:
        """The group that compares the mask."""
        ...

    def request(self) -> RefineRequest:
        """Return the inputs; raises `InputError` where they do not fit together."""
        ...

    def show_layers(self, images: list[LayerChoice]) -> None:
        """Show the tomograms to choose from."""
        ...

    def choose(self, layer: LayerKey | None, run: Path | None, mask: MaskChoice) -> None:
        """Show other inputs."""
        ...

    def show_choice(self, choice: MaskChoice) -> None:
        """Show how the mask was made, without asking for it again."""
        ...

    def show_versions(self, versions: list[VersionLine]) -> None:
        """Show the versions of the run's model; none where it has not finished."""
        ...

    def show_ready(self, ready: bool) -> None:
        """Enable what needs a mask."""
        ...

    def show_found(self, words: str) -> None:
        """Say what the mask holds."""
        ...

    def show_particles(self, particles: list[Particle]) -> None:
        """Fill the table."""
        ...

    def show_marks(self, words: str) -> None:
        """Say how much was corrected."""
        ...

    def show_place(self, words: str, *, can_walk: bool) -> None:
        """Say which uncertain place is shown, and whether there are more."""
        ...

    def show_state(self, state: JobState) -> None:
        """Show the state of the job."""
        ...

    def show_progress(self, line: ProgressLine) -> None:
        """Show how far the job is."""
        ...

    def say(self, text: str, level: Level = "info") -> None:
        """Show a sentence beside the buttons; an empty one clears the last."""
        ...

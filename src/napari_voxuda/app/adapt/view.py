"""What the controller of *Vox-UDA adapt* asks of the dock."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from napari_voxuda.adaptation.events import Alarm, Preview, StepDone
from napari_voxuda.app.adapt.preflight_controller import CheckView
from napari_voxuda.app.adapt.request import AdaptRequest
from napari_voxuda.app.compare.controller import ComparisonView
from napari_voxuda.app.job import JobState
from napari_voxuda.app.live.controller import LiveView
from napari_voxuda.app.mask.refinement import MaskChoice
from napari_voxuda.app.pace import ProgressLine
from napari_voxuda.app.runs.controller import RunsView
from napari_voxuda.app.scene import LayerChoice, LayerKey
from napari_voxuda.app.words import Level

__all__ = ["AdaptView"]


class AdaptView(RunsView, CheckView, Protocol):
    """The dock, as its controller sees it."""

    @property
    def comparison(self) -> ComparisonView:
        """The group that compares the mask."""
        ...

    @property
    def live(self) -> LiveView:
        """The row of the live prediction and of the snapshots."""
        ...

    def request(self) -> AdaptRequest:
        """Return the inputs; raises `InputError` where they do not fit together."""
        ...

    def target_layer(self) -> LayerKey | None:
        """Return the chosen target layer, or the first of several; None while a folder is the target."""
        ...

    def target_layers(self) -> list[LayerKey]:
        """Return all chosen target layers; none while a folder is the target."""
        ...

    def mask_choice(self) -> MaskChoice:
        """Return how the mask is to be made."""
        ...

    def run_folder(self) -> Path | None:
        """Return the run folder that the user chose."""
        ...

    def show_layers(
        self, images: list[LayerChoice], points: list[LayerChoice], labels: list[LayerChoice]
    ) -> None:
        """Show the layers to choose from; keep the chosen ones where possible."""
        ...

    def choose_target(self, key: LayerKey) -> None:
        """Choose a target layer; where several can be chosen, this one too."""
        ...

    def show_voxel_size(self, voxel_size_angstrom: float | None, note: str) -> None:
        """Show the target's voxel size, or that it must be given."""
        ...

    def show_contrast(self, words: str) -> None:
        """Show what the contrast looks like."""
        ...

    def show_run(self, run: Path | None, *, resumable: bool, has_model: bool) -> None:
        """Show the current run folder and what can be done with it."""
        ...

    def show_state(self, state: JobState) -> None:
        """Show the state of the job."""
        ...

    def show_progress(self, line: ProgressLine) -> None:
        """Show how far the job is."""
        ...

    def show_step(self, step: StepDone) -> None:
        """Add a step to the curves."""
        ...

    def show_preview(self, preview: Preview) -> None:
        """Show the model's view of a target box."""
        ...

    def show_alarm(self, alarm: Alarm) -> None:
        """Show what went wrong and what was done, until the next run."""
        ...

    def clear_curves(self) -> None:
        """Forget the curves and alarms of an earlier run."""
        ...

    def show_result(self, available: bool, words: str) -> None:
        """Enable the mask's sliders and say what was found."""
        ...

    def log(self, text: str, level: Level = "info") -> None:
        """Append a sentence to the messages."""
        ...

    def say(self, text: str, level: Level = "info") -> None:
        """Show a sentence beside the buttons; an empty one clears the last."""
        ...

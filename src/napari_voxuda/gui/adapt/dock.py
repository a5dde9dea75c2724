"""The dock *Vox-UDA adapt*: from a tomogram to a mask without labels."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QPushButton, QWidget

from napari_voxuda.adaptation.events import Alarm, Preview, StepDone
from napari_voxuda.app.adapt.controller import AdaptController
from napari_voxuda.app.adapt.preflight_report import Preflight
from napari_voxuda.app.adapt.request import AdaptRequest
from napari_voxuda.app.job import JobState
from napari_voxuda.app.mask.refinement import MaskChoice
from napari_voxuda.app.running import Executor
from napari_voxuda.app.runs.history import RunHistory
from napari_voxuda.app.runs.overview import RunSummary
from napari_voxuda.app.scene import LayerChoice, LayerKey, Scene
from napari_voxuda.app.set_aside import SetAside
from napari_voxuda.app.words import Level
from napari_voxuda.errors import InputError
from napari_voxuda.gui.adapt.check_group import CheckGroup
from napari_voxuda.gui.adapt.progress_group import ProgressGroup
from napari_voxuda.gui.adapt.result_group import ResultGroup
from napari_voxuda.gui.adapt.runs_group import RunsGroup
from napari_voxuda.gui.adapt.source_group import SourceGroup
from napari_voxuda.gui.adapt.target_group import TargetGroup
from napari_voxuda.gui.adapt.training_group import TrainingGroup
from napari_voxuda.gui.comparison_group import ComparisonGroup
from napari_voxuda.gui.executor import ThreadExecutor
from napari_voxuda.gui.frame import when_destroyed
from napari_voxuda.gui.job_bar import JobBar
from napari_voxuda.gui.job_dock import JobDock
from napari_voxuda.method.denoising import DenoiseSettings

__all__ = ["AdaptDock"]

_SET_ASIDE_AFTER_MS = 500  # not with the click, and before the first step of a run


class AdaptDock(JobDock):
    """View of `AdaptController`.

    Parameters
    ----------
    scene : Scene
        The layers.
    executor : Executor or None
        Where work is done; threads without.
    """

    def __init__(
        self, scene: Scene, executor: Executor | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName("Vox-UDA adapt")
        self._executor = executor if executor is not None else ThreadExecutor()
        self._had_result = False
        self._checking = False
        self._set_aside = SetAside()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SET_ASIDE_AFTER_MS)
        self._soon.timeout.connect(self._set_aside.begin)
        self._build()
        self.controller = AdaptController(self, scene, self._executor)
        self._connect(scene)
        closing = (scene.close, self.controller.close, self._executor.close, self._set_aside.end)
        when_destroyed(self, *closing)
        self.controller.layers_changed()
        self.target.layer_box.set_key(scene.active())
        self.controller.target_changed()
        groups = (self.source, self.training, self.result)
        self.remember("adapt", {k: v for group in groups for k, v in group.choices().items()})

    def request(self) -> AdaptRequest:
        """Return the inputs."""
        if self.target.wants_folder() and self.target.folder() is None:
            raise InputError("Target: a folder was wanted, got none. Press Choose… and pick one.")
        return AdaptRequest(
            layer=self.target.layer(),
            more_layers=tuple(self.target.layers()[1:]),
            folder=self.target.folder(),
            picks=self.target.picks(),
            picks_file=self.target.picks_file(),
            voxel_size_angstrom=self.target.voxel_size_angstrom(),
            contrast=self.target.contrast(),
            source=self.source.value(),
            labelled=self.source.labelled(),
            settings=self.training.settings(),
            device=self.training.device(),
            place=self.training.place(),
            run=self.training.run_folder(),
            seed=self.training.seed(),
            mask=self.mask_choice(),
        )

    def target_layer(self) -> LayerKey | None:
        """Return the chosen target layer."""
        return self.target.layer()

    def target_layers(self) -> list[LayerKey]:
        """Return all chosen target layers."""
        return self.target.layers()

    def mask_choice(self) -> MaskChoice:
        """Return how the mask is to be made."""
        return self.result.choice()

    def run_folder(self) -> Path | None:
        """Return the run folder that the user chose."""
        return self.training.run_folder()

    def show_layers(
        self, images: list[LayerChoice], points: list[LayerChoice], labels: list[LayerChoice]
    ) -> None:
        """Show the layers to choose from."""
        self.target.show_layers(images, points)
        self.source.show_layers(images, labels)

    def choose_target(self, key: LayerKey) -> None:
        """Choose a target layer."""
        self.target.choose(key)

    def show_voxel_size(self, voxel_size_angstrom: float | None, note: str) -> None:
        """Show the target's voxel size."""
        self.target.show_voxel_size(voxel_size_angstrom, note)

    def show_contrast(self, words: str) -> None:
        """Show what the contrast looks like."""
        self.target.show_contrast(words)

    def show_run(self, run: Path | None, *, resumable: bool, has_model: bool) -> None:
        """Show what can be done with the run folder."""
        self.bar.set_resumable(resumable)
        self.result.segment_button.setEnabled(has_model)
        if has_model:
            self.result.expand()

    def show_state(self, state: JobState) -> None:
        """Show the state of the job; make room for the curves when it starts."""
        super().show_state(state)
        if not state.is_active:
            self._checking = False
            self._soon.stop()
            self._set_aside.end()
        if state is JobState.RUNNING and not self._checking and not self.progress.isExpanded():
            self.target.collapse()
            self.source.collapse()
            self.training.collapse()
            self.progress.expand()
        if state is JobState.RUNNING:
            self._soon.start()
            QTimer.singleShot(0, self.progress.curves.prepare)

    def show_step(self, step: StepDone) -> None:
        """Add a step to the curves."""
        self.progress.show_step(step)

    def show_preview(self, preview: Preview) -> None:
        """Show the model's view of a target box."""
        self.paced.show("preview", lambda: self.progress.preview.show_preview(preview))

    def show_alarm(self, alarm: Alarm) -> None:
        """Show that something went wrong, where it is seen."""
        self.progress.show_alarm(alarm)
        self.progress.expand()

    def clear_curves(self) -> None:
        """Forget the curves and alarms of an earlier run."""
        self.paced.forget()
        self.progress.clear()

    def show_runs(self, runs: list[RunSummary]) -> None:
        """List the runs."""
        self.runs.show_runs(runs)

    def show_check(self, report: Preflight | None) -> None:
        """Show what the check before a run has found."""
        self.check.show_check(report)

    def choose_run(self, run: Path) -> None:
        """Make `run` the run folder."""
        self.training.run_row.set_paths([run])

    def show_history(self, history: RunHistory) -> None:
        """Draw the curves and alarms of a run anew, where they are seen."""
        self.progress.show_history(history)
        if history.steps:
            self.progress.expand()

    def follow(self, words: str) -> None:
        """Say that a run goes on elsewhere, and look at it every few seconds."""
        self.runs.follow(words)
        if words:
            self.runs.expand()

    def show_result(self, available: bool, words: str) -> None:
        """Enable the mask's sliders and say what was found."""
        self.result.show_result(available, words)
        if available and not self._had_result:
            self._had_result = True
            self.target.collapse()
            self.result.expand()

    def take_denoiser(self, settings: DenoiseSettings) -> None:
        """Let the teacher see the target denoised as in the dock *Denoise (IBF)*."""
        self.training.set_denoiser(settings)
        self.training.expand()
        self.scroll_to(self.training.denoiser_note)

    def log(self, text: str, level: Level = "info") -> None:
        """Append a sentence to the messages."""
        self.progress.messages.add(text, level)

    def _build(self) -> None:
        self.target = TargetGroup()
        self.source = SourceGroup()
        self.training = TrainingGroup()
        self.check = CheckGroup()
        self.progress = ProgressGroup(self.paced)
        self.live = self.progress.live
        self.result = ResultGroup()
        self.runs = RunsGroup()
        self.comparison = ComparisonGroup()
        groups = (
            self.target,
            self.source,
            self.training,
            self.check,
            self.result,
            self.comparison,
            self.progress,
        )
        self.tour_button = QPushButton("Getting started")
        self.tour_button.setToolTip(
            "Open a small sample tomogram and be led through: preview denoising, adapt, look at the "
            "mask, refine, export."
        )
        self.column.addWidget(self.tour_button)
        for group in groups:
            self.column.addWidget(group)
        self.column.addWidget(self.runs)
        self.column.addStretch(1)
        self.end_with(
            JobBar(
                "Start",
                start_tip="Adapt to the target in a new run, then segment it.",
                stop_tip="Stop after the current step. The run keeps its checkpoints; Resume goes on.",
            )
        )
        self.result.segment_button.setEnabled(False)

    def _connect(self, scene: Scene) -> None:
        controller = self.controller
        self.target.changed.connect(self._forget_error)
        self.target.changed.connect(controller.target_changed)
        self.target.changed.connect(lambda: self.result.set_for_files(self.target.wants_folder()))
        self.target.opened.connect(controller.open)
        self.training.run_changed.connect(controller.run_folder_changed)
        self.result.changed.connect(controller.mask_changed)
        self.result.segmented.connect(controller.segment)
        self.check.asked.connect(self._check)
        self.runs.opened.connect(controller.runs.open)
        self.runs.added.connect(controller.runs.add)
        self.runs.refreshed.connect(controller.runs.refresh)
        self.runs.ticked.connect(controller.runs.tick)
        self.comparison.reference_changed.connect(controller.comparison.update)
        self.comparison.errors_changed.connect(controller.comparison.errors_changed)
        self.live.wanted_changed.connect(controller.live.wanted_changed)
        self.live.chosen.connect(controller.live.choose)
        scene.watch_view(controller.live.view_changed)
        self.drive(controller.start, controller)
        scene.watch_layers(controller.layers_changed)

    def _forget_error(self) -> None:
        """Take away what was wrong with another choice."""
        if self.notice.level == "error" and not self.controller.busy:
            self.say("")

    def _check(self) -> None:
        """Check, and leave the groups as they are: the report stands where the button is."""
        self._checking = not self.controller.busy
        self.controller.check()
        self._checking = self._checking and self.controller.busy

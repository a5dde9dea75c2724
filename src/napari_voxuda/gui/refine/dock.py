"""The dock *Vox-UDA refine*: correct a mask, and let its run learn from the corrections."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QFormLayout, QWidget

from napari_voxuda.adaptation.refine_settings import RefineSettings
from napari_voxuda.app.job import JobState
from napari_voxuda.app.mask.refinement import MaskChoice
from napari_voxuda.app.refine.controller import RefineController
from napari_voxuda.app.refine.view import RefineRequest, VersionLine
from napari_voxuda.app.running import Executor
from napari_voxuda.app.scene import LayerChoice, LayerKey, Scene
from napari_voxuda.gui.choices import choice_of
from napari_voxuda.gui.comparison_group import ComparisonGroup
from napari_voxuda.gui.config_form import ConfigForm
from napari_voxuda.gui.executor import ThreadExecutor
from napari_voxuda.gui.frame import Group, when_destroyed
from napari_voxuda.gui.inputs import DEVICE_TIP, DEVICES, choice_box
from napari_voxuda.gui.job_bar import JobBar
from napari_voxuda.gui.job_dock import JobDock
from napari_voxuda.gui.refine.groups import (
    CorrectionsGroup,
    MaskGroup,
    ParticlesGroup,
    RunGroup,
    UncertaintyGroup,
)
from napari_voxuda.segmentation.particles import Particle

__all__ = ["RefineDock"]


class RefineDock(JobDock):
    """View of `RefineController`.

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
        self.setAccessibleName("Vox-UDA refine")
        self._executor = executor if executor is not None else ThreadExecutor()
        self._ready, self._state = False, JobState.IDLE
        self._build()
        self.controller = RefineController(self, scene, self._executor)
        self._connect(scene)
        when_destroyed(self, scene.close, self.controller.close, self._executor.close)
        self.controller.layers_changed()
        self.run_group.layer_box.set_key(scene.active())
        self.show_ready(False)
        inputs = {"settings": self.form, "device": self.device_box}
        self.remember("refine", {name: choice_of(widget) for name, widget in inputs.items()})
        self.say("Choose a tomogram and a finished run, then press Segment.")

    def request(self) -> RefineRequest:
        """Return the inputs."""
        return RefineRequest(
            layer=self.run_group.layer_box.key(),
            run=self.run_group.run_row.path(),
            settings=self.form.value(),
            device=self.device_box.currentData(),
            mask=self.mask_group.sliders.choice(numbered=True),
        )

    def show_layers(self, images: list[LayerChoice]) -> None:
        """Show the tomograms to choose from."""
        self.run_group.layer_box.show_choices(images)

    def choose(self, layer: LayerKey | None, run: Path | None, mask: MaskChoice) -> None:
        """Show other inputs."""
        self.run_group.choose(layer, run)
        self.mask_group.sliders.set_choice(mask)

    def show_choice(self, choice: MaskChoice) -> None:
        """Show how the mask was made that undo has brought back."""
        self.mask_group.sliders.show_choice(choice)

    def show_versions(self, versions: list[VersionLine]) -> None:
        """Show the versions of the run's model."""
        self.run_group.show_versions(versions)

    def show_ready(self, ready: bool) -> None:
        """Enable what needs a mask, and make room for it."""
        if ready and not self._ready:
            self.run_group.collapse()
            for group in (self.mask_group, self.particles, self.corrections, self.uncertainty):
                group.expand()
        self._ready = ready
        self._update()

    def show_found(self, words: str) -> None:
        """Say what the mask holds."""
        self.mask_group.found.setText(words)

    def show_particles(self, particles: list[Particle]) -> None:
        """Fill the table."""
        self.particles.table.set_particles(particles)

    def show_marks(self, words: str) -> None:
        """Say how much was corrected."""
        self.corrections.count.setText(words)

    def show_place(self, words: str, *, can_walk: bool) -> None:
        """Say which uncertain place is shown."""
        self.uncertainty.show_place(words, can_walk=can_walk)

    def show_state(self, state: JobState) -> None:
        """Show the state of the job."""
        self._state = state
        super().show_state(state)
        self._update()

    def _build(self) -> None:
        self.run_group = RunGroup()
        self.mask_group = MaskGroup()
        self.particles = ParticlesGroup()
        self.corrections = CorrectionsGroup()
        self.uncertainty = UncertaintyGroup()
        self.comparison = ComparisonGroup()
        settings = Group("Settings", expanded=False)
        self.form = ConfigForm(RefineSettings())
        self.device_box = choice_box("Device", DEVICES, DEVICE_TIP)
        device = QWidget()
        rows = QFormLayout(device)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow("Device", self.device_box)
        settings.addWidget(self.form)
        settings.addWidget(device)
        groups: tuple[Group, ...] = (
            self.run_group,
            self.mask_group,
            self.particles,
            self.uncertainty,
            self.corrections,
            self.comparison,
            settings,
        )
        for group in groups:
            self.column.addWidget(group)
        for group in groups[1:]:
            group.collapse()
        self.column.addStretch(1)
        self.end_with(
            JobBar(
                "Refine",
                start_tip="Let the run learn from the corrections, then segment the tomogram again. "
                "The corrected voxels stay as you gave them.",
                stop_tip="Stop after the current step. The run keeps its model and your corrections.",
            )
        )

    def _connect(self, scene: Scene) -> None:
        controller = self.controller
        self.run_group.run_changed.connect(controller.run_changed)
        self.run_group.segmented.connect(controller.segment)
        self.run_group.restored.connect(controller.restore)
        self.mask_group.changed.connect(controller.actions.change)
        self.particles.visited.connect(controller.mask.go_to)
        self.particles.deleted.connect(controller.actions.delete)
        self.particles.merged.connect(controller.actions.merge)
        self.particles.split.connect(controller.actions.split)
        self.corrections.painted.connect(controller.actions.paint)
        self.corrections.cleared.connect(controller.actions.clear)
        self.uncertainty.asked.connect(controller.find_uncertain)
        self.uncertainty.went_on.connect(controller.walk.next)
        self.uncertainty.went_back.connect(controller.walk.previous)
        self.comparison.reference_changed.connect(controller.comparison.update)
        self.comparison.errors_changed.connect(controller.comparison.errors_changed)
        self.drive(controller.refine, controller.work)
        scene.watch_layers(controller.layers_changed)

    def _update(self) -> None:
        """Enable what the state of the job and the mask allow."""
        idle = not self._state.is_active
        for group in (self.mask_group, self.particles, self.corrections, self.uncertainty):
            group.setEnabled(self._ready)
        self.uncertainty.find_button.setEnabled(idle)
        self.run_group.setEnabled(idle)
        self.bar.start_button.setEnabled(self._ready and idle)

"""The dock *Vox-UDA 3-D*: masks, probabilities and particles in space, with the true hand."""

from __future__ import annotations

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QPushButton, QWidget

from napari_voxuda._types import TripleInt
from napari_voxuda.app.running import Executor
from napari_voxuda.app.scene import LayerChoice, LayerKey, Scene
from napari_voxuda.app.space.controller import SpaceController
from napari_voxuda.app.space.view import Space, SpaceRequest
from napari_voxuda.gui.choices import choice_of
from napari_voxuda.gui.executor import ThreadExecutor
from napari_voxuda.gui.frame import when_destroyed
from napari_voxuda.gui.job_bar import JobBar
from napari_voxuda.gui.job_dock import JobDock
from napari_voxuda.gui.space.groups import CutGroup, HandGroup, LayersGroup
from napari_voxuda.gui.space.particles import ParticlesGroup

__all__ = ["SpaceDock"]


class SpaceDock(JobDock):
    """View of `SpaceController`.

    Parameters
    ----------
    scene : Scene
        The layers.
    space : Space
        The viewer's 3-D view.
    executor : Executor or None
        Where surfaces are made; threads without.
    """

    def __init__(
        self,
        scene: Scene,
        space: Space,
        executor: Executor | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName("Vox-UDA 3-D")
        self._executor = executor if executor is not None else ThreadExecutor()
        self._build()
        self.controller = SpaceController(self, scene, space, self._executor)
        when_destroyed(self, scene.close, space.close, self.controller.close, self._executor.close)
        self.controller.layers_changed()
        self.controller.propose()
        self._connect(scene, space)
        self.show_inside(False)
        self.controller.changed()
        particles = self.particles
        inputs = {"side": self.cut.side_box, "thickness": self.cut.thickness}
        inputs |= {"as": self.cut.as_box, "keep": self.hand.keep_box, "of": particles.of_box}
        inputs |= {"threshold": particles.threshold, "smoothing": particles.smoothing}
        inputs |= {"colors": particles.color_box, "surfaces": particles.surfaces_box}
        inputs["centres"] = particles.centres_box
        self.remember("space", {name: choice_of(widget) for name, widget in inputs.items()})

    def request(self) -> SpaceRequest:
        """Return what the user has chosen."""
        particles = self.particles
        return SpaceRequest(
            tomogram=self.layers.tomogram_box.key(),
            mask=self.layers.mask_box.key(),
            probability=self.layers.probability_box.key(),
            tomogram_as=self.cut.as_box.currentData(),
            cut=self.cut.cut(),
            side=self.cut.side_box.currentData(),
            surface_of=particles.of_box.currentData(),
            settings=particles.settings(),
            one_color=particles.color_box.currentData() == "one",
            surfaces=particles.surfaces_box.isChecked(),
            centres=particles.centres_box.isChecked(),
            rendering=particles.rendering_box.isChecked(),
            orientation=self.hand.box.currentData() or "imod",
            keep_orientation=self.hand.keep_box.isChecked(),
        )

    def show_layers(self, images: list[LayerChoice], labels: list[LayerChoice]) -> None:
        """Show the layers to choose from."""
        self.layers.tomogram_box.show_choices(images)
        self.layers.probability_box.show_choices(images)
        self.layers.mask_box.show_choices(labels)
        self._enable()

    def choose(
        self, tomogram: LayerKey | None, mask: LayerKey | None, probability: LayerKey | None
    ) -> None:
        """Choose layers."""
        self.layers.tomogram_box.set_key(tomogram)
        self.layers.mask_box.set_key(mask)
        self.layers.probability_box.set_key(probability)
        self._enable()

    def show_shape(self, shape: TripleInt) -> None:
        """Show the room that the plane has."""
        self.cut.show_shape(shape)

    def show_position(self, position: int) -> None:
        """Show where the plane lies."""
        self.cut.show_position(position)

    def show_inside(self, inside: bool) -> None:
        """Show whether the 3-D view is the dock's."""
        self.toggle_button.setText("Back to slices" if inside else "Show in 3-D")
        for button in self.hand.look_buttons.values():
            button.setEnabled(inside)

    def show_hand(self, words: str, *, mirrored: bool, preset: str | None) -> None:
        """Say which hand is shown."""
        self.hand.show_hand(words, mirrored=mirrored, preset=preset)

    def show_made(self, words: str, *, stale: bool) -> None:
        """Say what surfaces there are."""
        self.particles.show_made(words, stale=stale)

    def event(self, event: QEvent | None) -> bool:
        """Give the viewer back as it was when the dock is closed: napari then takes its parent away."""
        taken_out = (
            event is not None
            and event.type() == QEvent.Type.ParentChange
            and self.parent() is None
            and hasattr(self, "controller")
        )
        if taken_out:
            self.controller.close()
        return super().event(event)

    def _enable(self) -> None:
        self.particles.show_probability(self.layers.probability_box.key() is not None)

    def _build(self) -> None:
        self.toggle_button = QPushButton()
        self.toggle_button.setToolTip(
            "Show the chosen layers in three dimensions, and go back to the slices as they were. "
            "Volumes that are not chosen are hidden meanwhile."
        )
        self.toggle_button.setAccessibleName("Show in 3-D, or go back to slices")
        self.column.addWidget(self.toggle_button)
        self.layers = LayersGroup()
        self.hand = HandGroup()
        self.cut = CutGroup()
        self.particles = ParticlesGroup()
        for group in (self.layers, self.hand, self.cut, self.particles):
            self.column.addWidget(group)
        self.column.addStretch(1)
        self.end_with(
            JobBar(
                "Update surfaces",
                start_tip="Make the surfaces and centres again from the mask or the probability.",
                stop_tip="Stop; the surfaces stay as they were.",
            )
        )

    def _connect(self, scene: Scene, space: Space) -> None:
        controller = self.controller
        self.toggle_button.clicked.connect(lambda: controller.toggle())
        self.layers.changed.connect(self._enable)
        self.layers.changed.connect(controller.changed)
        self.hand.chosen.connect(controller.orientation_chosen)
        self.hand.kept.connect(controller.changed)
        self.hand.looked.connect(controller.look_along)
        self.cut.changed.connect(controller.changed)
        self.particles.changed.connect(controller.changed)
        self.particles.recolored.connect(controller.surfaces.color)
        work = controller.surfaces.work
        self.drive(controller.surfaces.update, work)
        scene.watch_layers(controller.layers_changed)
        space.watch(controller.view_changed)

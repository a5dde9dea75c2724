"""Decisions of the dock *Vox-UDA 3-D*: what is shown in space, how, and with which hand."""

from __future__ import annotations

from collections.abc import Sequence

from napari_voxuda.app.running import Executor
from napari_voxuda.app.scene import LayerChoice, LayerKey, Scene
from napari_voxuda.app.space.hand import ORIENTATIONS, hand_words, is_mirrored, preset_of
from napari_voxuda.app.space.surface_layers import SpaceSurfaces
from napari_voxuda.app.space.view import Space, SpaceRequest, SpaceView

__all__ = ["SpaceController"]

_SLOW_VOXELS = 1 << 27
_NO_IMAGE = ("probability", "uncertainty")


class SpaceController:
    """Connects the dock, the layers and the 3-D view; knows neither Qt nor napari.

    Parameters
    ----------
    view : SpaceView
        The dock.
    scene : Scene
        The layers.
    space : Space
        The 3-D view.
    executor : Executor
        Where surfaces are made.
    """

    def __init__(self, view: SpaceView, scene: Scene, space: Space, executor: Executor) -> None:
        self._view, self._scene, self._space = view, scene, space
        self.surfaces = SpaceSurfaces(view, scene, space, executor, self.changed)
        self._inside = False
        self._keep_orientation = False
        self._shown: dict[LayerKey, bool] = {}
        self._plane: LayerKey | None = None

    def propose(self) -> None:
        """Choose the layers that fit best by kind and name."""
        images, labels = self._scene.choices("image"), self._scene.choices("labels")
        tomograms = [c for c in images if not c.name.endswith(_NO_IMAGE)]
        active = self._scene.active()
        self._view.choose(
            _first([c for c in tomograms if c.key == active] or tomograms[-1:]),
            _first([c for c in labels if c.key == active] or labels),
            _first([c for c in images if c.name.endswith("probability")]),
        )

    def layers_changed(self) -> None:
        """Bring the lists of layers up to date."""
        self._view.show_layers(self._scene.choices("image"), self._scene.choices("labels"))
        self.changed()

    def toggle(self) -> None:
        """Show the chosen layers in three dimensions, or go back to slices."""
        if self._inside:
            self._leave()
            return
        request = self._view.request()
        if self._reference(request) is None:
            self._view.say("Choose a tomogram, a mask or a probability first.", "error")
            return
        self._view.say("")
        self._space.enter()
        self._shown.clear()
        self._inside = True
        self._view.show_inside(True)
        self._space.orient(ORIENTATIONS[request.orientation])
        self.changed()
        self._space.look_along(None)
        if not self.surfaces.exist and self.surfaces.can_update():
            self.surfaces.update()

    def look_along(self, axis: int | None) -> None:
        """Turn the view to look along z, y or x, or from a corner."""
        if self._inside:
            self._space.look_along(axis)

    def orientation_chosen(self) -> None:
        """Orient the view as chosen; before the view is entered, the choice waits."""
        if self._inside:
            self._space.orient(ORIENTATIONS[self._view.request().orientation])
        self._show_hand()

    def view_changed(self) -> None:
        """Follow the viewer: its own buttons lead out of 3-D and orient the view, too."""
        if self._inside and not self._space.is_shown():
            self._leave()
        self._show_hand()

    def changed(self) -> None:
        """Show what is chosen."""
        request = self._view.request()
        self._keep_orientation = request.keep_orientation
        reference = self._reference(request)
        if reference is not None:
            self._view.show_shape(self._scene.volume(reference).shape)
        if self._inside:
            self._show(self._view.request(), reference)
        self.surfaces.tell()
        self._show_hand()

    def close(self) -> None:
        """Stop the work and give the viewer back as it was; asks nothing of the dock."""
        self.surfaces.work.cancel()
        if self._inside:
            self._inside = False
            self._give_back()

    def _leave(self) -> None:
        self._inside = False
        self._give_back()
        self._view.show_inside(False)
        self._show_hand()

    def _give_back(self) -> None:
        for key in (self.surfaces.surface, self.surfaces.centres):
            if key is not None:
                self._space.set_visible(key, False)
        self._space.leave(keep_orientation=self._keep_orientation)

    def _reference(self, request: SpaceRequest) -> LayerKey | None:
        """Return the layer in whose voxels the plane is measured."""
        keys = (request.tomogram, request.mask, request.probability)
        return next((key for key in keys if key is not None and self._scene.has(key)), None)

    def _show(self, request: SpaceRequest, reference: LayerKey | None) -> None:
        tomogram, probability = request.tomogram, request.probability
        wanted: dict[LayerKey, bool] = {}
        if probability is not None and self._scene.has(probability):
            wanted[probability] = request.rendering
            if request.rendering:
                self._space.show_iso(probability, request.settings.threshold)
        if tomogram is not None and self._scene.has(tomogram):
            wanted[tomogram] = request.tomogram_as != "hidden"
            self._show_tomogram(tomogram, request)
        drawn = {self.surfaces.surface: request.surfaces, self.surfaces.centres: request.centres}
        wanted |= {key: shown for key, shown in drawn.items() if key is not None}
        if reference is not None:
            for key in [*drawn, probability if probability != tomogram else None]:
                if key is not None and self._scene.has(key):
                    self._space.clip(key, reference, request.cut, request.side)
        for key in self._shown.keys() - wanted.keys():
            wanted[key] = False
        for key, visible in wanted.items():
            # Only what changes: the user may have hidden a layer by its eye.
            if self._shown.get(key) is not visible:
                self._space.set_visible(key, visible)
        self._shown = wanted

    def _show_tomogram(self, key: LayerKey, request: SpaceRequest) -> None:
        if self._plane != key:
            self._plane = key
            self._space.watch_plane(key, self._dragged)
            voxels = _count(self._scene.volume(key).shape)
            if voxels > _SLOW_VOXELS and request.tomogram_as != "hidden":
                self._view.say(
                    f"The tomogram has {voxels / 1e6:,.0f} million voxels, and the viewer loads all "
                    "of them for 3-D. If it becomes slow, hide the tomogram or bin it.",
                    "warning",
                )
        if request.tomogram_as == "volume":
            self._space.show_volume(key)
        elif request.tomogram_as == "plane":
            self._space.show_plane(key, request.cut)

    def _dragged(self) -> None:
        """Follow the plane that the user drags in the viewer."""
        request = self._view.request()
        if not self._inside or request.tomogram is None or request.tomogram_as != "plane":
            return
        position = self._space.plane_position(request.tomogram, request.cut.axis)
        if position != request.cut.position:
            self._view.show_position(position)
            self.changed()

    def _show_hand(self) -> None:
        request = self._view.request()
        reference = self._reference(request)
        orientation = self._space.orientation()
        determinant = 1.0 if reference is None else self._space.determinant(reference)
        mirrored = is_mirrored(orientation, self._space.order(), determinant)
        preset = preset_of(orientation) if self._inside else request.orientation
        words = hand_words(mirrored)
        if not self._space.is_shown():
            words = ""
        elif orientation is None and mirrored:
            words += " The orientation can be changed in napari 0.6 and later."
        self._view.show_hand(words, mirrored=mirrored and bool(words), preset=preset)


def _first(choices: Sequence[LayerChoice]) -> LayerKey | None:
    return choices[0].key if choices else None


def _count(shape: Sequence[int]) -> int:
    d, h, w = shape
    return d * h * w

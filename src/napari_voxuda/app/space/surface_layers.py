"""The surfaces and centres that the dock *Vox-UDA 3-D* shows: made, coloured, and told when stale."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_voxuda.app.dock_work import DockWork
from napari_voxuda.app.running import Executor
from napari_voxuda.app.scene import LayerKey, Scene
from napari_voxuda.app.space.surfaces import SurfaceJob, Surfaces, SurfaceSettings, surface_task
from napari_voxuda.app.space.view import Space, SpaceRequest, SpaceView
from napari_voxuda.errors import VoxUDAError

__all__ = ["SpaceSurfaces", "particle_colors"]

ONE_COLOR = (0.95, 0.72, 0.30)
_GOLDEN = 0.618034  # of the circle of hues: neighbours in number are far apart in colour
_Colors = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class _Origin:
    """What surfaces are made of; the same origin gives the same surfaces."""

    key: LayerKey
    kind: Literal["mask", "probability"]
    settings: SurfaceSettings


@dataclass(frozen=True, kw_only=True, eq=False)
class _Made:
    """Surfaces, and where they belong."""

    origin: _Origin
    name: str
    placement: Any
    surfaces: Surfaces


class SpaceSurfaces:
    """Makes surfaces in the background and keeps their two layers.

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
    on_made : callable
        Called when the layers are there.
    """

    def __init__(
        self,
        view: SpaceView,
        scene: Scene,
        space: Space,
        executor: Executor,
        on_made: Callable[[], None],
    ) -> None:
        self._view, self._scene, self._space = view, scene, space
        self._on_made = on_made
        self._made: _Made | None = None
        self._edited = False
        self.surface: LayerKey | None = None
        self.centres: LayerKey | None = None
        self.work = DockWork(
            view,
            executor,
            doing="making surfaces",
            stopped="Stopped; the surfaces are as they were.",
            memory_advice="Close other programs or layers, then press Update again.",
        )

    @property
    def exist(self) -> bool:
        """Whether surfaces were made."""
        return self._made is not None

    def can_update(self) -> bool:
        """Whether there is something to make surfaces of."""
        return self._origin() is not None

    def update(self) -> None:
        """Make the surfaces again, in the background."""
        if self.work.busy:
            return
        origin = self._origin()
        if origin is None:
            kind = self._view.request().surface_of
            self._view.say(f"Surfaces: choose a {kind} to make them of.", "error")
            return
        try:
            volume = self._scene.volume(origin.key)
            placement = self._scene.placement(origin.key)
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        job = SurfaceJob(volume=volume, kind=origin.kind, settings=origin.settings)
        self._edited = False
        self._space.watch_values(origin.key, self._values_changed)

        def made(found: Surfaces) -> None:
            self._made = _Made(origin=origin, name=volume.name, placement=placement, surfaces=found)
            self.color()

        self.work.launch(lambda: surface_task(job), made)

    def color(self) -> None:
        """Show the surfaces in the chosen colours."""
        made = self._made
        if made is None:
            return
        colors = self._colors(made)
        self.surface = self._space.put_surface(
            self.surface, made.surfaces, colors, made.placement, name=f"{made.name} surface"
        )
        self.centres = self._space.put_centres(
            self.centres, made.surfaces, colors, made.placement, name=f"{made.name} centres"
        )
        self._on_made()

    def tell(self) -> None:
        """Say what surfaces there are, and whether they are out of date."""
        made = self._made
        if made is None:
            self._view.show_made("No surfaces yet.", stale=False)
            return
        stale = self._edited or self._origin() != made.origin
        words = _found_words(made.surfaces)
        if stale:
            words = f"Out of date, press Update. Shown: {words}"
        self._view.show_made(words, stale=stale)

    def _origin(self) -> _Origin | None:
        request: SpaceRequest = self._view.request()
        is_mask = request.surface_of == "mask"
        key = request.mask if is_mask else request.probability
        if key is None or not self._scene.has(key):
            return None
        settings = request.settings
        if is_mask:  # which has no threshold
            settings = SurfaceSettings(smoothing=settings.smoothing)
        return _Origin(key=key, kind=request.surface_of, settings=settings)

    def _colors(self, made: _Made) -> _Colors:
        found = made.surfaces
        if self._view.request().one_color:
            return np.tile(np.array([*ONE_COLOR, 1.0], np.float32), (len(found.numbers), 1))
        if found.own_numbers and self._scene.has(made.origin.key):
            return self._space.colors(made.origin.key, found.numbers)
        return particle_colors(len(found.numbers))

    def _values_changed(self) -> None:
        self._edited = True
        self.tell()


def particle_colors(count: int) -> _Colors:
    """Return (count, 4) bright colours of which neighbours in number differ well."""
    rows = [(*colorsys.hsv_to_rgb(i * _GOLDEN % 1, 0.6, 0.95), 1.0) for i in range(count)]
    return np.array(rows, np.float32).reshape(-1, 4)


def _found_words(found: Surfaces) -> str:
    count = len(found.numbers)
    if count == 0:
        return "nothing: it is empty."
    words = f"{count:,} {'particle' if count == 1 else 'particles'}"
    words += f", {len(found.mesh.faces):,} triangles"
    if found.binning > 1:
        words += f", binned by {found.binning} because it is large"
    return f"{words}."

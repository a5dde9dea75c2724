"""Shows what the check before a run has found, and takes it away again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from napari_voxuda.app.adapt.preflight_report import Preflight
from napari_voxuda.app.adapt.request import TargetLayer
from napari_voxuda.app.scene import LayerKey, Scene
from napari_voxuda.errors import VoxUDAError

__all__ = ["CheckView", "PreflightController"]


class CheckView(Protocol):
    """What the dock shows of the check."""

    def show_check(self, report: Preflight | None) -> None:
        """Show the report; None takes it away."""
        ...


class PreflightController:
    """Owns the layer of boxes and the report beside it.

    Parameters
    ----------
    view : CheckView
        The dock.
    scene : Scene
        The layers.
    """

    def __init__(self, view: CheckView, scene: Scene) -> None:
        self._view = view
        self._scene = scene
        self._keys: list[LayerKey] = []
        self._shown = False

    @property
    def shown(self) -> bool:
        """Whether a report is shown."""
        return self._shown

    def show(self, layers: Sequence[TargetLayer], report: Preflight) -> None:
        """Show a report, and its boxes in the viewer on each tomogram of the target."""
        self._remove()
        for number, layer in enumerate(layers):
            inside = zip(report.tomogram_of, report.starts, strict=True)
            if starts := tuple(start for which, start in inside if which == number):
                name = f"{layer.volume.name} boxes"
                self._keys.append(
                    self._scene.add_boxes(starts, report.box, layer.placement, name=name)
                )
        self._shown = True
        self._view.show_check(report)

    def clear(self) -> None:
        """Take report and boxes away."""
        self._remove()
        if self._shown:
            self._shown = False
            self._view.show_check(None)

    def _remove(self) -> None:
        keys, self._keys = self._keys, []
        for key in keys:
            with suppress(VoxUDAError):  # the user was faster
                self._scene.remove(key)

"""Shows what the check before a run has found, and takes it away again."""

from __future__ import annotations

from typing import Any, Protocol

from napari_voxuda.app.preflight import Preflight
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
        self._key: LayerKey | None = None
        self._shown = False

    @property
    def shown(self) -> bool:
        """Whether a report is shown."""
        return self._shown

    def show(self, placement: Any, name: str, report: Preflight) -> None:
        """Show a report, and its boxes in the viewer where the target is a tomogram."""
        self._remove()
        if report.starts and placement is not None:
            self._key = self._scene.add_boxes(
                report.starts, report.box, placement, name=f"{name} boxes"
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
        key, self._key = self._key, None
        if key is not None:
            try:
                self._scene.remove(key)
            except VoxUDAError:
                return  # the user was faster

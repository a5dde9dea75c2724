"""Decisions of the dock *Vox-UDA domain gap*: what to measure and what to tell."""

from __future__ import annotations

from typing import Protocol

from napari_voxuda.app.adapt.request import AdaptRequest, make_gap_job
from napari_voxuda.app.dock_work import DockWork, WorkView
from napari_voxuda.app.gap.report import GapReport
from napari_voxuda.app.gap.task import gap_task
from napari_voxuda.app.running import Executor
from napari_voxuda.app.scene import Scene
from napari_voxuda.errors import VoxUDAError

__all__ = ["GapController", "GapView"]


class GapView(WorkView, Protocol):
    """What the controller asks of the dock."""

    def request(self) -> AdaptRequest:
        """Return the inputs of the run that would start now.

        Raises
        ------
        InputError
            When they do not fit together.
        """
        ...

    def show_report(self, report: GapReport | None) -> None:
        """Show what was measured; None while it is measured again."""
        ...


class GapController:
    """Connects the dock and the task; knows neither Qt nor napari.

    Parameters
    ----------
    view : GapView
        The dock.
    scene : Scene
        The layers.
    executor : Executor
        Where boxes are simulated and measured.
    """

    def __init__(self, view: GapView, scene: Scene, executor: Executor) -> None:
        self._view = view
        self._scene = scene
        self.work = DockWork(
            view,
            executor,
            doing="measuring the gap",
            stopped="Stopped; nothing was measured.",
            memory_advice="Choose a smaller box under “Simulation settings” of the source.",
        )

    def measure(self) -> None:
        """Measure the gap of the run that would start now, unless that goes on already."""
        if self.work.busy:
            return
        try:
            job = make_gap_job(self._view.request(), self._scene)
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        self._view.show_report(None)
        self.work.launch(lambda: gap_task(job), self._view.show_report)

    def close(self) -> None:
        """Stop; the dock is going away."""
        self.work.cancel()

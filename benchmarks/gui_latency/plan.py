"""What is trained in each run of the benchmark, and the run without a window."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.networks.settings import NetworkSettings
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["WARM_UP", "Plan", "train_without_window", "write_tomogram"]

WARM_UP = 5
CLI = "command line"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Equal settings of every run.

    Parameters
    ----------
    work : Path
        Folder of tomogram and runs.
    steps : int
        Steps of a run: in the first half the window is at rest, in the second half slices are
        scrolled.
    settings : AdaptSettings
        The training, of `steps` steps.
    source : SourceSettings
        The source.
    shape : tuple of int
        Size (z, y, x) of the tomogram in voxels.
    idle_s : float
        Time in s for which the window is measured without a run, at rest and scrolling each.
    """

    work: Path
    settings: AdaptSettings
    source: SourceSettings
    shape: tuple[int, int, int] = (64, 160, 160)
    idle_s: float = 5.0

    @classmethod
    def make(cls, work: Path, steps: int, *, batch: int = 2, tiny: bool = False) -> Plan:
        """Return the plan for the preset ``fast``, or one of seconds for a test."""
        if tiny:
            settings = AdaptSettings.preset(
                "fast", steps=steps, batch=batch, network=NetworkSettings(stem=2, body=4, head=1)
            )
            source = SourceSettings(count=4, box=16, neighbours=0)
            return cls(work=work, settings=settings, source=source, shape=(20, 40, 40), idle_s=0.2)
        settings = AdaptSettings.preset("fast", steps=steps, batch=batch)
        return cls(work=work, settings=settings, source=SourceSettings(count=40))

    @property
    def steps(self) -> int:
        """Steps of a run."""
        return self.settings.steps

    @property
    def tomogram(self) -> Path:
        """The target."""
        return self.work / "tomogram.mrc"

    @property
    def phases(self) -> dict[str, tuple[int, int]]:
        """First and last step of each phase; the first steps warm up and count in neither."""
        half = self.steps // 2
        return {"rest": (min(WARM_UP, half - 1) + 1, half), "scrolling": (half + 2, self.steps)}


def write_tomogram(plan: Plan) -> None:
    """Write the target of all runs, where it is not there yet."""
    import torch

    from napari_voxuda.io.mrc import write_mrc
    from napari_voxuda.simulation.scene import SceneSettings, make_scene

    if not plan.tomogram.is_file():
        settings = SceneSettings(shape=plan.shape, molecules=40)
        write_mrc(plan.tomogram, make_scene(settings, torch.Generator().manual_seed(1)).volume)


def train_without_window(plan: Plan, run: Path) -> None:
    """Train as the command line does, in a process of its own."""
    settings, network, source = plan.settings, plan.settings.network, plan.source
    options: dict[str, object] = {
        "--target": plan.tomogram,
        "--out": run,
        "--preset": "fast",
        "--contrast": "dark",
        "--steps": settings.steps,
        "--batch": settings.batch,
        "--network-stem": network.stem,
        "--network-body": network.body,
        "--network-head": network.head,
        "--source-count": source.count,
        "--source-box": source.box,
        "--source-neighbours": source.neighbours,
    }
    words = [str(word) for pair in options.items() for word in pair]
    subprocess.run(
        [sys.executable, "-m", "napari_voxuda", "adapt", *words], check=True, capture_output=True
    )

"""Sizes of the benchmark: seconds, an hour on two cores, or the paper's on a GPU."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.networks.settings import NetworkSettings

__all__ = ["CORE_ROWS", "TIERS", "Tier"]

CORE_ROWS = (
    "sphere",
    "otsu",
    "oracle",
    "source-only-A",
    "dann-A",
    "asc-A",
    "default",
    "supervised",
)


@dataclass(frozen=True, kw_only=True)
class Tier:
    """How much is simulated, trained and repeated.

    Parameters
    ----------
    name : str
        As in ``--tier``.
    base : str
        Preset whose network, batch and steps every rival takes, and that the ablations change.
    changes : dict
        Settings in which the training departs from the base.
    shrink_presets : bool
        Whether the changes count for the rows of the presets as well; otherwise they run as they are.
    source_count : int
        Subtomograms that a source simulates.
    box : int
        Edge of subtomograms in voxels.
    per_class : int
        Subtomograms of each class in a simulated target.
    scene_shape, molecules
        Size of a simulated tomogram in voxels, and the labelled molecules that are tried.
    seeds, targets, rows : tuple
        What runs when nothing else is asked for; no rows means all.
    """

    name: str
    base: str
    changes: dict[str, Any]
    shrink_presets: bool = False
    source_count: int
    box: int = 32
    per_class: int
    scene_shape: tuple[int, int, int]
    molecules: int
    seeds: tuple[int, ...] = (0, 1, 2)
    targets: tuple[str, ...]
    rows: tuple[str, ...] = ()

    @property
    def settings(self) -> AdaptSettings:
        """The training that every rival takes."""
        return AdaptSettings.preset(self.base, **self.changes)

    def preset(self, name: str) -> AdaptSettings:
        """Return one of the presets, as it is or cut to the tier's size."""
        return AdaptSettings.preset(name, **(self.changes if self.shrink_presets else {}))

    def with_steps(self, steps: int) -> Tier:
        """Return the tier with other steps for the rivals."""
        return replace(self, changes={**self.changes, "steps": steps})


TIERS = {
    "smoke": Tier(
        name="smoke",
        base="fast",
        changes={"steps": 2, "batch": 2, "network": NetworkSettings(stem=2, body=4)},
        shrink_presets=True,
        source_count=4,
        box=16,
        per_class=1,
        scene_shape=(32, 56, 56),
        molecules=4,
        seeds=(0,),
        targets=("subtomograms",),
        rows=("sphere", "fast"),
    ),
    "cpu": Tier(
        name="cpu",
        base="default",
        changes={},
        source_count=500,
        per_class=20,
        scene_shape=(64, 128, 128),
        molecules=30,
        targets=("subtomograms",),
        rows=CORE_ROWS,
    ),
    # The paper's network, batch and source, and a tenth of its steps: ``--steps 56400`` gives all 300
    # epochs, for which many days are needed.
    "gpu": Tier(
        name="gpu",
        base="default",
        changes={"steps": 5_640, "batch": 16, "network": NetworkSettings(stem=32, body=64)},
        source_count=3000,
        per_class=100,
        scene_shape=(96, 224, 224),
        molecules=140,
        targets=("subtomograms", "tomogram", "scene", "microtubule", "ribosomes-unseen"),
    ),
}

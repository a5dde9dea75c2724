"""Keeps the labels layer of a segmented target in step with the threshold slider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Triple
from napari_voxuda.app.jobs import Segmentation
from napari_voxuda.app.mask_refinement import MaskChoice, RefinedMask, refine_mask
from napari_voxuda.app.provenance import Provenance, sign
from napari_voxuda.app.running import Executor, LatestOnly
from napari_voxuda.app.scene import LayerKey, Scene
from napari_voxuda.errors import InputError

__all__ = ["MaskController"]


class MaskController:
    """Owns the probability of the last segmentation and the layers made from it.

    Parameters
    ----------
    scene : Scene
        The layers.
    executor : Executor
        Where masks are computed.
    on_mask : callable
        Gets each refined mask after its layer was changed.
    on_error : callable
        Gets what went wrong.
    """

    def __init__(
        self,
        scene: Scene,
        executor: Executor,
        on_mask: Callable[[RefinedMask], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._scene = scene
        self._on_mask = on_mask
        self._probability: npt.NDArray[np.float32] | None = None
        self._voxel_size: Triple | None = None
        self._placement: Any = None
        self._name = ""
        self._labels_key: LayerKey | None = None
        self._provenance = Provenance(task="export")
        self._latest: LatestOnly[RefinedMask] = LatestOnly(executor, self._show, on_error)

    @property
    def available(self) -> bool:
        """Whether there is a probability to threshold."""
        return self._probability is not None

    @property
    def labels_key(self) -> LayerKey | None:
        """The labels layer, where it is still in the viewer."""
        key = self._labels_key
        return key if key is not None and self._scene.has(key) else None

    def take(
        self, segmentation: Segmentation, placement: Any, name: str, choice: MaskChoice
    ) -> str:
        """Add the layers of a new segmentation of the layer `name`; return the mask's name."""
        probability = segmentation.probability
        self._latest.forget()
        self._probability = probability.data
        self._voxel_size = probability.grid.voxel_size_angstrom
        self._placement = placement
        self._name = f"{name} mask"
        self._labels_key = None
        self._provenance = segmentation.provenance or Provenance(task="segment")
        self._scene.add_image(
            probability.data,
            placement,
            name=f"{name} probability",
            limits=(0.0, 1.0),
            colormap="inferno",
            visible=False,
        )
        self.refine(choice)
        return self._name

    def refine(self, choice: MaskChoice) -> None:
        """Make the mask again; nothing happens where there is no probability."""
        probability, size = self._probability, self._voxel_size
        if probability is not None:
            self._provenance = self._provenance.with_settings(shown=asdict(choice))
            self._latest.request(lambda: refine_mask(probability, size, choice))

    def proposal(self) -> str:
        """Return a file name for the mask."""
        key = self.labels_key
        return f"{self._scene.volume(key).name}.mrc" if key is not None else "mask.mrc"

    def save(self, path: Path) -> Path:
        """Save the labels as they are shown and return the file written.

        Raises
        ------
        InputError
            When there are no labels, or too many for an MRC file.
        OutputError
            When the file cannot be written.
        """
        from napari_voxuda.io.mrc import write_mask

        key = self.labels_key
        if key is None:
            raise InputError("Export: there is no mask layer. Move the threshold to make it again.")
        target = path if path.suffix else path.with_suffix(".mrc")
        write_mask(target, self._scene.volume(key))
        sign(target, "mask", self._provenance)
        return target

    def close(self) -> None:
        """Drop what is under way."""
        self._latest.forget()

    def _show(self, mask: RefinedMask) -> None:
        key = self.labels_key
        if key is None:
            self._labels_key = self._scene.add_labels(mask.labels, self._placement, name=self._name)
        else:
            self._scene.update_labels(key, mask.labels)
        self._on_mask(mask)

"""Keeps the labels layer of a segmented target in step with the threshold slider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Triple
from napari_voxuda.app.export.choice import ExportOffer
from napari_voxuda.app.jobs import Segmentation
from napari_voxuda.app.mask.handover import RefineStart
from napari_voxuda.app.mask.label_history import LabelHistory
from napari_voxuda.app.mask.refinement import MaskChoice, RefinedMask, refine_mask
from napari_voxuda.app.provenance import Provenance
from napari_voxuda.app.running import Executor, LatestOnly
from napari_voxuda.app.scene import LabelEdit, LayerKey, Scene
from napari_voxuda.data.corrections import Corrections
from napari_voxuda.data.volume import Volume
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
        self._visible = True
        self._labels_key: LayerKey | None = None
        self._provenance = Provenance(task="export")
        self._marks = np.zeros((0, 0, 0), np.uint8)
        self._history = LabelHistory()
        self._grid: Volume | None = None
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
        self,
        segmentation: Segmentation,
        placement: Any,
        name: str,
        choice: MaskChoice,
        *,
        visible: bool = True,
    ) -> str:
        """Add the layers of a new segmentation of the layer `name`; return the mask's name."""
        probability = segmentation.probability
        self._latest.forget()
        self._probability = probability.data
        self._voxel_size = probability.grid.voxel_size_angstrom
        self._placement = placement
        self._name = f"{name} mask"
        self._labels_key = None
        self._visible = visible
        self._provenance = segmentation.provenance or Provenance(task="segment")
        self._marks = np.zeros(probability.shape, np.uint8)
        self._history = LabelHistory()
        self._grid = probability
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
        probability, size, marks = self._probability, self._voxel_size, self._marks
        if probability is not None:
            self._provenance = self._provenance.with_settings(shown=asdict(choice))
            self._latest.request(lambda: refine_mask(probability, size, choice, marks=marks))

    def hand_over(
        self, layer: LayerKey | None, run: Path | None, choice: MaskChoice
    ) -> RefineStart:
        """Return everything that another dock needs to go on with the mask, and let go of it.

        Raises
        ------
        InputError
            When there is no mask.
        """
        if self._probability is None or self._grid is None:
            raise InputError(
                "Refine: a mask was wanted, got none. Start a run, or segment with a finished one."
            )
        start = RefineStart(
            layer=layer,
            run=run,
            probability=self._grid,
            placement=self._placement,
            mask_key=self.labels_key,
            choice=replace(choice, numbered=True),
            corrections=Corrections.from_labels(self._marks),
            provenance=self._provenance,
        )
        self._latest.forget()
        self._probability, self._labels_key = None, None
        return start

    def offer(self) -> ExportOffer:
        """Return what there is to export.

        Raises
        ------
        InputError
            When there is no mask layer.
        """
        key = self.labels_key
        if key is None:
            raise InputError("Export: there is no mask layer. Move the threshold to make it again.")
        return ExportOffer(layers=(key,), probability=self._grid, provenance=self._provenance)

    def close(self) -> None:
        """Drop what is under way."""
        self._latest.forget()

    def _show(self, mask: RefinedMask) -> None:
        key = self.labels_key
        if key is None:
            key = self._scene.add_labels(
                mask.labels, self._placement, name=self._name, visible=self._visible
            )
            self._labels_key = key
            self._scene.watch_labels(key, partial(self._painted, key))
        else:
            self._scene.update_labels(key, mask.labels)
        self._history.written(self._scene.volume(key).data)
        self._on_mask(mask)

    def _painted(self, key: LayerKey, edit: LabelEdit | None) -> None:
        """Keep what the user paints, so that the sliders leave it alone."""
        labels = self._scene.volume(key).data
        if key == self.labels_key and labels.shape == self._marks.shape:
            voxels, values = self._history.edited(edit, labels, self._marks)
            self._marks.reshape(-1)[voxels] = values

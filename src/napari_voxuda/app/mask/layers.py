"""The two layers of a corrected mask: the mask itself, and the marks of what was corrected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Triple
from napari_voxuda.app.scene import LabelEdit, LayerKey, Scene
from napari_voxuda.data.corrections import BACKGROUND, PARTICLE
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError

__all__ = ["MARK_COLORS", "MaskLayers"]

MARK_COLORS = {PARTICLE: "#ffc20a", BACKGROUND: "#0c7bdc"}
"""Colours of corrections, which the colour-blind can tell apart as well."""

OnEdit = Callable[[LabelEdit | None], None]


class MaskLayers:
    """Shows a mask and its marks, and makes either again where the user has removed it.

    Parameters
    ----------
    scene : Scene
        The layers.
    on_mask_edited, on_marks_edited : callable
        Get each step of the user, or None for undo and redo.
    """

    def __init__(self, scene: Scene, on_mask_edited: OnEdit, on_marks_edited: OnEdit) -> None:
        self._scene = scene
        self._on_edit = {"mask": on_mask_edited, "marks": on_marks_edited}
        self._keys: dict[str, LayerKey] = {}

    @property
    def mask_key(self) -> LayerKey | None:
        """The mask's layer, where it is still in the viewer."""
        return self._key("mask")

    def begin(
        self, name: str, placement: Any, marks: npt.NDArray[np.uint8], mask_key: LayerKey | None
    ) -> None:
        """Begin with the volume `name`, whose `marks` (d, h, w) are edited in place.

        The labels layer `mask_key` becomes the mask's, where it is in the viewer.
        """
        self._name, self._placement, self._marks = name, placement, marks
        if mask_key is not None and self._scene.has(mask_key):
            self._adopt("mask", mask_key)

    def forget(self) -> None:
        """Let go of the layers, which stay in the viewer."""
        self._keys.clear()

    def mask(self) -> Volume | None:
        """Return the mask's labels on their grid, named after the layer."""
        key = self.mask_key
        return self._scene.volume(key) if key is not None else None

    def labels(self) -> npt.NDArray[Any]:
        """Return the labels (d, h, w) as they are shown.

        Raises
        ------
        InputError
            When the layer is gone.
        """
        mask = self.mask()
        if mask is None:
            raise InputError(
                "Particles: the mask layer is gone. Move the threshold to make it again."
            )
        return mask.data

    def show_mask(self, labels: npt.NDArray[Any]) -> None:
        """Show other labels (d, h, w), as one step that undo takes back."""
        key = self.mask_key
        if key is None:
            name = f"{self._name} mask"
            self._adopt("mask", self._scene.add_labels(labels, self._placement, name=name))
        else:
            self._scene.update_labels(key, labels)

    def edit_mask(self, voxels: npt.NDArray[np.int64], values: npt.NDArray[Any]) -> None:
        """Give some voxels of the mask, as flat indices, other labels, as one step of the user."""
        key = self.mask_key
        if key is not None and len(voxels):
            self._scene.edit_labels(key, voxels, values)
            self.select_mask()

    def select_mask(self) -> None:
        """Make the mask the layer on which Ctrl-Z works."""
        key = self.mask_key
        if key is not None:
            self._scene.select(key)

    def show_marks(self) -> LayerKey:
        """Return the layer of the marks; there may have been none so far."""
        key = self._key("marks")
        if key is None:
            name = f"{self._name} corrections"
            key = self._scene.add_labels(
                self._marks, self._placement, name=name, colors=MARK_COLORS, aid=True
            )
            self._adopt("marks", key)
        return key

    def edit_marks(
        self, voxels: npt.NDArray[np.int64], values: npt.NDArray[Any], *, told: bool = True
    ) -> None:
        """Give some voxels, as flat indices, other marks; unless `told`, nobody hears of it."""
        self._scene.edit_labels(self.show_marks(), voxels, values, told=told)

    def select_marks(self) -> None:
        """Make the marks the layer on which Ctrl-Z works."""
        self._scene.select(self.show_marks())

    def paint_marks(self, mark: int) -> None:
        """Let the user paint a mark."""
        self._scene.paint(self.show_marks(), mark)

    def go_to(self, position: Triple) -> None:
        """Show a position (z, y, x) in voxels."""
        key = self.mask_key
        if key is not None:
            self._scene.go_to(key, position)

    def _adopt(self, name: str, key: LayerKey) -> None:
        self._keys[name] = key

        def edited(edit: LabelEdit | None) -> None:
            if self._key(name) == key:  # not of a session that has ended
                self._on_edit[name](edit)

        self._scene.watch_labels(key, edited)

    def _key(self, name: str) -> LayerKey | None:
        key = self._keys.get(name)
        return key if key is not None and self._scene.has(key) else None

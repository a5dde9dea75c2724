"""A mask that is corrected: sliders, brush and table work on it, and no correction is ever lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Triple, TripleInt
from napari_voxuda.app.export.choice import ExportOffer
from napari_voxuda.app.mask.choice_history import ChoiceHistory
from napari_voxuda.app.mask.label_history import LabelHistory
from napari_voxuda.app.mask.layers import MaskLayers
from napari_voxuda.app.mask.particle_edits import (
    Change,
    ParticleList,
    deletion,
    list_particles,
    merger,
    split,
)
from napari_voxuda.app.mask.refinement import MaskChoice, RefinedMask, refine_mask
from napari_voxuda.app.provenance import Provenance
from napari_voxuda.app.running import Executor, LatestOnly
from napari_voxuda.app.scene import LabelEdit, LayerKey, Scene
from napari_voxuda.data.corrections import BACKGROUND, Corrections
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError

__all__ = ["MaskSession"]


class MaskSession:
    """One corrected volume: its mask, and the marks of what was corrected.

    The mask is always a function of the probability, the sliders and the marks. What the user
    paints on the mask becomes a mark; a mark is taken back by undo, or by erasing it in its own layer.

    Parameters
    ----------
    scene : Scene
        The layers.
    executor : Executor
        Where masks and tables are computed.
    on_mask : callable
        Gets each mask after its layer was changed.
    on_marks : callable
        Gets the number of corrected voxels after each change.
    on_particles : callable
        Gets the particles after each change of the labels.
    on_choice : callable
        Gets how a mask was made that undo or redo has brought back.
    on_error : callable
        Gets what went wrong.
    """

    def __init__(
        self,
        scene: Scene,
        executor: Executor,
        *,
        on_mask: Callable[[RefinedMask], None],
        on_marks: Callable[[int], None],
        on_particles: Callable[[ParticleList], None],
        on_choice: Callable[[MaskChoice], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._layers = MaskLayers(scene, self._mask_edited, self._marks_edited)
        self._on_mask = on_mask
        self._on_marks = on_marks
        self._on_particles = on_particles
        self._on_choice = on_choice
        self._masks: LatestOnly[tuple[RefinedMask, MaskChoice]] = LatestOnly(
            executor, self._show, on_error
        )
        self._tables: LatestOnly[ParticleList] = LatestOnly(executor, self._listed, on_error)
        self._splits: LatestOnly[Change] = LatestOnly(executor, self._change, on_error)
        self._probability: Volume | None = None
        self._marks = np.zeros((0, 0, 0), np.uint8)
        self._boxes: dict[int, Any] = {}

    @property
    def available(self) -> bool:
        """Whether there is a mask to correct."""
        return self._probability is not None

    @property
    def mask_key(self) -> LayerKey | None:
        """The mask's layer, where it is still in the viewer."""
        return self._layers.mask_key

    def begin(
        self,
        probability: Volume,
        placement: Any,
        choice: MaskChoice,
        corrections: Corrections,
        mask_key: LayerKey | None = None,
    ) -> None:
        """Begin with a segmented volume.

        Parameters
        ----------
        probability : Volume
            (d, h, w) foreground probability, named after the volume.
        placement : object
            Where the layers lie.
        choice : MaskChoice
            How the mask is made.
        corrections : Corrections
            What was corrected before.
        mask_key : LayerKey or None
            A labels layer that is gone on with; a new one without.
        """
        self.forget()
        self._probability = probability
        self._choice = choice
        self._marks = corrections.to_labels()
        self._joins = list(corrections.joins)
        self._active = list(corrections.joins)
        self._history = LabelHistory()
        self._choices = ChoiceHistory()
        self._layers.begin(probability.name, placement, self._marks, mask_key)
        if len(corrections):
            self._layers.show_marks()
        self._on_marks(len(corrections))
        self.refine(choice)

    def replace_probability(self, probability: Volume) -> None:
        """Go on with a new probability of the same volume, with the same marks."""
        self._probability = probability
        self.refine(self._choice)

    def refine(self, choice: MaskChoice) -> None:
        """Make the mask again; nothing happens where there is none."""
        self._choice = choice
        volume, marks, joins = self._probability, self._marks, tuple(self._active)
        if volume is None:
            return
        size = volume.grid.voxel_size_angstrom
        self._masks.request(
            lambda: (refine_mask(volume.data, size, choice, marks=marks, joins=joins), choice)
        )

    def change(self, choice: MaskChoice) -> None:
        """Make the mask again as the user wants it; Ctrl-Z takes that back."""
        self._layers.select_mask()
        self.refine(choice)

    def corrections(self) -> Corrections:
        """Return what the user has corrected; may be called in a worker."""
        return Corrections.from_labels(np.array(self._marks)).with_joins(tuple(self._active))

    def paint(self, mark: int) -> None:
        """Let the user paint marks: 1 particle, 2 background, 0 takes a mark back."""
        self._layers.paint_marks(mark)

    def clear_marks(self) -> None:
        """Take every mark back, as one step that undo brings back."""
        voxels = np.flatnonzero(self._marks)
        if len(voxels):
            self._layers.edit_marks(voxels, np.zeros(len(voxels), np.uint8))
            self._layers.select_marks()

    def go_to(self, position: Triple) -> None:
        """Show a position (z, y, x) in voxels."""
        self._layers.go_to(position)

    def delete(self, labels: Sequence[int]) -> None:
        """Make particles background; they are marked as such."""
        chosen = self._chosen(labels)
        if chosen:
            self._change(deletion(self._layers.labels(), chosen))

    def merge(self, labels: Sequence[int]) -> None:
        """Give particles one label, which they keep when the mask is made again.

        Raises
        ------
        InputError
            When fewer than two are given.
        """
        change, group = merger(self._layers.labels(), self._chosen(labels))
        self._joins.append(group)
        self._change(change)

    def split(self, label: int) -> None:
        """Divide a particle in two."""
        labels = self._layers.labels()
        for number, box in self._chosen([label]):
            group = [g for g in self._joins if any(labels[v] == label for v in g)]
            self._joins = [g for g in self._joins if g not in group]
            self._splits.request(partial(split, labels, number, box))

    def offer(self, provenance: Provenance | None) -> ExportOffer:
        """Return what there is to export, given what the probability comes from.

        Raises
        ------
        InputError
            When there is no mask layer.
        """
        key = self.mask_key
        if key is None:
            raise InputError("Export: there is no mask layer. Move the threshold to make it again.")
        if provenance is not None:
            corrected = int(np.count_nonzero(self._marks))
            provenance = provenance.with_settings(
                shown=asdict(self._choice), corrected_voxels=corrected
            )
        return ExportOffer(layers=(key,), probability=self._probability, provenance=provenance)

    def forget(self) -> None:
        """Let go of the layers and of work that is under way."""
        self._probability = None
        for latest in (self._masks, self._tables, self._splits):
            latest.forget()
        self._layers.forget()

    def _chosen(self, labels: Sequence[int]) -> list[tuple[int, Any]]:
        return [(label, self._boxes[label]) for label in labels if label in self._boxes]

    def _change(self, change: Change) -> None:
        self._layers.edit_mask(change.voxels, change.values)

    def _show(self, made: tuple[RefinedMask, MaskChoice]) -> None:
        mask, choice = made
        volume = self._probability
        if volume is None or mask.labels.shape != volume.shape:
            return
        self._layers.show_mask(mask.labels)
        labels = self._layers.labels()
        self._history.written(labels)
        self._choices.made(labels, choice)
        self._on_mask(mask)
        self._list()

    def _mask_edited(self, edit: LabelEdit | None) -> None:
        labels = self._layers.labels()
        if labels.shape != self._marks.shape:
            return
        earlier = self._choices.find(labels) if edit is None else None
        if earlier is not None and earlier != self._choice:
            self._choice = earlier
            self._on_choice(earlier)
        voxels, values = self._history.edited(edit, labels, self._marks)
        self._active = [g for g in self._joins if _is_one(labels, g)]
        if len(voxels):
            self._layers.edit_marks(voxels, values, told=False)
        self._on_marks(int(np.count_nonzero(self._marks)))
        self._list()

    def _marks_edited(self, edit: LabelEdit | None) -> None:
        if edit is not None:
            wrong = edit.voxels[self._marks.reshape(-1)[edit.voxels] > BACKGROUND]
            if len(wrong):  # another label than the two that mean something
                zeros = np.zeros(len(wrong), np.uint8)
                self._layers.edit_marks(wrong, zeros, told=False)
        self._on_marks(int(np.count_nonzero(self._marks)))
        self.refine(self._choice)

    def _list(self) -> None:
        volume = self._probability
        if volume is None or self.mask_key is None:
            return
        labels = self._layers.labels()
        size = volume.grid.voxel_size_angstrom
        self._tables.request(lambda: list_particles(np.array(labels), volume.data, size))

    def _listed(self, found: ParticleList) -> None:
        self._boxes = found.boxes
        self._on_particles(found)


def _is_one(labels: npt.NDArray[Any], group: tuple[TripleInt, ...]) -> bool:
    found = {int(labels[voxel]) for voxel in group}
    return len(found) == 1 and 0 not in found

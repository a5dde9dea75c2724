"""The masks of a target: one for each of its tomograms, all made with the same sliders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from napari_voxuda.app.adapt.request import TargetLayer
from napari_voxuda.app.export.choice import ExportOffer
from napari_voxuda.app.jobs import Segmentation
from napari_voxuda.app.mask.controller import MaskController
from napari_voxuda.app.mask.handover import RefineStart
from napari_voxuda.app.mask.refinement import MaskChoice, RefinedMask
from napari_voxuda.app.running import Executor
from napari_voxuda.app.scene import LayerKey, Scene

__all__ = ["TargetMasks"]


class TargetMasks:
    """Owns a `MaskController` for each segmented tomogram; what concerns one mask is that of the one shown.

    Parameters
    ----------
    scene : Scene
        The layers.
    executor : Executor
        Where masks are computed.
    on_masks : callable
        Gets in words what was found, after a layer was changed.
    on_error : callable
        Gets what went wrong.
    """

    def __init__(
        self,
        scene: Scene,
        executor: Executor,
        on_masks: Callable[[str], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._scene = scene
        self._executor = executor
        self._on_masks = on_masks
        self._on_error = on_error
        self._layers: list[LayerKey] = []
        self._masks = [self._new(0)]
        self._found: dict[int, str] = {}
        self._names: list[str] = [""]

    @property
    def available(self) -> bool:
        """Whether there is a probability to threshold."""
        return self._current().available

    @property
    def labels_key(self) -> LayerKey | None:
        """The shown tomogram's labels layer, where it is still in the viewer."""
        return self._current().labels_key

    def take(
        self, layers: Sequence[TargetLayer], found: Sequence[Segmentation], choice: MaskChoice
    ) -> list[str]:
        """Add the layers of new segmentations; return the masks' names.

        Only the mask of the tomogram that is shown is visible: the others would lie over it.
        """
        self.close()
        self._layers = [layer.key for layer in layers]
        self._names = [layer.volume.name for layer in layers]
        self._masks = [self._new(number) for number in range(len(layers))]
        self._found.clear()
        shown = self._scene.shown(self._layers)
        return [
            mask.take(
                segmentation,
                layer.placement,
                layer.volume.name,
                choice,
                visible=shown in (layer.key, None),
            )
            for mask, layer, segmentation in zip(self._masks, layers, found, strict=True)
        ]

    def refine(self, choice: MaskChoice) -> None:
        """Make the masks again; nothing happens where there is no probability."""
        for mask in self._masks:
            mask.refine(choice)

    def hand_over(
        self, layer: LayerKey | None, run: Path | None, choice: MaskChoice
    ) -> RefineStart:
        """Return what another dock needs to go on with the shown mask; see `MaskController`.

        Raises
        ------
        InputError
            When there is no mask.
        """
        return self._current().hand_over(layer, run, choice)

    def offer(self) -> ExportOffer:
        """Return what there is to export of the shown tomogram.

        Raises
        ------
        InputError
            When there is no mask layer.
        """
        return self._current().offer()

    def close(self) -> None:
        """Drop what is under way."""
        for mask in self._masks:
            mask.close()

    def _current(self) -> MaskController:
        shown = self._scene.shown(self._layers)
        return self._masks[self._layers.index(shown) if shown in self._layers else 0]

    def _new(self, number: int) -> MaskController:
        return MaskController(
            self._scene, self._executor, partial(self._made, number), self._on_error
        )

    def _made(self, number: int, mask: RefinedMask) -> None:
        self._found[number] = mask.words
        if len(self._masks) == 1:
            self._on_masks(mask.words)
            return
        lines = [f"{self._names[it]}: {words}" for it, words in sorted(self._found.items())]
        self._on_masks("\n".join(lines))

"""Decisions of the group *Compare*: scores of a dock's mask, and an overlay of its errors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from napari_voxuda.adaptation.run_scores import add_comparison
from napari_voxuda.app.compare.comparison import (
    AGREEMENT,
    COMPARISON_COLORS,
    Comparison,
    compare_masks,
)
from napari_voxuda.app.running import Executor, LatestOnly
from napari_voxuda.app.scene import LabelEdit, LayerChoice, LayerKey, Scene
from napari_voxuda.app.words import error_words
from napari_voxuda.errors import OutputError, RunFolderError, VoxUDAError

__all__ = ["ComparisonController", "ComparisonView"]

_MEMORY_ADVICE = "Compare a cut-out of the tomogram, or close other programs."


class ComparisonView(Protocol):
    """What the controller asks of the group."""

    def reference(self) -> LayerKey | None:
        """Return the labels layer to compare with; None for no comparison."""
        ...

    def errors_wanted(self) -> bool:
        """Whether errors are shown over the tomogram."""
        ...

    def agreement_wanted(self) -> bool:
        """Whether it is also shown where both agree."""
        ...

    def show_references(self, choices: list[LayerChoice]) -> None:
        """Show the labels layers to choose from; keep the chosen one where possible."""
        ...

    def show_comparison(self, comparison: Comparison | None) -> None:
        """Show the scores; None where there is no comparison."""
        ...

    def show_problem(self, words: str) -> None:
        """Say why there is no comparison."""
        ...

    def switch_errors_off(self) -> None:
        """Show that the errors are not shown any more."""
        ...


class ComparisonController:
    """Keeps scores and overlay in step with the mask; knows neither Qt nor napari.

    Parameters
    ----------
    view : ComparisonView
        The group.
    scene : Scene
        The layers.
    executor : Executor
        Where masks are compared.
    mask : callable
        Returns the layer of the dock's mask, or None.
    run : callable
        Returns the run folder in which the mask's scores are kept, or None.
    on_scored : callable
        Called when scores were kept with a run.
    """

    def __init__(
        self,
        view: ComparisonView,
        scene: Scene,
        executor: Executor,
        *,
        mask: Callable[[], LayerKey | None],
        run: Callable[[], Path | None],
        on_scored: Callable[[], None] = lambda: None,
    ) -> None:
        self._view = view
        self._scene = scene
        self._mask = mask
        self._run = run
        self._on_scored = on_scored
        self._overlay: LayerKey | None = None
        self._shown: Comparison | None = None
        self._watched: set[LayerKey] = set()
        self._latest: LatestOnly[Comparison] = LatestOnly(executor, self._show, self._failed)

    @property
    def busy(self) -> bool:
        """Whether masks are being compared."""
        return self._latest.busy

    def layers_changed(self) -> None:
        """Bring the list of references up to date and notice layers that the user removed."""
        if self._overlay is not None and not self._scene.has(self._overlay):
            self._overlay = None
            self._view.switch_errors_off()
        self._list()
        if self._mask() is None and self._shown is not None:
            self.update()

    def update(self) -> None:
        """Compare again: the mask or the reference has changed."""
        self._list()
        mask, reference = self._mask(), self._view.reference()
        if mask is None or reference is None or not self._scene.has(reference):
            self._clear()
            self._view.show_comparison(None)
            return
        for key in (mask, reference):
            self._watch(key)
        try:
            found, wanted = self._scene.volume(mask), self._scene.volume(reference)
        except VoxUDAError as error:
            self._failed(error)
            return
        run = self._run()

        def work() -> Comparison:
            comparison = compare_masks(found, wanted)
            if run is not None:
                counts = comparison.counts
                # A run that may only be read, or has gone, can be scored as well.
                with suppress(OutputError, RunFolderError):
                    add_comparison(
                        run, comparison.reference, dice=counts.dice, iou=counts.iou, anew=False
                    )
            return comparison

        self._latest.request(work)

    def errors_changed(self) -> None:
        """Show or remove the overlay, as it is wanted now."""
        if self._shown is None or not self._view.errors_wanted():
            self._remove_overlay()
        else:
            self._show_errors(self._shown)

    def close(self) -> None:
        """Drop what is under way."""
        self._latest.forget()

    def _list(self) -> None:
        mask = self._mask()
        self._view.show_references([c for c in self._scene.choices("labels") if c.key != mask])

    def _watch(self, key: LayerKey) -> None:
        """Compare again after each step of the user's in a layer that is being compared."""
        if key in self._watched:
            return
        self._watched.add(key)

        def edited(_: LabelEdit | None) -> None:
            if key in (self._mask(), self._view.reference()):
                self.update()

        self._scene.watch_labels(key, edited)

    def _show(self, comparison: Comparison) -> None:
        self._shown = comparison
        self._view.show_comparison(comparison)
        self.errors_changed()
        if self._run() is not None:
            self._on_scored()

    def _show_errors(self, comparison: Comparison) -> None:
        mask, errors = self._mask(), self._errors(comparison)
        if mask is None or self._scene.volume(mask).shape != errors.shape:
            return
        if self._overlay is not None and self._scene.has(self._overlay):
            if self._scene.volume(self._overlay).shape == errors.shape:
                self._scene.replace_labels(self._overlay, errors)
                return
            self._remove_overlay()
        self._overlay = self._scene.add_labels(
            errors,
            self._scene.placement(mask),
            name=f"{comparison.mask} errors",
            colors=COMPARISON_COLORS,
            aid=True,
        )

    def _errors(self, comparison: Comparison) -> npt.NDArray[np.uint8]:
        errors = comparison.errors
        if self._view.agreement_wanted():
            return errors
        return np.where(errors == AGREEMENT, np.uint8(0), errors)

    def _failed(self, error: BaseException) -> None:
        self._clear()
        words = error_words(error, doing="comparing", memory_advice=_MEMORY_ADVICE)
        self._view.show_problem(words)

    def _clear(self) -> None:
        self._latest.forget()
        self._shown = None
        self._remove_overlay()

    def _remove_overlay(self) -> None:
        key, self._overlay = self._overlay, None
        if key is not None:
            self._scene.remove(key)

"""What a user does to a mask by slider, brush and table; refusals become sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from napari_voxuda.app.mask.session import MaskSession
from napari_voxuda.app.refine.view import RefineView
from napari_voxuda.errors import VoxUDAError

__all__ = ["MaskActions"]


class MaskActions:
    """Hands actions on to the mask and says in the dock why one was refused.

    Parameters
    ----------
    view : RefineView
        The dock.
    mask : MaskSession
        The mask.
    """

    def __init__(self, view: RefineView, mask: MaskSession) -> None:
        self._view = view
        self._mask = mask

    def change(self) -> None:
        """Make the mask again: a slider has moved."""
        self._attempt(lambda: self._mask.change(self._view.request().mask))

    def paint(self, mark: int) -> None:
        """Let the user paint corrections: 1 particle, 2 background, 0 takes one back."""
        self._attempt(lambda: self._mask.paint(mark))

    def clear(self) -> None:
        """Take every correction back."""
        self._attempt(self._mask.clear_marks)

    def delete(self, labels: Sequence[int]) -> None:
        """Delete particles."""
        self._attempt(lambda: self._mask.delete(labels))

    def merge(self, labels: Sequence[int]) -> None:
        """Merge particles."""
        self._attempt(lambda: self._mask.merge(labels))

    def split(self, labels: Sequence[int]) -> None:
        """Split a particle."""
        if len(labels) != 1:
            self._view.say("Split: select one particle in the table.", "warning")
            return
        self._attempt(lambda: self._mask.split(labels[0]))

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except VoxUDAError as error:
            self._view.say(str(error), "error")

"""What the docks' controllers need of a viewer, without knowing which viewer it is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Triple, TripleInt
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Volume

__all__ = ["LabelEdit", "LayerChoice", "LayerKey", "LayerKind", "Scene", "SliceView"]

LayerKey = Hashable
"""Names one layer for as long as it lives."""

LayerKind = Literal["image", "labels", "points"]


@dataclass(frozen=True, kw_only=True)
class LayerChoice:
    """A layer that the user can choose."""

    key: LayerKey
    name: str


@dataclass(frozen=True, kw_only=True)
class SliceView:
    """What of a volume is on the screen.

    Parameters
    ----------
    axis : int
        The axis across the shown slice: 0 for z, 1 for y, 2 for x.
    index : int
        The shown slice, a valid index.
    start, stop : tuple of int
        (z, y, x) bounds of the visible voxels, ``start < stop``; along `axis` they are
        `index` and ``index + 1``.
    horizontal : int or None
        The axis from the left to the right of the screen; the last of the two in the slice when None.
    """

    axis: int
    index: int
    start: TripleInt
    stop: TripleInt
    horizontal: int | None = None

    @property
    def across_screen(self) -> int:
        """The axis from the left to the right of the screen."""
        if self.horizontal is not None:
            return self.horizontal
        return 1 if self.axis == 2 else 2


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelEdit:
    """A step in which the user changed labels.

    Parameters
    ----------
    voxels : numpy.ndarray
        (n,) flat indices of the changed voxels, each once.
    before : numpy.ndarray
        (n,) their labels before the step.
    """

    voxels: npt.NDArray[np.int64]
    before: npt.NDArray[Any]


class Scene(Protocol):
    """The layers of a viewer."""

    def choices(self, kind: LayerKind) -> list[LayerChoice]:
        """Return the volumes (image, labels) or point layers in it, the newest first; no aids."""
        ...

    def active(self) -> LayerKey | None:
        """Return the selected layer."""
        ...

    def has(self, key: LayerKey) -> bool:
        """Whether the layer is still there."""
        ...

    def shown(self, keys: Sequence[LayerKey]) -> LayerKey | None:
        """Return the uppermost visible one of some layers, else the first that is there."""
        ...

    def volume(self, key: LayerKey) -> Volume:
        """Return a layer as a volume."""
        ...

    def set_voxel_size(self, key: LayerKey, voxel_size_angstrom: float) -> None:
        """Give a layer its voxel size in Å."""
        ...

    def picks(self, key: LayerKey, like: LayerKey) -> Picks:
        """Return a points layer as positions in voxels of the layer `like`."""
        ...

    def slice_view(self, key: LayerKey) -> SliceView | None:
        """Return what is visible of a layer; None where no slice is shown."""
        ...

    def placement(self, key: LayerKey) -> Any:
        """Return where a layer lies, for `add_image` and `add_labels`, also once it is gone."""
        ...

    def add_image(
        self,
        data: npt.NDArray[Any],
        placement: Any,
        *,
        name: str,
        offset: TripleInt | None = None,
        like: LayerKey | None = None,
        limits: tuple[float, float] | None = None,
        colormap: str | None = None,
        opacity: float = 1.0,
        visible: bool = True,
        overlay: bool = False,
    ) -> LayerKey:
        """Add an image of the whole placement, or a piece from voxel `offset`; return its key.

        An `overlay` is added to the light of what lies below it.
        """
        ...

    def add_labels(
        self,
        data: npt.NDArray[Any],
        placement: Any,
        *,
        name: str,
        colors: Mapping[int, str] | None = None,
        aid: bool = False,
        visible: bool = True,
    ) -> LayerKey:
        """Add a labels layer, with the colours given for its labels, and return its key.

        An `aid` is only looked at or painted on: it is never among the `choices`, and leaves the
        selected layer selected.
        """
        ...

    def update_image(
        self, key: LayerKey, data: npt.NDArray[Any], placement: Any, offset: TripleInt
    ) -> None:
        """Replace the values and place of an image of the same number of axes."""
        ...

    def link_contrast(self, key: LayerKey, like: LayerKey, *, shift: float = 0.0) -> None:
        """Keep the contrast limits of image `key` those of `like` plus `shift`, whichever is changed."""
        ...

    def update_labels(self, key: LayerKey, data: npt.NDArray[Any]) -> None:
        """Replace the values of labels of equal shape, as one step that undo takes back if it can."""
        ...

    def replace_labels(self, key: LayerKey, data: npt.NDArray[Any]) -> None:
        """Replace the values of labels, which nobody edits; there is nothing to undo."""
        ...

    def edit_labels(
        self,
        key: LayerKey,
        voxels: npt.NDArray[np.int64],
        values: npt.NDArray[Any],
        *,
        told: bool = True,
    ) -> None:
        """Change labels at flat indices as one step that undo takes back.

        Watchers are told of it as of a step of the user's, unless `told` is false.
        """
        ...

    def watch_labels(self, key: LayerKey, callback: Callable[[LabelEdit | None], None]) -> None:
        """Call `callback` with each step in which the user changes labels; None for undo and redo."""
        ...

    def select(self, key: LayerKey) -> None:
        """Make a layer the active one, on which Ctrl-Z works."""
        ...

    def paint(self, key: LayerKey, label: int) -> None:
        """Select a labels layer and let the user paint `label` in three dimensions."""
        ...

    def go_to(self, key: LayerKey, position: Triple) -> None:
        """Show the slice through a position (z, y, x) in voxels of a layer.

        The view is moved to its centre unless it is well in sight already.
        """
        ...

    def add_ring(self, position: Triple, placement: Any, *, name: str, diameter: float) -> LayerKey:
        """Add rings like the slices of a ball around a position; return the layer's key.

        Position (z, y, x) and diameter are in voxels of the placement.
        """
        ...

    def add_boxes(
        self, starts: Sequence[TripleInt], box: int, placement: Any, *, name: str
    ) -> LayerKey:
        """Add the outlines of cubes of `box` voxels with the first voxels `starts`; return the layer's key."""
        ...

    def remove(self, key: LayerKey) -> None:
        """Remove a layer if it is still there."""
        ...

    def open(self, path: Path) -> LayerKey | None:
        """Open a file and return the key of its first layer."""
        ...

    def watch_layers(self, callback: Callable[[], None]) -> None:
        """Call `callback` when layers come, go or are renamed."""
        ...

    def watch_view(self, callback: Callable[[], None]) -> None:
        """Call `callback` when another slice, region or layer is shown."""
        ...

    def close(self) -> None:
        """Stop watching."""
        ...

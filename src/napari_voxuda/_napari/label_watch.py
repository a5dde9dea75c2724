"""Tell the user's changes of labels layers from the program's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_voxuda.app.scene import LabelEdit, LayerKey

if TYPE_CHECKING:
    from napari.layers import Labels

__all__ = ["LabelWatch"]

_Callback = Callable[[LabelEdit | None], None]


class LabelWatch:
    """Reports each stroke, fill or programmed edit of labels layers, and that of undo and redo.

    napari emits ``paint`` with what a step changed, for some steps before the labels are written; they
    are told once the layer is drawn. Undo and redo emit nothing of their own: they are recognised by the
    length of the redo history whenever the layer is drawn again.
    """

    def __init__(self) -> None:
        self._silent: set[LayerKey] = set()
        self._connected: list[tuple[Any, Callable[..., None]]] = []

    def watch(self, layer: Labels, callback: _Callback) -> None:
        """Call `callback` with each edit of `layer`; with None after undo and redo."""
        key = layer.unique_id
        undone = _undone(layer)
        waiting: list[LabelEdit] = []

        def tell(edit: LabelEdit | None) -> None:
            if edit is None or len(edit.voxels):
                callback(edit)

        def painted(event: Any) -> None:
            nonlocal undone
            undone = _undone(layer)
            if key in self._silent:
                return
            edit = _edit_of(event.value, layer.data.shape)
            if _is_written(event.value[-1], layer):
                tell(edit)
            else:
                waiting.append(edit)

        def drawn(event: Any = None) -> None:
            nonlocal undone
            edits = [waiting.pop(0) for _ in range(len(waiting))]
            for edit in edits:
                tell(edit)
            before, undone = undone, _undone(layer)
            if before != undone and not edits and key not in self._silent:
                tell(None)

        for emitter, function in (
            (layer.events.paint, painted),
            (layer.events.labels_update, drawn),
            (layer.events.set_data, drawn),
        ):
            emitter.connect(function)
            self._connected.append((emitter, function))

    @contextmanager
    def silenced(self, key: LayerKey) -> Iterator[None]:
        """Report nothing of the layer `key` inside the block."""
        already = key in self._silent
        self._silent.add(key)
        try:
            yield
        finally:
            if not already:
                self._silent.discard(key)

    def close(self) -> None:
        """Report nothing any more."""
        for emitter, function in self._connected:
            emitter.disconnect(function)
        self._connected.clear()


def _undone(layer: Labels) -> int:
    """Return how many steps could be redone; 0 in a napari that does not tell."""
    return len(getattr(layer, "_redo_history", ()))


def _is_written(atom: Any, layer: Labels) -> bool:
    """Whether the labels hold the new values of an atom of the history already."""
    where, _ = _changed(atom, layer.data.shape)
    new = atom.new_value if hasattr(atom, "slice_key") else atom[2]
    return bool(np.array_equal(np.asarray(layer.data)[where], np.broadcast_to(new, where[0].shape)))


def _edit_of(item: Any, shape: tuple[int, ...]) -> LabelEdit:
    """Return the voxels that a step of the undo history changed, and their first labels."""
    voxels: list[npt.NDArray[np.int64]] = []
    before: list[npt.NDArray[Any]] = []
    for atom in item:
        where, old = _changed(atom, shape)
        flat = np.ravel_multi_index(where, shape).astype(np.int64)
        voxels.append(flat)
        before.append(np.broadcast_to(old, flat.shape))
    if not voxels:
        return LabelEdit(voxels=np.zeros(0, np.int64), before=np.zeros(0, np.int64))
    # Where strokes overlap, the first one knows the label from before the step.
    unique, first = np.unique(np.concatenate(voxels), return_index=True)
    return LabelEdit(voxels=unique, before=np.concatenate(before)[first])


def _changed(atom: Any, shape: tuple[int, ...]) -> tuple[tuple[npt.NDArray[Any], ...], Any]:
    """Return the indices that an atom of the history changed, and their labels before."""
    if not hasattr(atom, "slice_key"):  # (indices, old, new)
        return tuple(np.atleast_1d(np.asarray(i)).reshape(-1) for i in atom[0]), atom[1]
    ranges = [part.indices(size) for part, size in zip(atom.slice_key, shape, strict=True)]
    starts = [start for start, _, _ in ranges]
    box = tuple(len(range(*part)) for part in ranges)
    mask = np.ones(box, np.bool_) if atom.mask is None else np.asarray(atom.mask).reshape(box)
    where = tuple(i + start for i, start in zip(np.nonzero(mask), starts, strict=True))
    return where, np.asarray(atom.old_values).reshape(-1)

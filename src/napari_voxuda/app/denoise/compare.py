"""Two denoisers, or a denoiser and the tomogram, beside each other on what is visible of a slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_voxuda.app.denoise.names import SHORT_NAMES, Side
from napari_voxuda.app.scene import SliceView
from napari_voxuda.data.volume import Volume
from napari_voxuda.method.denoising import DenoiseSettings

if TYPE_CHECKING:
    from napari_voxuda.app.denoise.preview import PreviewPiece, PreviewSource

__all__ = [
    "CompareChoice",
    "Comparison",
    "Divider",
    "DividerPlace",
    "Picture",
    "SideMaker",
    "picture_of",
]


@dataclass(frozen=True, kw_only=True)
class CompareChoice:
    """What the preview shows.

    Parameters
    ----------
    left, right : {"raw", "ibf", "bilateral", "ngm"}
        What lies on the two sides of the divider.
    divider : float
        Where the divider is, from 0 (left edge of what is visible) to 1.
    difference : bool
        Whether a denoised side shows what the denoiser takes away: raw - denoised.
    """

    left: Side = "raw"
    right: Side = "ibf"
    divider: float = 0.5
    difference: bool = False


@dataclass(frozen=True, kw_only=True)
class DividerPlace:
    """Where the divider is drawn.

    Parameters
    ----------
    placement : object
        Of the volume.
    view : SliceView
        The shown region, to which the picture was cut.
    voxel : int
        How many voxels of the region lie left of the line.
    names : tuple of str
        What lies left and right of it.
    """

    placement: Any
    view: SliceView
    voxel: int
    names: tuple[str, str]


class Divider(Protocol):
    """The line between the two sides, which a user can drag."""

    def show(self, place: DividerPlace) -> None:
        """Draw the line, or move it."""
        ...

    def hide(self) -> None:
        """Take the line away."""
        ...

    def is_lost(self) -> bool:
        """Whether the user has removed the line that was drawn."""
        ...

    def watch(self, callback: Any) -> None:
        """Call `callback` with a place from 0 to 1 while the user drags the line."""
        ...

    def close(self) -> None:
        """Stop watching."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """The two sides of one region, whole, and the region as it is.

    Parameters
    ----------
    left, right, raw : PreviewPiece
        (d, h, w) each, of one place.
    """

    left: PreviewPiece
    right: PreviewPiece
    raw: PreviewPiece


class SideMaker:
    """Computes the sides, in a worker; what has not changed is not computed again."""

    def __init__(self) -> None:
        self._source: PreviewSource | None = None
        self._made: dict[Side, tuple[Any, PreviewPiece]] = {}

    def make(
        self,
        key: Any,
        volume: Volume,
        view: SliceView,
        left: tuple[Side, DenoiseSettings | None],
        right: tuple[Side, DenoiseSettings | None],
    ) -> Comparison:
        """Return both sides of what is visible of the layer `key`."""
        from napari_voxuda.app.denoise.preview import PreviewSource, preview_slice

        source = self._source = self._source or PreviewSource()
        statistics = source.statistics(key, volume)

        def side(name: Side, settings: DenoiseSettings | None) -> PreviewPiece:
            wanted = (key, id(volume.data), view, settings)
            kept = self._made.get(name)
            if kept is None or kept[0] != wanted:
                kept = (wanted, preview_slice(volume, view, settings, statistics, source))
                self._made[name] = kept
            return kept[1]

        return Comparison(left=side(*left), right=side(*right), raw=side("raw", None))


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """The pixels of the preview.

    Parameters
    ----------
    data : numpy.ndarray
        (d, h, w) float32.
    shift : float
        What was taken from the values, and is to be taken from the contrast limits.
    voxel : int
        How many voxels lie left of the divider.
    names : tuple of str
        What lies left and right.
    """

    data: npt.NDArray[np.float32]
    shift: float
    voxel: int
    names: tuple[str, str]


def picture_of(comparison: Comparison, choice: CompareChoice, view: SliceView) -> Picture:
    """Return the two sides as one picture.

    With `difference` everything is shown less the mean of the tomogram in the region: the
    tomogram looks as before, and a difference of 0 has the grey of its mean. So one pair of contrast
    limits serves both sides, and the strength of what is taken away can be compared with the
    tomogram's.
    """
    raw = comparison.raw.data
    shift = float(raw.mean()) if choice.difference else 0.0

    def shown(side: Side, piece: PreviewPiece) -> npt.NDArray[np.float32]:
        if not choice.difference:
            return piece.data
        values: npt.NDArray[np.float32] = raw - (np.float32(shift) if side == "raw" else piece.data)
        return values

    axis = view.across_screen
    voxel = round(min(max(choice.divider, 0.0), 1.0) * raw.shape[axis])
    left = [slice(None)] * 3
    left[axis] = slice(0, voxel)
    data = shown(choice.right, comparison.right).copy()
    data[tuple(left)] = shown(choice.left, comparison.left)[tuple(left)]
    names = (_name(choice.left, choice.difference), _name(choice.right, choice.difference))
    return Picture(data=data, shift=shift, voxel=voxel, names=names)


def _name(side: Side, difference: bool) -> str:
    name = SHORT_NAMES[side]
    return f"raw − {name}" if difference and side != "raw" else name

"""Light on surfaces, drawn into their colours.

napari lights a surface from the front in its default orientation only: in those that show the true
hand its light comes from behind, and the light has no setting. So it is drawn into the vertices' colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._napari.look import camera_of

if TYPE_CHECKING:
    import napari

__all__ = ["LitColors", "light_of", "lit"]

_SHADE = 0.3  # of the colour, where a surface faces away from the light
_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class LitColors:
    """What is needed to light a surface from elsewhere.

    Parameters
    ----------
    colors : numpy.ndarray
        (n, 4) colours of the vertices without light.
    normals : numpy.ndarray
        (n, 3) outward normals (z, y, x).
    """

    colors: _Floats
    normals: _Floats


def light_of(viewer: napari.Viewer, order: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return the direction (z, y, x) from which a light at the upper right of the viewer comes.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, whose camera counts.
    order : sequence of int
        Which of the axes z, y and x is displayed first, second and third.
    """
    camera: Any = camera_of(viewer)
    sight, up = (np.asarray(v, float) for v in (camera.view_direction, camera.up_direction))
    # (z, y, x) and (x, y, z) differ in hand: this is to the right where the true hand is shown.
    right = np.cross(up, sight)
    shown = -sight + up + 0.5 * right
    light = np.empty(3)
    light[list(order)] = shown / np.linalg.norm(shown)
    return light


def lit(surface: LitColors, light: npt.NDArray[np.float64]) -> _Floats:
    """Return the colours (n, 4) of a surface in a light from the direction `light` (z, y, x)."""
    facing = surface.normals @ light.astype(np.float32)
    # Half-Lambert: round things look round also on their far side.
    strength = _SHADE + (1 - _SHADE) * (0.5 + 0.5 * facing) ** 2
    colors = surface.colors.copy()
    colors[:, :3] *= strength[:, None]
    return colors

"""Layers of the particles' surfaces and centres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_voxuda._napari.layers import Placement
from napari_voxuda._napari.light import LitColors
from napari_voxuda.app.space.surfaces import Surfaces
from napari_voxuda.segmentation.meshes import Mesh

if TYPE_CHECKING:
    from napari.layers import Points, Surface

__all__ = ["centres_layer", "surface_layer", "unlit"]

_Colors = npt.NDArray[np.float32]


def unlit(surfaces: Surfaces, colors: _Colors) -> LitColors:
    """Return the colours and normals of the vertices, from a colour (n, 4) for each particle."""
    mesh = _drawn(surfaces)
    if len(surfaces.numbers) == 0:
        drawn = np.zeros((len(mesh.vertices), 4), np.float32)
    else:
        drawn = colors[surfaces.vertex_particle]
    return LitColors(colors=drawn, normals=mesh.normals())


def surface_layer(
    surfaces: Surfaces, vertex_colors: _Colors, placement: Placement, *, name: str
) -> Surface:
    """Return a layer of all surfaces, whose light is in the colours of their vertices."""
    from napari.layers import Surface

    mesh = _drawn(surfaces)
    return Surface(
        (mesh.vertices, mesh.faces),
        vertex_colors=vertex_colors,
        name=name,
        shading="none",
        **placement.layer_keywords(),
    )


def centres_layer(
    surfaces: Surfaces, colors: _Colors, placement: Placement, *, name: str
) -> Points:
    """Return a layer of balls of the particles' volumes, with a colour (n, 4) for each."""
    from napari.layers import Points

    return Points(
        surfaces.centres,
        size=surfaces.diameters if len(surfaces.diameters) else 1,
        face_color=colors if len(colors) else "white",
        border_width=0,
        shading="spherical",
        name=name,
        features={"number": surfaces.numbers},
        **placement.layer_keywords(),
    )


def _drawn(surfaces: Surfaces) -> Mesh:
    """Return the mesh; a triangle without extent where it is empty, which a layer cannot be."""
    if len(surfaces.mesh.faces):
        return surfaces.mesh
    return Mesh(vertices=np.zeros((3, 3), np.float32), faces=np.array([[0, 1, 2]], np.int32))

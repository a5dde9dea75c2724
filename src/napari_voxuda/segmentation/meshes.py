"""Triangle meshes around objects in a volume."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Mesh", "joined", "mesh_around", "smoothed"]

# Taubin's two steps: the second undoes the shrinking of the first (pass band 0.1).
_SHRINK = 0.5
_GROW = -0.5 / 0.95
_VERTICES_A_ROUND = 20  # all of a tiny mesh is fine detail, which smoothing would take away
_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Mesh:
    """Triangles.

    Parameters
    ----------
    vertices : numpy.ndarray
        (n, 3) positions (z, y, x) in voxels; a voxel's centre is its 0-based index.
    faces : numpy.ndarray
        (m, 3) indices of vertices.
    """

    vertices: npt.NDArray[np.float32]
    faces: npt.NDArray[np.int32]

    def volume_voxels(self) -> float:
        """Return the enclosed volume in voxels; the mesh has to be closed."""
        a, b, c = (self.vertices[self.faces[:, i]].astype(np.float64) for i in range(3))
        return abs(float(np.einsum("ij,ij->", a, np.cross(b, c)))) / 6

    def normals(self) -> npt.NDArray[np.float32]:
        """Return outward unit normals (n, 3) of the vertices of a closed mesh: z, y, x."""
        a, b, c = (self.vertices[self.faces[:, i]] for i in range(3))
        areas = np.cross(b - a, c - a)
        normals = np.zeros(self.vertices.shape, np.float64)
        for axis, corner in product(range(3), range(3)):
            weights = areas[:, axis]
            normals[:, axis] += np.bincount(self.faces[:, corner], weights, len(normals))
        # Of a closed mesh whose faces turn the other way the enclosed volume is negative.
        outward = 1.0 if np.einsum("ij,ij->", a.astype(np.float64), areas) > 0 else -1.0
        length = np.linalg.norm(normals, axis=1, keepdims=True)
        unit: npt.NDArray[np.float32] = normals / np.maximum(length, 1e-12) * outward
        return unit.astype(np.float32)


def mesh_around(values: npt.NDArray[Any], level: float) -> Mesh:
    """Return the closed surface around what is above a level, by marching cubes.

    Parameters
    ----------
    values : numpy.ndarray
        (d, h, w); at least one is above 0. What lies outside counts as 0, so that the surface is
        closed where an object leaves the volume.
    level : float
        Value of the surface, above 0. Where no value exceeds it, half of the largest is taken, so that
        an object is never lost.
    """
    from skimage import measure

    padded = np.pad(np.asarray(values, np.float32), 1)
    top = float(padded.max())
    at = level if level < top else top / 2
    marching_cubes: Any = measure.marching_cubes
    vertices, faces, _, _ = marching_cubes(padded, at)
    return Mesh(vertices=(vertices - 1).astype(np.float32), faces=faces.astype(np.int32))


def smoothed(mesh: Mesh, rounds: int) -> Mesh:
    """Return a mesh without its steps, of nearly the same volume.

    Parameters
    ----------
    mesh : Mesh
        A closed mesh.
    rounds : int
        How often it is smoothed; 0 leaves it as it is. A mesh of few vertices gets fewer rounds.

    Notes
    -----
    Each round moves every vertex towards the mean of its neighbours and then a little further back
    (G. Taubin, SIGGRAPH 1995), so that small particles do not shrink away.
    """
    count = len(mesh.vertices)
    rounds = min(rounds, count // _VERTICES_A_ROUND)
    if rounds == 0:
        return mesh
    from scipy.sparse import coo_array

    edges = np.concatenate([mesh.faces[:, [i, (i + 1) % 3]] for i in range(3)])
    both = np.concatenate([edges, edges[:, ::-1]])
    key = np.unique(both[:, 0].astype(np.int64) * count + both[:, 1])
    rows, columns = key // count, key % count
    weights = 1.0 / np.bincount(rows, minlength=count)[rows]
    mean = coo_array((weights.astype(np.float32), (rows, columns)), (count, count)).tocsr()
    vertices = mesh.vertices.copy()
    for _ in range(rounds):
        for step in (_SHRINK, _GROW):
            vertices += np.float32(step) * (mean @ vertices - vertices)
    return Mesh(vertices=vertices, faces=mesh.faces)


def joined(meshes: list[Mesh]) -> Mesh:
    """Return several meshes as one; an empty one where there are none."""
    if not meshes:
        return Mesh(vertices=np.zeros((0, 3), np.float32), faces=np.zeros((0, 3), np.int32))
    firsts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    faces = [mesh.faces + np.int32(first) for mesh, first in zip(meshes, firsts, strict=True)]
    return Mesh(
        vertices=np.concatenate([mesh.vertices for mesh in meshes]), faces=np.concatenate(faces)
    )

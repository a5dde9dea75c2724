"""Surfaces and centres of the particles of a mask or a probability, as a task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_voxuda._params import param, validate
from napari_voxuda._types import Progress, Task
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError
from napari_voxuda.segmentation.binning import binned_shape, binned_slabs, factor_for
from napari_voxuda.segmentation.components import Components
from napari_voxuda.segmentation.meshes import Mesh, joined, mesh_around, smoothed

__all__ = ["SurfaceJob", "SurfaceSettings", "Surfaces", "surface_task"]

_MOST_NUMBER = 1_000_000  # up to here a table of all labels is faster than sorting them
_Box = tuple[slice, slice, slice]


@dataclass(frozen=True, kw_only=True)
class SurfaceSettings:
    """How surfaces are made."""

    threshold: float = param(
        0.5,
        "Where the surface of a probability lies. A mask's surface is its border.",
        minimum=0.01,
        maximum=0.99,
        step=0.01,
    )
    smoothing: int = param(
        10,
        "How often the surface is smoothed: 0 shows the voxels' steps, 10 takes them away. The "
        "particles keep their volume.",
        minimum=0,
        maximum=50,
        step=1,
    )
    most_voxels: int = param(
        1 << 24,
        "Volumes of more voxels are binned before surfaces are made.",
        minimum=1000,
        step=1_000_000,
        advanced=True,
    )
    most_triangles: int = param(
        1_000_000,
        "Surfaces of more triangles are made again with a larger binning.",
        minimum=1000,
        step=100_000,
        advanced=True,
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class SurfaceJob:
    """What surfaces are made of.

    Parameters
    ----------
    volume : Volume
        The mask, in which everything but 0 is foreground, or the probability.
    kind : {"mask", "probability"}
        Which of both. A mask with numbers above 1 has one particle for each number; of others the
        connected pieces are the particles.
    settings : SurfaceSettings
        How.
    """

    volume: Volume
    kind: Literal["mask", "probability"]
    settings: SurfaceSettings


@dataclass(frozen=True, kw_only=True, eq=False)
class Surfaces:
    """The particles of a volume of n particles.

    Parameters
    ----------
    mesh : Mesh
        All surfaces together, in voxels of the volume as given.
    numbers : numpy.ndarray
        (n,) number of each particle.
    vertex_particle : numpy.ndarray
        For each vertex of the mesh, the index of its particle from 0 to n - 1.
    centres : numpy.ndarray
        (n, 3) centres of mass (z, y, x) in voxels of the volume as given.
    diameters : numpy.ndarray
        (n,) diameters in voxels of balls of the particles' volumes.
    own_numbers : bool
        Whether the numbers are those of the mask; else the particles are its connected pieces, the
        largest first.
    binning : int
        Edge in voxels of the blocks that were taken together; 1 where none were.
    """

    mesh: Mesh
    numbers: npt.NDArray[np.int64]
    vertex_particle: npt.NDArray[np.int32]
    centres: npt.NDArray[np.float64]
    diameters: npt.NDArray[np.float64]
    own_numbers: bool
    binning: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Binned:
    """A volume in blocks, and the particle of each: 0, or one more than an index of `numbers`."""

    values: npt.NDArray[np.float32]
    particles: npt.NDArray[Any]
    numbers: npt.NDArray[np.int64] | None  # None where the particles are connected pieces
    factor: int


def surface_task(job: SurfaceJob) -> Task[Surfaces]:
    """Make the surface and the centre of every particle.

    Yields
    ------
    Event
        Progress after each slab that is read and each particle.

    Returns
    -------
    Surfaces
        Of no particles where the mask is empty.

    Raises
    ------
    InputError
        When a mask holds fractions or negative numbers.
    """
    _check(job)
    factor = factor_for(job.volume.shape, job.settings.most_voxels)
    while True:
        binned = yield from _binned(job, factor)
        triangles = 2 * _steps(binned.particles)
        if triangles <= job.settings.most_triangles or min(binned.values.shape) < 4:
            return (yield from _meshed(job, binned))
        # Each further step of the binning is a reading more, so go straight to what will do.
        factor = max(factor + 1, int(factor * np.sqrt(triangles / job.settings.most_triangles)))


def _check(job: SurfaceJob) -> None:
    if job.kind == "mask" and job.volume.data.dtype.kind not in "bui":
        raise InputError(
            f"{job.volume.name}: a mask of whole numbers was wanted, got values of the type "
            f"{job.volume.data.dtype}. Choose it as the probability instead."
        )


def _binned(job: SurfaceJob, factor: int) -> Task[_Binned]:
    data = job.volume.data
    shape = binned_shape(data.shape, factor)
    how: Literal["mean", "occupancy"] = "occupancy" if job.kind == "mask" else "mean"
    values = np.empty(shape, np.float32)
    for slab, found in binned_slabs(data, factor, how):
        values[slab] = found
        yield Progress(stage="Reading", done=slab.stop, total=shape[0])
    if job.kind == "mask":
        labels = yield from _largest(data, factor, shape)
        if labels.max() > 1:
            particles, numbers = _dense(labels)
            return _Binned(values=values, particles=particles, numbers=numbers, factor=factor)
        foreground = labels > 0
    else:
        foreground = values >= job.settings.threshold
    yield Progress(stage="Finding particles", done=0, total=1)
    pieces = _pieces(foreground)
    return _Binned(values=values, particles=pieces, numbers=None, factor=factor)


def _largest(data: Any, factor: int, shape: tuple[int, int, int]) -> Task[npt.NDArray[Any]]:
    """Return the largest label of each block; a bool mask as 0 and 1."""
    labels = np.empty(shape, np.uint8 if data.dtype == np.bool_ else data.dtype)
    for slab, found in binned_slabs(data, factor, "largest"):
        labels[slab] = np.maximum(found, 0)
        yield Progress(stage="Reading", done=slab.stop, total=shape[0])
    return labels


def _dense(labels: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Return labels as whole numbers from 0 without gaps, and the label of each from 1 on."""
    if labels.max() <= _MOST_NUMBER:
        present = np.bincount(labels.reshape(-1)) > 0
        present[0] = True
        numbers = np.flatnonzero(present)
        places = (np.cumsum(present) - 1).astype(np.min_scalar_type(len(numbers)))
        return places[labels], numbers[1:].astype(np.int64)
    numbers, places = np.unique(np.append(0, labels), return_inverse=True)
    dense = places.reshape(-1)[1:].reshape(labels.shape)
    return dense.astype(np.min_scalar_type(len(numbers))), numbers[1:].astype(np.int64)


def _pieces(foreground: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    components = Components(foreground)
    pieces = np.empty(foreground.shape, np.min_scalar_type(max(1, components.count)))
    for slab, labels in components.labels():
        pieces[slab] = labels
    return pieces


def _steps(particles: npt.NDArray[Any]) -> int:
    """Return how many faces of voxels lie between two particles or a particle and the background."""
    moved = (np.moveaxis(particles, axis, 0) for axis in range(3))
    return sum(int(np.count_nonzero(along[1:] != along[:-1])) for along in moved)


def _meshed(job: SurfaceJob, binned: _Binned) -> Task[Surfaces]:
    level = 0.5 if job.kind == "mask" else job.settings.threshold
    factor = binned.factor
    boxes = list(_boxes(binned.particles))
    meshes, centres, sizes = [], [], []
    for done, (index, box) in enumerate(boxes):
        values, particles = binned.values[box], binned.particles[box]
        mine = particles == index
        part = np.where(mine | (particles == 0), values, np.float32(0))
        mesh = smoothed(mesh_around(part, level), job.settings.smoothing)
        first = np.array([side.start for side in box], np.float32)
        meshes.append(Mesh(vertices=_unbinned(mesh.vertices + first, factor), faces=mesh.faces))
        centre, size = _mass(values if job.kind == "mask" else mine, mine)
        centres.append(_unbinned(centre + first, factor))
        sizes.append(size * factor**3)
        yield Progress(stage="Making surfaces", done=done + 1, total=len(boxes))
    own = binned.numbers
    return Surfaces(
        mesh=joined(meshes),
        numbers=own if own is not None else np.arange(1, len(boxes) + 1),
        vertex_particle=np.repeat(
            np.arange(len(boxes), dtype=np.int32), [len(mesh.vertices) for mesh in meshes]
        ),
        centres=np.array(centres, np.float64).reshape(-1, 3),
        diameters=np.cbrt(6 * np.array(sizes, np.float64) / np.pi),
        own_numbers=own is not None,
        binning=factor,
    )


def _boxes(particles: npt.NDArray[Any]) -> Iterator[tuple[int, _Box]]:
    """Yield each particle and the box around its voxels, with a voxel of room where there is one."""
    from scipy.ndimage import find_objects

    for index, found in enumerate(find_objects(particles.astype(np.int32, copy=False))):
        z, y, x = (
            slice(max(0, side.start - 1), min(size, side.stop + 1))
            for side, size in zip(found, particles.shape, strict=True)
        )
        yield index + 1, (z, y, x)


def _mass(
    weights: npt.NDArray[Any], mine: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], float]:
    """Return the centre of mass of a particle in its box, and its mass."""
    where = np.nonzero(mine)
    mass = weights[where].astype(np.float64)
    total = float(mass.sum())
    return np.array([np.dot(axis, mass) / total for axis in where]), total


def _unbinned(positions: npt.NDArray[Any], factor: int) -> npt.NDArray[Any]:
    """Return positions in binned voxels as positions in voxels: centres lie at whole indices."""
    return (positions + 0.5) * np.float32(factor) - 0.5 if factor > 1 else positions

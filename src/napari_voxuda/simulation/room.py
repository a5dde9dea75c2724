"""Who stands where: bodies in a box that others keep clear of. All lengths are in voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Ball", "Body", "Cloud", "Host", "Rod", "Shell", "direction", "is_free"]

_Array = npt.NDArray[np.float64]


class Body(Protocol):
    """Something that takes room."""

    def distance(self, point: _Array) -> float:
        """Return how far a point (z, y, x) is from the surface; negative inside."""
        ...


class Host(Body, Protocol):
    """A body that others like to stand beside."""

    def beside(self, heading: _Array, gap: float, rng: np.random.Generator) -> _Array:
        """Return a point at `gap` from the surface, roughly in the direction `heading`."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Ball:
    """The sphere around a molecule or a gold bead."""

    centre: _Array
    radius: float

    def distance(self, point: _Array) -> float:
        """Return how far a point (z, y, x) is from the surface; negative inside."""
        return float(np.linalg.norm(point - self.centre)) - self.radius

    def beside(self, heading: _Array, gap: float, rng: np.random.Generator) -> _Array:
        """Return the point at `gap` from the surface in the direction `heading`."""
        return self.centre + heading * (self.radius + gap)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rod:
    """The cylinder without ends around a filament.

    Parameters
    ----------
    centre : numpy.ndarray
        (3,) a point of its axis.
    axis : numpy.ndarray
        (3,) unit vector.
    radius : float
        Radius of the cylinder.
    span : float
        Others stand beside it no farther than this from `centre`, along the axis.
    """

    centre: _Array
    axis: _Array
    radius: float
    span: float

    def distance(self, point: _Array) -> float:
        """Return how far a point (z, y, x) is from the surface; negative inside."""
        return float(np.linalg.norm(self._across(point - self.centre))) - self.radius

    def beside(self, heading: _Array, gap: float, rng: np.random.Generator) -> _Array:
        """Return a point at `gap` from the surface, somewhere along the axis."""
        across = self._across(heading)
        across = across / float(np.linalg.norm(across))
        along = rng.uniform(-self.span, self.span)
        return self.centre + self.axis * along + across * (self.radius + gap)

    def _across(self, vector: _Array) -> _Array:
        return np.asarray(vector - self.axis * float(vector @ self.axis))


class Cloud:
    """The points (n, 3) of molecules themselves, where spheres around them would waste room."""

    def __init__(self, points: _Array) -> None:
        self.points = points
        self._squares = np.einsum("ni,ni->n", points, points)

    def distance(self, point: _Array) -> float:
        """Return how far a point (z, y, x) is from the closest one; infinity without any."""
        if not len(self.points):
            return float("inf")
        least = float((self._squares - 2 * (self.points @ point)).min())
        return float(np.sqrt(max(least + float(point @ point), 0.0)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Shell:
    """A sphere's surface of some thickness: a membrane.

    Parameters
    ----------
    centre : numpy.ndarray
        (3,) centre of the sphere, often far outside the box.
    radius : float
        Radius of the middle of the shell.
    half : float
        Half of its thickness.
    """

    centre: _Array
    radius: float
    half: float

    def distance(self, point: _Array) -> float:
        """Return how far a point (z, y, x) is from the nearer face; negative between them."""
        return abs(float(np.linalg.norm(point - self.centre)) - self.radius) - self.half

    def foot(self, point: _Array) -> _Array:
        """Return the point of the middle surface that is closest to `point`."""
        away = point - self.centre
        return self.centre + away * (self.radius / float(np.linalg.norm(away)))


def direction(rng: np.random.Generator) -> _Array:
    """Draw a unit vector uniformly over the sphere."""
    vector = rng.standard_normal(3)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)


def is_free(point: _Array, radius: float, bodies: Sequence[Body]) -> bool:
    """Return whether a ball of `radius` around `point` touches none of the bodies."""
    return all(body.distance(point) >= radius for body in bodies)

"""Unlabelled target boxes of several tomograms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from napari_voxuda._types import Normalisation
from napari_voxuda.data.targets import Target, TomogramTarget
from napari_voxuda.errors import InputError

__all__ = ["TomogramSet"]


class TomogramSet(Target):
    """Boxes of several tomograms, of each in proportion to its voxels or, with picks, to its picks.

    Each tomogram is normalised by itself.

    Parameters
    ----------
    parts : sequence of TomogramTarget
        At least one; all with one box edge, and all with picks or all without.

    Raises
    ------
    InputError
        When there is none, or they differ in box or in having picks.
    """

    normalisation: Normalisation = "volume"

    def __init__(self, parts: Sequence[TomogramTarget]) -> None:
        if not parts:
            raise InputError("target: at least one tomogram was wanted, got none.")
        if len({(part.box, part.picked is None) for part in parts}) > 1:
            raise InputError(
                "target: tomograms with one box edge, and picks for all or for none, were wanted."
            )
        self.box = parts[0].box
        self.parts = tuple(parts)
        shares = [part.values.size if part.picked is None else part.picked for part in parts]
        self._shares = torch.tensor(shares, dtype=torch.float64)

    def choose(self, count: int, generator: torch.Generator) -> list[int]:
        """Return from which of the tomograms each of `count` boxes is drawn."""
        drawn = torch.multinomial(self._shares, count, replacement=True, generator=generator)
        chosen: list[int] = drawn.tolist()
        return chosen

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return (count, box, box, box) float32 boxes, normalised, protein bright."""
        chosen = torch.tensor(self.choose(count, generator))
        boxes = torch.empty((count, *(self.box,) * 3), dtype=torch.float32)
        for number, part in enumerate(self.parts):
            mine = chosen == number
            if mine.any():
                boxes[mine] = part.draw(int(mine.sum()), generator)
        return boxes

    def check(self) -> None:
        """Make sure that every tomogram's file is there and holds the same."""
        for part in self.parts:
            part.check()

    def describe(self) -> dict[str, Any]:
        """Return what each tomogram tells of itself."""
        return {"kind": "tomograms", "tomograms": [part.describe() for part in self.parts]}

"""What a source hands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch

__all__ = ["Source", "SourceBatch"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceBatch:
    """Labelled subtomograms.

    Parameters
    ----------
    images : torch.Tensor
        (n, d, h, w) float32, noisy, protein bright, not normalised.
    clean : torch.Tensor
        (n, d, h, w) float32 after CTF and wedge, before noise; with what is not labelled.
    masks : torch.Tensor
        (n, d, h, w) bool, where any macromolecule is, whole or cut by the border.
    signal_variance : torch.Tensor
        (n,) float32 variance over the box of what the labelled molecules alone add to `clean`;
        0 in empty boxes. Gold, membranes and small proteins do not count.
    snr : torch.Tensor
        (n,) float32 `signal_variance` over the measured variance of the noise in the box; nan
        where it is not known.
    """

    images: torch.Tensor
    clean: torch.Tensor
    masks: torch.Tensor
    signal_variance: torch.Tensor
    snr: torch.Tensor

    def __len__(self) -> int:
        return len(self.images)


class Source(Protocol):
    """Anything that labelled subtomograms can be drawn from."""

    @property
    def description(self) -> dict[str, Any]:
        """What the source is made of, as plain JSON-able values."""
        ...

    def draw(self, count: int, generator: torch.Generator) -> SourceBatch:
        """Draw `count` labelled subtomograms."""
        ...

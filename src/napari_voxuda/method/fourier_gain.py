"""What the high-pass filter does to each Fourier coefficient, for a part of the spectrum at a time.

`napari_voxuda.method.fourier.high_pass_mask` makes the mask of a whole spectrum, which for a tomogram takes
several bytes a voxel. Here nothing is made that has the size of the spectrum.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method.fourier import HighPassShape, cube_line

__all__ = ["HighPassGain"]

_HIGHEST = 0x7F000000  # as a float beyond every squared frequency


class HighPassGain:
    """The gain of `high_pass` at the coefficients of a volume's half spectrum.

    Parameters
    ----------
    shape : sequence of int
        (d, h, w) of the volume.
    pass_fraction : float
        Fraction rho of the coefficients that is kept, above 0 and at most 1.
    form : {"cube", "radial"}
        Shape of the kept region; see `high_pass_mask`.

    Raises
    ------
    InputError
        For the reasons of `high_pass_mask`.
    """

    def __init__(
        self, shape: Sequence[int], pass_fraction: float, *, form: HighPassShape = "cube"
    ) -> None:
        if len(shape) != 3 or any(n < 1 for n in shape) or not 0 < pass_fraction <= 1:
            raise InputError(
                "high-pass gain: a shape (d, h, w) and a fraction above 0 and at most 1 were wanted, "
                f"got {tuple(shape)} and {pass_fraction}."
            )
        self._shape = tuple(shape)
        self._lines: list[torch.Tensor] | None = None
        if form == "cube":
            self._lines = [cube_line(n, pass_fraction) for n in shape]
            return
        if form != "radial":
            raise InputError(f"high-pass gain: form 'cube' or 'radial' was wanted, got {form!r}.")
        self._squares = [torch.fft.fftfreq(n).square() for n in shape]
        total = shape[0] * shape[1] * shape[2]
        dropped = total - max(1, round(pass_fraction * total))
        self._threshold = self._ranked(dropped)

    def rows(self, part: slice) -> torch.Tensor:
        """Return the gain of some rows of the half spectrum.

        Parameters
        ----------
        part : slice
            Indices along h.

        Returns
        -------
        Tensor
            (d, rows, w // 2 + 1) float32: 0, 0.5 or 1.
        """
        columns = self._shape[2] // 2 + 1
        if self._lines is None:
            z, y, x = self._squares
            square = z[:, None, None] + y[part, None] + x[:columns]
            beyond: torch.Tensor = square >= self._threshold
            return beyond.float()
        z, y, x = self._lines
        kept = z[:, None, None] & y[part, None] & x[:columns]
        z, y, x = (line.flip(0).roll(1) for line in self._lines)  # at the opposite frequency
        opposite = z[:, None, None] & y[part, None] & x[:columns]
        return (kept.byte() + opposite.byte()).float().div_(2)

    def _ranked(self, rank: int) -> torch.Tensor:
        """Return the squared radius that `rank` coefficients of the full spectrum are below.

        Found by bisection over the bits of a float, which rise with its value; a coefficient and its
        mirror images, which have one radius, are looked at once.
        """
        halves = [
            square[: n // 2 + 1] for square, n in zip(self._squares, self._shape, strict=True)
        ]
        counts = [_multiplicity(n) for n in self._shape]
        low, high = 0, _HIGHEST
        while low < high:
            middle = (low + high) // 2
            candidate = torch.tensor(middle, dtype=torch.int32).view(torch.float32)
            if _count_up_to(candidate, halves, counts) > rank:
                high = middle
            else:
                low = middle + 1
        return torch.tensor(low, dtype=torch.int32).view(torch.float32)


def _multiplicity(n: int) -> torch.Tensor:
    """Return how many of `n` frequencies have the square of each of the first n // 2 + 1."""
    count = torch.full((n // 2 + 1,), 2, dtype=torch.int64)
    count[0] = 1
    if n % 2 == 0:
        count[-1] = 1
    return count


def _count_up_to(
    square: torch.Tensor, halves: list[torch.Tensor], counts: list[torch.Tensor]
) -> int:
    """Return how many coefficients have at most this squared radius."""
    z, y, x = halves
    total = 0
    times = counts[1][:, None] * counts[2]
    for value, count in zip(z, counts[0], strict=True):
        inside = (value + y)[:, None] + x <= square
        total += int(count) * int(times[inside].sum())
    return total

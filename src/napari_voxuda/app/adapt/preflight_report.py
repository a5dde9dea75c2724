"""What a check before a run has found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from napari_voxuda._types import Contrast, TripleInt
from napari_voxuda.app.words import time_words

__all__ = ["Preflight", "size_words"]


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """What a run will do and need.

    Parameters
    ----------
    starts : tuple of tuple
        First voxels (z, y, x) of a sample of the boxes; empty for a folder of subtomograms.
    tomogram_of : tuple of int
        Which of the target's tomograms each of them lies in.
    box, drawn : int
        Edge of a box in voxels, and how many are drawn in the whole run.
    where : str
        Where they are cut, in words.
    voxel_size_angstrom : float
        The target's.
    contrast, contrast_given : {"bright", "dark"}, bool
        Contrast of protein, and whether it was chosen rather than detected.
    steps, batch : int
        Steps, and boxes of a step of source and target each.
    step_seconds, seconds : float
        Of a step on average, and of everything.
    device : str
        Where it computes.
    needed_bytes, available_bytes : int or None
        Memory of the device; None where it is not known.
    disk_bytes, free_disk_bytes : int
        What the run folder will take, and what is free there.
    out : Path
        The run folder.
    said, doubts : tuple of str
        What reading the inputs has warned of, and what should be changed or looked at besides.
    """

    starts: tuple[TripleInt, ...]
    tomogram_of: tuple[int, ...]
    box: int
    drawn: int
    where: str
    voxel_size_angstrom: float
    contrast: Contrast
    contrast_given: bool
    steps: int
    batch: int
    step_seconds: float
    seconds: float
    device: str
    needed_bytes: int | None
    available_bytes: int | None
    disk_bytes: int
    free_disk_bytes: int
    out: Path
    said: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Everything that should be looked at before the start."""
        return (*self.said, *self.doubts)

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Everything but the warnings as pairs of a name and words."""
        edge = self.box * self.voxel_size_angstrom
        shown = f", {len(self.starts)} of them shown" if self.starts else ""
        memory = "not known" if self.needed_bytes is None else size_words(self.needed_bytes)
        if self.available_bytes is not None:
            memory += f" of {size_words(self.available_bytes)} that are free"
        how = "as chosen" if self.contrast_given else "as detected"
        return [
            ("Boxes", f"{self.drawn:,} of {self.box}³ voxels ({edge:.0f} Å) {self.where}{shown}"),
            ("Voxel size", f"{self.voxel_size_angstrom:.4g} Å"),
            ("Contrast", f"protein is {self.contrast}, {how}"),
            ("Time", f"about {time_words(self.seconds)}, {self.step_seconds:.2g} s a step"),
            ("Memory", f"{memory} ({self.device.upper()})"),
            ("Run folder", f"{self.out} ({size_words(self.disk_bytes)})"),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-able values."""
        return {**asdict(self), "out": str(self.out)}


def size_words(count: int) -> str:
    """Return a number of bytes such as ``"1.2 GB"``."""
    if count < 1e6:
        return f"{count / 1e3:.0f} kB"
    if count < 1e9:
        return f"{count / 1e6:.0f} MB"
    return f"{count / 1e9:.1f} GB"

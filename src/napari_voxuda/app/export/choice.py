"""What the user chooses in the export window, and which options the chosen formats need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from napari_voxuda.app.export.job import POSITION_FORMATS, ExportFormat
from napari_voxuda.app.provenance import Provenance
from napari_voxuda.app.scene import LayerKey
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError

__all__ = [
    "FORMAT_WORDS",
    "OFFERED",
    "ExportChoice",
    "ExportOffer",
    "ExportOption",
    "label_names",
    "needed_options",
]

OFFERED: LayerKey = "the probability of the mask"
"""Stands for the probability that came with the mask, in the place of a layer."""

ExportOption = Literal[
    "folder",
    "probability",
    "particles",
    "run",
    "pixel",
    "label_names",
    "zarr_version",
    "copick",
    "image",
]
"""Options that only some formats need."""

FORMAT_WORDS: dict[ExportFormat, tuple[str, str]] = {
    "mrc": ("MRC: mask", "One MRC file with all labels and the tomogram's header."),
    "mrc-per-label": ("MRC: one a label", "One MRC file of 0 and 1 for each label."),
    "probability-mrc": ("MRC: probability", "The foreground probability, 32-bit floats."),
    "zarr": ("OME-Zarr: labels", "A label image with coarser levels."),
    "zarr-per-label": (
        "OME-Zarr: one a label",
        "One label image of 0 and 1 for each label, as the CryoET Data Portal keeps them.",
    ),
    "probability-zarr": (
        "OME-Zarr: probability",
        "The foreground probability with coarser levels.",
    ),
    "zarr-in-image": ("OME-Zarr: into an image", "Labels in the group “labels” of an image."),
    "copick-segmentation": ("copick: segmentation", "One object: 0 and 1, one resolution."),
    "copick-multilabel": ("copick: all labels", "A segmentation that keeps the labels."),
    "copick-picks": ("copick: picks", "Centres of the particles in Å, JSON."),
    "relion5": ("STAR: RELION 5", "Centres in Å from the middle of the tomogram."),
    "relion4": ("STAR: RELION 4", "Centres in pixels of the unbinned tilt series."),
    "ndjson": ("CryoET Portal: points", "Centres in voxels, one JSON object a line."),
    "csv": ("CSV table", "Number, centre, volume and mean probability of each particle."),
}
"""What each format is called, and its tooltip, in the order of the window."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ExportOffer:
    """What is chosen when the window opens.

    Parameters
    ----------
    layers : tuple of LayerKey
        The masks.
    formats : tuple of str
        See `ExportFormat`.
    probability : Volume or None
        Foreground probability of the one mask.
    provenance : Provenance or None
        What the one mask comes from.
    """

    layers: tuple[LayerKey, ...] = ()
    formats: tuple[ExportFormat, ...] = ("mrc",)
    probability: Volume | None = None
    provenance: Provenance | None = None


@dataclass(frozen=True, kw_only=True)
class ExportChoice:
    """The window's inputs; see `ExportJob` for those of the same name.

    Parameters
    ----------
    layers : tuple of LayerKey
        The masks.
    name : str
        What the files' names begin with; several masks take the names of their layers.
    probability : LayerKey or None
        A layer, or `OFFERED`.
    run : str
        Name of the tomogram; `name` where it is empty.
    label_names : str
        Words such as ``1=ribosome, 2=membrane``.
    """

    layers: tuple[LayerKey, ...]
    formats: tuple[ExportFormat, ...]
    folder: Path | None
    name: str
    overwrite: bool = False
    probability: LayerKey | None = None
    particles_from: Literal["auto", "labels", "components"] = "auto"
    run: str = ""
    coordinate_pixel_angstrom: float | None = None
    label_names: str = ""
    zarr_version: Literal["0.4", "0.5"] = "0.4"
    user: str = ""
    session: str = ""
    object_name: str = ""
    project: Path | None = None
    image: Path | None = None


def needed_options(
    formats: Sequence[ExportFormat], *, has_project: bool = False
) -> frozenset[ExportOption]:
    """Return the options that formats need; into a copick project no folder is needed."""
    found: set[ExportOption] = set()
    for chosen in formats:
        if chosen in POSITION_FORMATS:
            found |= {"particles", "probability"}
        if chosen.startswith("probability"):
            found |= {"probability"}
        if chosen.startswith("copick"):
            found |= {"copick", "run"}
        if chosen in ("relion4", "relion5"):
            found |= {"run"}
        if chosen == "relion4":
            found |= {"pixel"}
        if chosen.endswith("per-label") or chosen in ("zarr", "zarr-in-image", "copick-multilabel"):
            found |= {"label_names"}
        if chosen in ("zarr", "zarr-per-label", "probability-zarr"):
            found |= {"zarr_version"}
        if chosen == "zarr-in-image":
            found |= {"image"}
        elif not (chosen.startswith("copick") and has_project):
            found |= {"folder"}
    return frozenset(found)


def label_names(words: str | Sequence[str]) -> dict[int, str]:
    """Return the names of labels from words such as ``1=ribosome``, one each or with commas between.

    Raises
    ------
    InputError
        When a word is none such.
    """
    if isinstance(words, str):
        words = [word for word in words.split(",") if word.strip()]
    found = {}
    for word in words:
        number, equals, name = (part.strip() for part in word.partition("="))
        if not equals or not name or not number.isascii() or not number.isdigit():
            raise InputError(
                f"names of labels: words such as 1=ribosome were wanted, got {word.strip()!r}."
            )
        found[int(number)] = name
    return found

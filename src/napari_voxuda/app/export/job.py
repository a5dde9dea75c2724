"""What an export is asked to do, and the files that it makes: plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from napari_voxuda._types import Triple
from napari_voxuda.app.provenance import Provenance
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError
from napari_voxuda.io.copick import CopickOwner, run_of
from napari_voxuda.io.names import file_name
from napari_voxuda.segmentation.particles import Particle

__all__ = ["POSITION_FORMATS", "ExportFormat", "ExportJob", "PlannedFile"]

ExportFormat = Literal[
    "mrc",
    "zarr",
    "mrc-per-label",
    "zarr-per-label",
    "zarr-in-image",
    "probability-mrc",
    "probability-zarr",
    "copick-segmentation",
    "copick-multilabel",
    "copick-picks",
    "relion5",
    "relion4",
    "ndjson",
    "csv",
]
"""What can be written; those from ``copick-picks`` on are positions, ``csv`` a table."""

POSITION_FORMATS = ("copick-picks", "relion5", "relion4", "ndjson", "csv")
"""Formats for which particles are measured."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ExportJob:
    """Write labels, and what follows from them, in one or several formats.

    Parameters
    ----------
    labels : Volume
        (d, h, w) mask or labels, whole numbers from 0 on, in memory.
    formats : tuple of str
        What to write; see `ExportFormat`.
    folder : Path
        Where to write, except into a copick project or an image.
    name : str
        What the files' names begin with; made fit for a file name.
    probability : Volume or None
        (d, h, w) foreground probability; for ``probability-*``, and for the particles' scores.
    particles : tuple of Particle or None
        What was found; measured from the labels where None.
    particles_from : {"auto", "labels", "components"}
        Whether each label is a particle or each connected component is. ``"auto"`` takes the
        components of a mask with one label.
    label_names : mapping of int to str
        What the labels mean.
    zarr_version : {"0.4", "0.5"}
        Version of OME-Zarr; copick's folders are 0.4 always.
    owner : CopickOwner
        Whose work of which object, for copick.
    run : str or None
        Name of the tomogram, copick's run; by default that of the copick folder in which the
        volume lies, else `name`.
    project : Path or None
        File of the copick project that is written into; without, its folders are made in `folder`.
    image : Path or None
        The OME-Zarr image for ``zarr-in-image``.
    coordinate_pixel_angstrom : float or None
        Å per pixel of the unbinned tilt series, for ``relion4``; by default the voxel size.
    overwrite : bool
        Replace files that exist, and zarr folders.
    provenance : Provenance or None
        What the labels come from; without, the export hashes its inputs itself.
    protected : tuple of Path
        Files that are in use and are never replaced.
    """

    labels: Volume
    formats: tuple[ExportFormat, ...]
    folder: Path
    name: str
    probability: Volume | None = None
    particles: tuple[Particle, ...] | None = None
    particles_from: Literal["auto", "labels", "components"] = "auto"
    label_names: Mapping[int, str] = field(default_factory=dict)
    zarr_version: Literal["0.4", "0.5"] = "0.4"
    owner: CopickOwner = field(default_factory=CopickOwner)
    run: str | None = None
    project: Path | None = None
    image: Path | None = None
    coordinate_pixel_angstrom: float | None = None
    overwrite: bool = False
    provenance: Provenance | None = None
    protected: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        unknown = [f for f in self.formats if f not in get_args(ExportFormat)]
        if unknown or not self.formats:
            raise InputError(
                f"export: formats among {', '.join(get_args(ExportFormat))} were wanted, got "
                f"{', '.join(unknown) or 'none'}."
            )
        object.__setattr__(self, "formats", tuple(dict.fromkeys(self.formats)))
        object.__setattr__(self, "name", file_name(self.name, what="export name"))
        if self.probability is not None and self.probability.shape != self.labels.shape:
            raise InputError(
                f"export: a probability of the labels' shape {self.labels.shape} was wanted, got "
                f"{self.probability.shape}."
            )

    @property
    def run_name(self) -> str:
        """The name of the tomogram as files tell it."""
        source = self.labels.path
        found = self.run or (run_of(source) if source is not None else None) or self.name
        return file_name(found, what="run name")


@dataclass(frozen=True, kw_only=True)
class PlannedFile:
    """One file or folder that an export writes.

    Parameters
    ----------
    format : str
        See `ExportFormat`.
    kind : str
        What it is in words.
    path : Path
        Where it will be.
    voxel_size_angstrom, origin_angstrom : tuple of float or None
        The grid (z, y, x) that it will tell; None where it tells none.
    label : int or None
        The one label that it holds, for masks of one label.
    first : tuple of float or None
        The first particle's (x, y, z) as the file will have it; None without particles, or
        while they have not been measured.
    unit : str
        What `first` is measured in.
    note : str
        What the user should know.
    """

    format: ExportFormat
    kind: str
    path: Path
    voxel_size_angstrom: Triple | None = None
    origin_angstrom: Triple | None = None
    label: int | None = None
    first: Triple | None = None
    unit: str = ""
    note: str = ""

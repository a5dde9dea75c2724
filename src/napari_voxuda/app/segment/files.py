"""Segment a volume into files, and write what a segmentation found."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from napari_voxuda._types import Task
from napari_voxuda.app.jobs import Segmentation, SegmentJob
from napari_voxuda.app.provenance import Provenance, sign
from napari_voxuda.app.segment.task import (
    FoundMask,
    LoadModel,
    SegmentModel,
    check_sizes,
    noted,
    open_model,
    segment_into,
    trace_segmentation,
)
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.reading import unchanged
from napari_voxuda.data.slabs import SlabSink
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io._mrc_write import label_dtype
from napari_voxuda.io.mrc_stream import scratch_sink, stream_mrc
from napari_voxuda.io.provenance import check_sidecar_place
from napari_voxuda.io.saving import is_zarr_name, save_labels, save_picks, save_values
from napari_voxuda.io.table import write_particles_csv
from napari_voxuda.segmentation.components import Components

__all__ = [
    "SegmentOutputs",
    "check_new",
    "particle_picks",
    "save_segmentation",
    "segment_to_files_task",
    "segment_with",
]


def particle_picks(segmentation: Segmentation | FoundMask) -> Picks:
    """Return the centres of the particles, with their mean probability as score."""
    particles = segmentation.particles
    return Picks(
        positions=np.array([p.centroid for p in particles], dtype=np.float64).reshape(-1, 3),
        scores=np.array([p.mean_probability for p in particles], dtype=np.float64),
    )


@dataclass(frozen=True, kw_only=True)
class SegmentOutputs:
    """The files of a segmentation; those that are None are not written.

    Parameters
    ----------
    mask : Path
        The mask (MRC, or ``NAME.zarr`` for OME-Zarr).
    probability, instances : Path or None
        The foreground probability (float32), and the mask with the particles' labels, likewise.
    picks, table : Path or None
        The particles' centres (STAR of RELION 5, copick's ``.json``, ``.ndjson``), and all about them
        (CSV).
    """

    mask: Path
    probability: Path | None = None
    picks: Path | None = None
    table: Path | None = None
    instances: Path | None = None

    def check(self, volume: Volume, *, overwrite: bool) -> None:
        """Refuse what cannot be written, before anything is done.

        Raises
        ------
        OutputError
            When a file exists already, or two outputs are the same file.
        InputError
            When picks are asked for and the voxel size of `volume` is unknown.
        """
        every = (self.probability, self.instances, self.table, self.picks, self.mask)
        check_new([path for path in every if path is not None], overwrite)
        in_angstrom = self.picks is not None and self.picks.suffix.lower() != ".ndjson"
        if in_angstrom and volume.grid.voxel_size_angstrom is None:
            raise InputError(
                f"{self.picks}: picks in Å need the voxel size of {volume.name}, which is unknown; set it."
            )


def save_segmentation(
    segmentation: Segmentation, outputs: SegmentOutputs, *, overwrite: bool = False
) -> None:
    """Write a segmentation, each file whole or not at all, with its sidecar, and the mask last.

    Parameters
    ----------
    segmentation : Segmentation
        What `segment_task` returned.
    outputs : SegmentOutputs
        The files.
    overwrite : bool
        Replace files that exist. Nothing is ever deleted.

    Raises
    ------
    OutputError
        When a file exists already, two outputs are the same file, or one cannot be written.
    InputError
        When picks are asked for and the voxel size is unknown.
    """
    volume = segmentation.mask
    outputs.check(volume, overwrite=overwrite)
    if outputs.probability is not None:
        values = segmentation.probability
        save_values(
            outputs.probability, values, label="foreground probability", overwrite=overwrite
        )
    found = FoundMask(
        mask=volume,
        particles=segmentation.particles,
        contrast=segmentation.contrast,
        provenance=segmentation.provenance,
    )
    _save_found(found, outputs, overwrite=overwrite)


def segment_to_files_task(
    job: SegmentJob,
    outputs: SegmentOutputs,
    *,
    overwrite: bool = False,
    load: LoadModel | None = None,
) -> Task[FoundMask]:
    """Segment a volume straight into files, so that memory does not grow with the probability.

    The files are those of `segment_task` and `save_segmentation`, to the bit.

    Parameters
    ----------
    job : SegmentJob
        Volume, run folder, settings and device.
    outputs : SegmentOutputs
        The files. Without an MRC file for the probability it is kept meanwhile in a nameless one beside
        the mask: four bytes a voxel.
    overwrite : bool
        Replace files that exist. Nothing is ever deleted.
    load : callable or None
        Loads the model; `napari_voxuda.networks.checkpoint.load_model` by default.

    Yields
    ------
    Event
        `Message` and `Progress`.

    Returns
    -------
    FoundMask
        Mask, particles and the contrast that was taken.

    Raises
    ------
    InputError, OutputError, RunFolderError, FileFormatError
        As `segment_task` and `save_segmentation`.
    """
    outputs.check(job.volume, overwrite=overwrite)
    check_sizes(job.volume, job.settings)
    model = open_model(job.model, job.device, load)
    provenance = yield from trace_segmentation(job)
    return (yield from segment_with(model, job, provenance, outputs, overwrite=overwrite))


def segment_with(
    model: SegmentModel,
    job: SegmentJob,
    provenance: Provenance,
    outputs: SegmentOutputs,
    *,
    overwrite: bool = False,
) -> Task[FoundMask]:
    """Do what `segment_to_files_task` does, with a model that is loaded and outputs that were checked."""
    volume, probability = job.volume, outputs.probability
    in_zarr = probability is not None and is_zarr_name(probability)
    with _probability_sink(None if in_zarr else probability, outputs.mask, volume) as sink:
        with unchanged(volume):
            task = segment_into(volume, model, job.settings, sink, contrast=job.contrast)
            found, provenance = yield from noted(task, provenance)
        if in_zarr and probability is not None:
            save_values(probability, volume.with_data(sink.array()), overwrite=overwrite)
    found = replace(found, provenance=provenance)
    _save_found(found, outputs, overwrite=overwrite)
    return found


def _probability_sink(
    probability: Path | None, mask: Path, volume: Volume
) -> AbstractContextManager[SlabSink]:
    if probability is None:
        return scratch_sink(mask.parent, volume.shape, name=volume.name)
    label = "foreground probability"
    return stream_mrc(probability, volume.shape, volume.grid, label=label, name=volume.name)


def _save_found(found: FoundMask, outputs: SegmentOutputs, *, overwrite: bool) -> None:
    """Write everything but the probability, the mask last, and sign all of it."""
    volume = found.mask
    if outputs.probability is not None:
        _sign(found, outputs.probability, "probability")
    if outputs.instances is not None:
        _write_instances(outputs.instances, volume, overwrite=overwrite)
        _sign(found, outputs.instances, "instances")
    if outputs.table is not None:
        write_particles_csv(outputs.table, found.particles, volume.grid)
        _sign(found, outputs.table, "table")
    if outputs.picks is not None:
        save_picks(
            outputs.picks,
            particle_picks(found),
            tomogram_name=volume.name,
            voxel_size_angstrom=volume.grid.voxel_size_angstrom,
            shape=volume.shape,
        )
        _sign(found, outputs.picks, "picks")
    label = "mask" if found.contrast is None else f"mask, protein {found.contrast}"
    save_labels(outputs.mask, volume, label=label, overwrite=overwrite)
    _sign(found, outputs.mask, "mask")


def _sign(found: FoundMask, output: Path, kind: str) -> None:
    if found.provenance is not None:
        sign(output, kind, found.provenance)


def _write_instances(path: Path, mask: Volume, *, overwrite: bool) -> None:
    """Write the particles' labels, to an MRC file slab by slab."""
    components = Components(mask.data)
    dtype = label_dtype(components.count, mask.name)
    if is_zarr_name(path):
        labels = np.concatenate([slab for _, slab in components.labels()]).astype(dtype)
        save_labels(path, mask.with_data(labels), overwrite=overwrite)
        return
    with stream_mrc(
        path, mask.shape, mask.grid, dtype=dtype, label="particles", name=mask.name
    ) as sink:
        for _, labels in components.labels():
            sink.append(labels)


def check_new(paths: list[Path], overwrite: bool) -> None:
    """Refuse to write over files, and to write two outputs to one file."""
    seen: dict[Path, Path] = {}
    for path in paths:
        place = path.expanduser().resolve()
        if place in seen:
            raise OutputError(f"{path}: two outputs were to be written to this file; rename one.")
        seen[place] = path
        check_sidecar_place(path)
        if path.exists() and not overwrite:
            raise OutputError(
                f"{path}: a new file was wanted, but it exists; choose another name or allow "
                "overwriting."
            )

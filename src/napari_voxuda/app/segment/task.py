"""Segment a whole volume with an adapted network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from napari_voxuda._params import to_dict
from napari_voxuda._types import Contrast, Message, Progress, Task
from napari_voxuda.app.device import resolve_device
from napari_voxuda.app.jobs import ContrastChoice, Segmentation, SegmentJob
from napari_voxuda.app.provenance import Provenance, trace
from napari_voxuda.data.normalise import volume_statistics
from napari_voxuda.data.slabs import ArraySink, SlabSink
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError, RunFolderError
from napari_voxuda.segmentation.components import Components
from napari_voxuda.segmentation.instances import (
    max_voxels_of,
    measure_components,
    min_voxels_of,
)
from napari_voxuda.segmentation.mask import make_mask
from napari_voxuda.segmentation.particles import Particle
from napari_voxuda.segmentation.predict import Predict, predict_tiles
from napari_voxuda.segmentation.settings import SegmentSettings
from napari_voxuda.segmentation.smaller_tiles import SmallerTiles
from napari_voxuda.segmentation.tiling import plan_tiles

if TYPE_CHECKING:
    import torch

__all__ = [
    "FoundMask",
    "LoadModel",
    "SegmentModel",
    "check_sizes",
    "model_file",
    "noted",
    "open_model",
    "segment_into",
    "segment_task",
    "segment_volume",
    "trace_segmentation",
]

_VOXEL_SIZE_TOLERANCE = 0.1
_Result = TypeVar("_Result")


class SegmentModel(Protocol):
    """What segmentation needs of a model; `napari_voxuda.networks.checkpoint.Model` has it."""

    @property
    def contrast(self) -> Contrast:
        """Contrast of protein that the model expects in the file."""

    @property
    def normalisation(self) -> Literal["volume", "subtomogram"]:
        """Over what inputs were normalised in training."""

    @property
    def voxel_size_angstrom(self) -> float | None:
        """Voxel size that the model was adapted to, in Å."""

    def predict(self, batch: torch.Tensor) -> torch.Tensor:
        """Map (n, d, h, w) normalised, protein-bright boxes to probabilities."""

    def predict_whole(self, batch: torch.Tensor) -> torch.Tensor:
        """Do the same for boxes that are whole subtomograms."""


LoadModel = Callable[[Path, Any], SegmentModel]
"""Loads a model from a run folder onto a device."""


def segment_task(job: SegmentJob, *, load: LoadModel | None = None) -> Task[Segmentation]:
    """Segment a volume and yield progress and warnings.

    Parameters
    ----------
    job : SegmentJob
        Volume, run folder, settings and device.
    load : callable or None
        Loads the model; `napari_voxuda.networks.checkpoint.load_model` by default.

    Yields
    ------
    Event
        `Message` and `Progress`.

    Returns
    -------
    Segmentation
        Probability, mask and particles on the volume's grid.

    Raises
    ------
    InputError
        When the volume holds NaN, infinity or a single value, or a size in Å³ is asked for and
        the voxel size is unknown.
    RunFolderError, FileFormatError
        When the run folder holds no usable model.
    """
    check_sizes(job.volume, job.settings)
    model = open_model(job.model, job.device, load)
    provenance = yield from trace_segmentation(job)
    task = segment_volume(job.volume, model, job.settings, contrast=job.contrast)
    found, provenance = yield from noted(task, provenance)
    return replace(found, provenance=provenance)


def noted(task: Task[_Result], provenance: Provenance) -> Task[tuple[_Result, Provenance]]:
    """Run a task, and add to its provenance where memory ran out and what it went on with."""
    notes: list[str] = []
    try:
        while True:
            event = next(task)
            if isinstance(event, SmallerTiles):
                notes.append(event.text)
            yield event
    except StopIteration as stop:
        result: _Result = stop.value
    finally:
        task.close()
    if notes:
        provenance = replace(provenance, settings={**provenance.settings, "memory": notes})
    return result, provenance


def trace_segmentation(job: SegmentJob) -> Task[Provenance]:
    """Return what the outputs of a segmentation come from."""
    return trace(
        "segment",
        inputs={"volume": job.volume},
        settings={**to_dict(job.settings), "contrast": job.contrast},
        model=model_file(job.model),
        device=str(resolve_device(job.device)),
    )


def segment_volume(
    volume: Volume,
    model: SegmentModel,
    settings: SegmentSettings,
    *,
    contrast: ContrastChoice = "auto",
) -> Task[Segmentation]:
    """Segment a volume with a model that is loaded already; see `segment_task`."""
    sink = ArraySink(volume.shape)
    found = yield from segment_into(volume, model, settings, sink, contrast=contrast)
    return Segmentation(
        probability=volume.with_data(sink.array()),
        mask=found.mask,
        particles=found.particles,
        contrast=found.contrast,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundMask:
    """What `segment_into` found beside the probability; see `Segmentation`."""

    mask: Volume
    particles: list[Particle]
    contrast: Contrast | None
    provenance: Provenance | None = None


def segment_into(
    volume: Volume,
    model: SegmentModel,
    settings: SegmentSettings,
    sink: SlabSink,
    *,
    contrast: ContrastChoice = "auto",
) -> Task[FoundMask]:
    """Segment a volume and give the probability to `sink`, slab by slab; see `segment_task`.

    Beside the sink, memory is that of the mask, of a layer of tiles and of the network.
    """
    check_sizes(volume, settings)
    for text in _doubts(volume, model, settings):
        yield Message(text=text, level="warning")
    yield Progress(stage="Reading the volume", done=0, total=1)
    mean, std = volume_statistics(volume.data, name=volume.name)
    sign = model.contrast if contrast == "auto" else contrast
    if contrast == "auto" and (doubt := _contrast_doubt(volume, sign)):
        yield Message(text=doubt, level="warning")
    probability = yield from predict_tiles(
        volume.data,
        _predictor(volume, model, settings),
        settings,
        mean=mean,
        std=std,
        invert=sign == "dark",
        sink=sink,
    )
    yield Progress(stage="Finding particles", done=0, total=1)
    voxel_size = volume.grid.voxel_size_angstrom
    mask = make_mask(
        probability,
        settings.threshold,
        roundness=settings.roundness,
        max_hole_voxels=max_voxels_of(settings.max_hole_angstrom3, voxel_size),
        min_voxels=min_voxels_of(settings.min_size_angstrom3, voxel_size),
    )
    particles = measure_components(Components(mask), probability, voxel_size)
    yield Progress(stage="Finding particles", done=1, total=1)
    if not particles:
        yield Message(text=_why_empty(volume, probability, settings), level="warning")
    return FoundMask(mask=volume.with_data(mask), particles=particles, contrast=sign)


def _predictor(volume: Volume, model: SegmentModel, settings: SegmentSettings) -> Predict:
    """Return what predicts tiles; a subtomogram that is one tile is judged by itself."""
    tiling = plan_tiles(volume.shape, core=settings.core, halo=settings.halo)
    if model.normalisation != "subtomogram" or len(tiling) > 1:
        return model.predict

    def predict(batch: torch.Tensor) -> torch.Tensor:
        whole = tuple(batch.shape[1:]) == tiling.tile_shape  # else it was cut to fit into memory
        return model.predict_whole(batch) if whole else model.predict(batch)

    return predict


def check_sizes(volume: Volume, settings: SegmentSettings) -> None:
    """Refuse sizes in Å³ that cannot be told in voxels.

    Raises
    ------
    InputError
        When a smallest size or a largest hole is asked for and the voxel size is unknown.
    """
    voxel_size = volume.grid.voxel_size_angstrom
    try:
        min_voxels_of(settings.min_size_angstrom3, voxel_size)
        max_voxels_of(settings.max_hole_angstrom3, voxel_size)
    except InputError as error:
        raise InputError(f"{volume.name}: {error}") from error


def open_model(run: Path, device: str, load: LoadModel | None = None) -> SegmentModel:
    """Load the model of a run onto a device; see `segment_task` for `load`."""
    if load is None:
        from napari_voxuda.networks.checkpoint import load_model

        load = load_model
    return load(run, resolve_device(device))


def model_file(run: Path) -> Path | None:
    """Return the file of a run's weights; None where a model did not come from there."""
    from napari_voxuda.networks.checkpoint import weights_file

    try:
        return weights_file(run)
    except RunFolderError:
        return None


def _doubts(volume: Volume, model: SegmentModel, settings: SegmentSettings) -> list[str]:
    """Return sentences on why the model may not fit the volume."""
    found = []
    size, wanted = volume.grid.voxel_size_angstrom, model.voxel_size_angstrom
    if (
        size is not None
        and wanted is not None
        and max(abs(edge / wanted - 1) for edge in size) > _VOXEL_SIZE_TOLERANCE
    ):
        found.append(
            f"{volume.name}: the voxel size is {_triple(size)} Å, but the model was adapted to "
            f"{wanted:g} Å; rescale the volume or adapt to it, or expect poor masks."
        )
    tiles = len(plan_tiles(volume.shape, core=settings.core, halo=settings.halo))
    if model.normalisation == "subtomogram" and tiles > 1:
        found.append(
            f"{volume.name}: the model was adapted to subtomograms that were normalised one by one; "
            "the whole volume is normalised here, so adapt to the tomogram for the best masks."
        )
    return found


def _contrast_doubt(volume: Volume, expected: Contrast) -> str | None:
    """Return a sentence where the volume surely looks otherwise than the model expects."""
    from napari_voxuda.data.contrast import LOW_CONFIDENCE, detect_contrast

    guess = detect_contrast(volume)
    if guess.contrast == expected or guess.confidence < LOW_CONFIDENCE:
        return None
    return (
        f"{volume.name}: protein looks {guess.contrast} (asymmetry of the values), but the model was "
        f"adapted to a tomogram in which it is {expected}; if the mask is poor, set the contrast to "
        f"{guess.contrast}."
    )


def _why_empty(
    volume: Volume, probability: npt.NDArray[np.float32], settings: SegmentSettings
) -> str:
    largest = float(probability.max())
    if largest < settings.threshold:
        return (
            f"{volume.name}: no voxel reaches the threshold, so the mask is empty (the largest "
            f"probability is {largest:.3g}, the threshold {settings.threshold:g}); lower the threshold."
        )
    return (
        f"{volume.name}: no component reaches the minimum size, so the mask is empty (it is "
        f"{settings.min_size_angstrom3:g} Å³); lower it."
    )


def _triple(values: tuple[float, float, float]) -> str:
    if len(set(values)) == 1:
        return f"{values[0]:g}"
    return " x ".join(f"{value:g}" for value in values)

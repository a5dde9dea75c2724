"""Refine a finished run by corrections, and segment its volume again."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._params import to_dict
from napari_voxuda._types import Event, Message, Task
from napari_voxuda.app.device import resolve_device
from napari_voxuda.app.jobs import RefineJob, RefineResult, Segmentation
from napari_voxuda.app.provenance import trace
from napari_voxuda.app.segment.task import check_sizes, model_file, segment_volume
from napari_voxuda.data.corrections import fingerprint
from napari_voxuda.errors import InputError, VoxUDAError
from napari_voxuda.segmentation.instances import find_particles, label_particles

if TYPE_CHECKING:
    import torch

    from napari_voxuda.adaptation.corrected_target import CorrectedTarget
    from napari_voxuda.adaptation.refine import DrawSource, Refined
    from napari_voxuda.adaptation.run_folder import RunFolder
    from napari_voxuda.networks.checkpoint import Model, ModelCard

__all__ = ["refine_task"]

_EDGE = 0.01  # a threshold of 0 or 1 has no log-odds


def refine_task(job: RefineJob) -> Task[RefineResult]:
    """Adapt a run's network to corrected voxels, keep it as a new version, and segment again.

    Stopped or failed before the new version is written, the run keeps its model; the corrections are
    kept in the run folder from the beginning.

    Parameters
    ----------
    job : RefineJob
        Run, volume and corrections.

    Yields
    ------
    Event
        `Message`, `Progress` and `RefineStep`.

    Raises
    ------
    InputError
        When there are no corrections, or they or the volume do not fit.
    RunFolderError
        When the run is busy, missing or unfinished.
    TrainingError
        When a loss is not finite.
    """
    from napari_voxuda.adaptation.corrected_target import CorrectedTarget
    from napari_voxuda.adaptation.run_folder import RunFolder
    from napari_voxuda.adaptation.versions import save_corrections
    from napari_voxuda.networks.checkpoint import Model, load_model

    check_sizes(job.volume, job.segment)
    device = resolve_device(job.device)
    with RunFolder.open(job.run) as run:
        if not run.is_finished:
            raise InputError(
                f"{job.run}: a finished run was wanted. Let it finish first, with Resume or --resume."
            )
        model = load_model(job.run, device)
        box = int(run.record.get("source", {}).get("box", 32))
        target = CorrectedTarget(
            job.volume, job.corrections, contrast=model.contrast, box=max(16, box // 8 * 8)
        )
        save_corrections(job.run, fingerprint(job.volume.data), job.corrections)
        refined, threshold = yield from _refine(job, run, model, target, device)
        card = replace(model.card, threshold=threshold)
        version = _keep(job, card, refined)
    yield Message(text=f"The run's model is now “{version}”; the earlier one is kept.")
    provenance = yield from trace(
        "refine",
        inputs={"volume": job.volume},
        settings={
            **to_dict(job.settings),
            "segment": to_dict(job.segment),
            "corrections": len(job.corrections),
        },
        model=model_file(job.run),
        device=str(device),
        seed=job.seed,
    )
    chosen = refined.teacher if model.card.weights == "teacher" else refined.student
    new = Model(card=card, network=chosen, device=device)
    found = yield from segment_volume(job.volume, new, job.segment)
    return RefineResult(
        version=version, segmentation=replace(_corrected(job, found), provenance=provenance)
    )


def _refine(
    job: RefineJob, run: RunFolder, model: Model, target: CorrectedTarget, device: torch.device
) -> Task[tuple[Refined, float]]:
    """Return what was learnt, and the network's new threshold."""
    import torch

    from napari_voxuda.adaptation.refine import refine
    from napari_voxuda.adaptation.refined_size import size_keeping_threshold
    from napari_voxuda.networks.prediction import told_threshold, untold_threshold

    source = None
    if job.settings.source_weight > 0:
        source = yield from _source(job, run, target, device)
    card = model.card
    # What the user saw and corrected is the mask at the slider's threshold.
    told = min(max(job.segment.threshold, _EDGE), 1 - _EDGE)
    shown = untold_threshold(told, card.threshold)
    refined = yield from refine(
        model.network,
        target,
        source,
        job.settings,
        threshold=shown,
        smooth_voxels=card.smooth_voxels,
        seed=job.seed,
    )
    held = yield from size_keeping_threshold(
        model.network,
        refined.teacher if card.weights == "teacher" else refined.student,
        target,
        torch.Generator().manual_seed(job.seed),
        threshold=shown,
        smooth_voxels=card.smooth_voxels,
    )
    return refined, told_threshold(held, told)


def _source(
    job: RefineJob, run: RunFolder, target: Any, device: torch.device
) -> Generator[Event, None, DrawSource | None]:
    """Return what draws source boxes with the target's noise; None where the source is gone."""
    from napari_voxuda.adaptation.drawing import draw_source, simulate_source
    from napari_voxuda.adaptation.noise_match import match_noise
    from napari_voxuda.app.adapt.task import source_of_run
    from napari_voxuda.data.normalise import z_score

    try:
        made, settings = yield from source_of_run(run.record, run.path)
        pool, variance = yield from simulate_source(made, job.settings.source_count, job.seed)
    except VoxUDAError as error:
        yield Message(
            text=f"The run's source cannot be made again, so it goes on without: {error}",
            level="warning",
        )
        return None
    halved = replace(settings, batch=max(2, job.settings.batch // 2))

    def draw(generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        boxes = draw_source(pool, halved, generator, device)
        if settings.noise == "none":
            return z_score(boxes.images), boxes.masks
        subset = target.anywhere(settings.noise_samples, generator).images.to(device)
        images = match_noise(
            boxes,
            subset,
            halved,
            signal_variance=variance,
            normalisation="volume",
            generator=generator,
        )
        return images, boxes.masks

    return draw


def _keep(job: RefineJob, card: ModelCard, refined: Refined) -> str:
    from napari_voxuda.adaptation.versions import add_version

    tensors = {
        f"{name}.{key}": value
        for name in ("student", "teacher")
        for key, value in getattr(refined, name).state_dict().items()
    }
    return add_version(job.run, tensors, to_dict(card), len(job.corrections)).name


def _corrected(job: RefineJob, found: Segmentation) -> Segmentation:
    """Give the corrected voxels the user's values and measure the particles again."""
    mask: npt.NDArray[np.uint8] = np.array(found.mask.data)
    mask[tuple(job.corrections.positions.T)] = job.corrections.foreground
    particles = find_particles(
        label_particles(mask), found.probability.data, job.volume.grid.voxel_size_angstrom
    )
    return replace(found, mask=job.volume.with_data(mask), particles=particles)

"""Check a run before it starts: its boxes, how long it takes, and whether it fits into memory."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from napari_voxuda._types import Event, Message, Task, TripleInt
from napari_voxuda.app.adapt.plan import Prepared, prepare, source_before
from napari_voxuda.app.adapt.preflight_report import Preflight
from napari_voxuda.app.adapt.preflight_words import doubts
from napari_voxuda.app.device import free_memory_bytes, resolve_device
from napari_voxuda.app.jobs import AdaptJob

if TYPE_CHECKING:
    from napari_voxuda.adaptation.dry_run import DryRun
    from napari_voxuda.data.targets import Target, TomogramTarget

__all__ = ["preflight_task"]

_Result = TypeVar("_Result")
_FEWEST_SHOWN, _MOST_SHOWN = 12, 60
_RESULT_BYTES = 5  # per voxel of the tomogram: probability in float32, and the mask
_SCRATCH_BYTES = 4  # per voxel of the file that is being segmented, see `segment_to_files_task`
_KEPT_STATES = 6  # two checkpoints that hold two states each, one being written


def preflight_task(job: AdaptJob) -> Task[Preflight]:
    """Check a run and take one step of it in memory; nothing is written.

    Parameters
    ----------
    job : AdaptJob
        The run that would start.

    Yields
    ------
    Event
        `Message` and `Progress`.

    Raises
    ------
    InputError
        When target, picks or source cannot be used.
    DownloadError
        When a structure of the source cannot be fetched.
    NoMemoryError
        When not even the smallest step fits into memory.
    """
    from napari_voxuda.adaptation.dry_run import dry_run

    device = resolve_device(job.device)
    said: list[str] = []
    prepared = yield from _listened(prepare(job), said)
    plan = prepared.plan
    source = yield from _listened(source_before(job, plan), said)
    available = free_memory_bytes(device)
    dry = yield from dry_run(
        source,
        prepared.target,
        plan.settings,
        source_count=plan.source.count,
        seed=plan.seed,
        device=device,
    )
    return _report(job, prepared, dry, said, device=device.type, available=available)


def _listened(task: Task[_Result], said: list[str]) -> Generator[Event, None, _Result]:
    """Pass the events on and keep the warnings among them."""
    try:
        while True:
            event = next(task)
            if isinstance(event, Message) and event.level == "warning":
                said.append(event.text)
            yield event
    except StopIteration as stop:
        result: _Result = stop.value
        return result
    finally:
        task.close()


def _report(
    job: AdaptJob,
    prepared: Prepared,
    dry: DryRun,
    said: list[str],
    *,
    device: str,
    available: int | None,
) -> Preflight:
    plan, settings = prepared.plan, prepared.plan.settings
    training = dry.training_seconds(settings, plan.source.count, plan.source.box)
    picks = _picked(prepared.target)
    starts = _starts(prepared, settings.steps * dry.batch)
    report = Preflight(
        starts=tuple(start for _, start in starts),
        tomogram_of=tuple(number for number, _ in starts),
        box=plan.source.box,
        drawn=settings.steps * dry.batch,
        where=_where(prepared, picks),
        voxel_size_angstrom=plan.source.voxel_size_angstrom,
        contrast=plan.contrast,
        contrast_given=job.contrast != "auto",
        steps=settings.steps,
        batch=dry.batch,
        step_seconds=(training - dry.source_seconds * plan.source.count) / settings.steps,
        seconds=training + _tiled_voxels(prepared) * dry.voxel_seconds,
        device=device,
        needed_bytes=_needed(dry, _held_voxels(job, prepared), device),
        available_bytes=available,
        disk_bytes=_disk_bytes(job, prepared, dry),
        free_disk_bytes=_free_disk(job.out),
        out=job.out,
        said=tuple(said),
    )
    return replace(report, doubts=(*dry.shortages, *doubts(report, prepared.volumes, picks)))


def _where(prepared: Prepared, picks: int | None) -> str:
    count = len(prepared.volumes)
    if prepared.plan.is_folder:
        return f"from {count:,} subtomograms"
    where = "at random places" if picks is None else f"near {picks:,} picks"
    return where if count == 1 else f"{where} in {count} tomograms"


def _picked(target: Target) -> int | None:
    """Return how many picks there are in all; None without."""
    counts = [part.picked for part in _parts(target)]
    found = [count for count in counts if count is not None]
    return sum(found) if found else None


def _starts(prepared: Prepared, most: int) -> list[tuple[int, TripleInt]]:
    """Return a sample of the boxes' first voxels, each with the number of its tomogram."""
    import torch

    from napari_voxuda.data.tomogram_set import TomogramSet

    target, parts = prepared.target, _parts(prepared.target)
    if not parts:
        return []
    generator = torch.Generator().manual_seed(prepared.plan.seed)
    side_by_side = _voxels(prepared) / prepared.plan.source.box**3
    clear = max(_FEWEST_SHOWN, int(2 * side_by_side))  # more would hide a small tomogram
    count = min(most, clear, _MOST_SHOWN)
    chosen = [0] * count
    if isinstance(target, TomogramSet):
        chosen = target.choose(count, generator)
    return [
        (number, start)
        for number, part in enumerate(parts)
        for start in part.places(chosen.count(number), generator)
    ]


def _parts(target: Target) -> tuple[TomogramTarget, ...]:
    """Return the tomograms of a target; none where it is a folder of subtomograms."""
    from napari_voxuda.data.targets import TomogramTarget
    from napari_voxuda.data.tomogram_set import TomogramSet

    if isinstance(target, TomogramSet):
        return target.parts
    return (target,) if isinstance(target, TomogramTarget) else ()


def _voxels(prepared: Prepared) -> int:
    return sum(volume.data.size for volume in prepared.volumes)


def _held_voxels(job: AdaptJob, prepared: Prepared) -> int:
    """Return of how many voxels there are masks in memory at once: a folder's files go one by one."""
    if prepared.plan.is_folder:
        return 0
    sizes = [volume.data.size for volume in prepared.volumes]
    return max(sizes) if isinstance(job.target, Path) else sum(sizes)


def _tiled_voxels(prepared: Prepared) -> int:
    """Return how many voxels are predicted to segment the target, tiles overlapping."""
    from napari_voxuda.segmentation.settings import SegmentSettings
    from napari_voxuda.segmentation.tiling import plan_tiles

    settings = SegmentSettings()
    found = 0
    for volume in prepared.volumes:
        tiles = plan_tiles(volume.shape, core=settings.core, halo=settings.halo)
        depth, height, width = tiles.tile_shape
        found += len(tiles) * depth * height * width
    return found


def _needed(dry: DryRun, voxels: int, device: str) -> int | None:
    if dry.peak_bytes is None:
        return None
    return dry.peak_bytes + (0 if device == "cuda" else dry.pool_bytes + _RESULT_BYTES * voxels)


def _disk_bytes(job: AdaptJob, prepared: Prepared, dry: DryRun) -> int:
    pair = 0 if job.labelled is None else 5 * job.labelled.image.data.size
    of_folder = isinstance(job.target, Path) and len(prepared.volumes) > 1
    masks = _voxels(prepared) + _SCRATCH_BYTES * _held_voxels(job, prepared) if of_folder else 0
    return _KEPT_STATES * dry.state_bytes + pair + masks


def _free_disk(out: Path) -> int:
    place = out.expanduser().absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free

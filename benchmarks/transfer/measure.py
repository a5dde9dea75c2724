"""Run one row on one target and score its masks."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from benchmarks.baselines import SIGMAS, centred_sphere, oracle_threshold, otsu_threshold
from napari_voxuda.adaptation.events import StepDone
from napari_voxuda.app.adapt.task import adapt_task
from napari_voxuda.app.jobs import AdaptJob, DeviceName, SegmentFolderJob, SegmentJob
from napari_voxuda.app.segment.folder import segment_folder_task
from napari_voxuda.app.segment.task import segment_task
from napari_voxuda.data.masks import as_mask
from napari_voxuda.errors import TrainingError
from napari_voxuda.io.folders import find_pairs
from napari_voxuda.io.mrc import read_mrc
from napari_voxuda.scores.overlap import Confusion, mean_overlap, overlap
from napari_voxuda.segmentation.settings import SegmentSettings
from napari_voxuda.simulation.settings import SourceSettings

from .rows import Plan, Row
from .targets import Target
from .tiers import Tier

__all__ = ["Score", "can_run", "measure", "score", "truth_checksum"]

Array = npt.NDArray[Any]
Pairs = list[tuple[str, Array, Array]]

_OTSU_SIGMA = 2.0
_CROP = 32


@dataclass(frozen=True, kw_only=True)
class Score:
    """Scores of a set of masks, and what they cost; see `store.Result`."""

    iou: float = 0.0
    dice: float = 0.0
    classes: dict[str, list[float]] = field(default_factory=dict)
    seconds_per_step: float = 0.0
    seconds: float = 0.0
    failure: str = ""


def can_run(row: Row, target: Target, tier: Tier) -> bool:
    """Whether a row makes sense on a target."""
    if row.name == "sphere":
        return target.is_folder  # nothing stands in the middle of a tomogram
    if row.plan is not None and row.plan(tier).source is None:
        return target.labelled is not None
    return True


def measure(row: Row, target: Target, tier: Tier, run: Path, device: DeviceName) -> Score:
    """Train if the row needs it, segment, and score.

    Parameters
    ----------
    row : Row
        What to do.
    target : Target
        On what.
    tier : Tier
        In which size.
    run : Path
        Folder of the run; what an interrupted one left there is removed.
    device : {"auto", "cpu", "cuda"}
        Where it trains.

    Returns
    -------
    Score
        With a `failure` and scores of 0 when the training broke down.
    """
    if row.plan is None:
        return score(_baseline(row.name, _volumes(target)), target)
    shutil.rmtree(run, ignore_errors=True)
    started = time.perf_counter()
    try:
        plan = row.plan(tier)
        pace = _train(plan, target, tier, run, device)
        masks = _segmented(target, run, plan.segment, device)
    except TrainingError as error:
        return Score(failure=str(error), seconds=time.perf_counter() - started)
    spent = time.perf_counter() - started
    shutil.rmtree(run / "checkpoints", ignore_errors=True)
    return score(masks, target, seconds_per_step=pace, seconds=spent)


def truth_checksum(target: Target) -> str:
    """Return a short hash of what is scored against.

    A simulated target is drawn anew on each machine, and where a molecule just finds room, rounding may decide all
    that comes after. Only rows of one truth can be compared.
    """
    digest = hashlib.sha256()
    for name, _, truth in _volumes(target):
        digest.update(f"{name} {truth.shape}".encode())
        digest.update(np.packbits(truth > 0).tobytes())
    return digest.hexdigest()[:16]


def score(masks: dict[str, Array], target: Target, **costs: float) -> Score:
    """Compare masks by name with the truth, all together and by class.

    Subtomograms are scored one by one and averaged. A tomogram is scored as a whole; its classes are
    scored in boxes of 32 voxels around their molecules, since a mask does not say which class a
    voxel is taken for.
    """
    truths = {name: truth for name, _, truth in _volumes(target)}
    found = {name: overlap(mask, truths[name]).foreground for name, mask in masks.items()}
    by_class: dict[str, list[Confusion]] = {}
    for start, kind in target.classes.items():
        by_class[kind] = [c for name, c in found.items() if name.startswith(start)]
    if target.particles:
        (mask,), (truth,) = masks.values(), truths.values()
        for kind, centre in target.particles:
            crop = _crop(centre, truth.shape)
            by_class.setdefault(kind, []).append(overlap(mask[crop], truth[crop]).foreground)
    iou, dice = mean_overlap(found.values())
    classes = {kind: list(mean_overlap(group)) for kind, group in by_class.items() if group}
    return Score(iou=iou, dice=dice, classes=classes, **costs)


def _crop(centre: tuple[float, float, float], shape: tuple[int, ...]) -> tuple[slice, ...]:
    starts = (round(c) - _CROP // 2 for c in centre)
    return tuple(slice(max(0, s), min(n, s + _CROP)) for s, n in zip(starts, shape, strict=True))


def _volumes(target: Target) -> Pairs:
    """Return name, protein-bright values and truth of everything that is scored."""
    sign = -1.0 if target.contrast == "dark" else 1.0
    paths = find_pairs(target.truth) if target.is_folder else [(target.segment, target.truth)]
    return [
        (
            _name(volume),
            sign * np.asarray(read_mrc(volume).data, dtype=np.float32),
            as_mask(read_mrc(truth)).data,
        )
        for volume, truth in paths
    ]


def _name(path: Path) -> str:
    return path.stem.removesuffix("_mask").removesuffix("_subtomo")


def _baseline(name: str, volumes: Pairs) -> dict[str, Array]:
    if name == "sphere":
        return {key: centred_sphere(truth.shape) for key, _, truth in volumes}
    if name == "otsu":
        smooth = ((key, gaussian_filter(values, _OTSU_SIGMA)) for key, values, _ in volumes)
        return {key: values > otsu_threshold(values) for key, values in smooth}
    return max(_oracles(volumes), key=lambda masks: _mean_dice(masks, volumes))


def _oracles(volumes: Pairs) -> Iterator[dict[str, Array]]:
    """Yield the masks of the best threshold of each volume, for each width of the Gaussian."""
    for sigma in SIGMAS:
        masks = {}
        for key, values, truth in volumes:
            smooth = gaussian_filter(values, sigma)
            masks[key] = smooth >= oracle_threshold(smooth, truth)
        yield masks


def _mean_dice(masks: dict[str, Array], volumes: Pairs) -> float:
    return mean_overlap(overlap(masks[key], truth).foreground for key, _, truth in volumes)[1]


def _train(plan: Plan, target: Target, tier: Tier, run: Path, device: DeviceName) -> float:
    """Adapt with the program's own task; return the seconds of a step."""
    source = plan.source
    if source is None:
        source = SourceSettings(
            kind="folder", files=(str(target.labelled),), count=tier.source_count, box=tier.box
        )
    seconds = 0.0
    job = AdaptJob(
        target=target.adapt_to,
        out=run,
        settings=plan.settings,
        source=source,
        contrast=target.contrast,  # type: ignore[arg-type]
        device=device,
        seed=target.seed,
    )
    for event in adapt_task(job):
        if isinstance(event, StepDone):
            seconds = event.seconds_per_step
    return seconds


def _segmented(
    target: Target, run: Path, settings: SegmentSettings, device: DeviceName
) -> dict[str, Array]:
    how = {"model": run, "settings": settings, "device": device}
    if not target.is_folder:
        found = _finish(segment_task(SegmentJob(volume=read_mrc(target.segment), **how)))
        return {_name(target.segment): found.mask.data}
    job = SegmentFolderJob(folder=target.segment, out=run / "masks", **how)
    masks = _finish(segment_folder_task(job)).masks
    return {_name(path): as_mask(read_mrc(path)).data for path in masks}


def _finish(task: Any) -> Any:
    while True:
        try:
            next(task)
        except StopIteration as stop:
            return stop.value

"""Adapt a network to a tomogram or a folder of subtomograms, into a run folder."""

from __future__ import annotations

import platform
from collections.abc import Generator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from napari_voxuda import __version__
from napari_voxuda._params import from_dict, to_dict
from napari_voxuda._types import Contrast, Event, Message, Task
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.device import resolve_device
from napari_voxuda.app.fetch import fetch_task
from napari_voxuda.app.jobs import AdaptJob, AdaptResult
from napari_voxuda.app.provenance import Provenance, sign, trace
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import FileFormatError, InputError, RunFolderError
from napari_voxuda.io.provenance import sidecar_path
from napari_voxuda.io.zarr_folder import is_zarr_folder
from napari_voxuda.simulation.settings import SourceSettings

if TYPE_CHECKING:
    import torch

    from napari_voxuda.adaptation.run_folder import RunFolder
    from napari_voxuda.data.targets import Target
    from napari_voxuda.networks.checkpoint import ModelCard

__all__ = ["adapt_task", "source_of_run"]

_STRIDE = 8
_Result = TypeVar("_Result")


def adapt_task(job: AdaptJob) -> Task[AdaptResult]:
    """Adapt a network without labels and write the run folder.

    Everything that can be wrong with the input is said before the run folder is made.

    Parameters
    ----------
    job : AdaptJob
        What to adapt to, from which source, and where to write.

    Yields
    ------
    Event
        `Message`, `Progress`, `StepDone`, `Preview` and `CheckpointSaved`.

    Raises
    ------
    InputError
        When target, picks or source cannot be used.
    DownloadError
        When a structure of the source cannot be fetched.
    RunFolderError
        When the run folder is taken, busy, or not a run.
    """
    device = resolve_device(job.device)
    if job.resume:
        return (yield from _resume(job, device))
    return (yield from _start(job, device))


def source_of_run(record: dict[str, Any]) -> Task[tuple[Any, AdaptSettings]]:
    """Make the labelled source of a run again from its record, and return the run's settings too.

    Raises
    ------
    FileFormatError
        When the record is damaged.
    InputError, DownloadError
        When the source's files are gone or a structure cannot be fetched.
    """
    plan = _Plan.from_dict(record)
    return (yield from _source(plan)), plan.settings


def _start(job: AdaptJob, device: torch.device) -> Task[AdaptResult]:
    from napari_voxuda.adaptation.run_folder import RunFolder

    if job.target is None:
        raise InputError("adapt: a target was wanted, got none. Give a tomogram or a folder.")
    volumes = _load(job.target, job.level)
    for volume in volumes[:1]:
        for text in volume.warnings:
            yield Message(text=f"{volume.name}: {text}", level="warning")
    voxel_size = _voxel_size(volumes, job)
    contrast = yield from _contrast(volumes, job)
    is_folder = isinstance(job.target, Path) and _is_folder(job.target)
    plan = _Plan(
        settings=job.settings,
        source=replace(
            job.source, voxel_size_angstrom=voxel_size, box=_box(volumes, job, is_folder=is_folder)
        ),
        seed=job.seed,
        contrast=contrast,
        is_folder=is_folder,
    )
    target = _target(volumes, plan, _picks(job.picks, volumes[0], voxel_size))
    provenance = yield from _traced(job, volumes, plan, device)
    record = {
        "program": f"napari-voxuda {__version__}",
        "versions": {name: version(name) for name in ("torch", "numpy", "mrcfile")}
        | {"python": platform.python_version()},
        "device": str(device),
        "target": {"path": _path_text(job), "level": job.level, **target.describe()},
        "picks": str(job.picks.absolute()) if isinstance(job.picks, Path) else None,
        **plan.to_dict(),
        "provenance": provenance.to_dict(),
    }
    source = yield from _source(plan)
    with RunFolder.create(job.out, {**record, "source_description": source.description}) as run:
        yield Message(text=f"Adapting on {device}; the run is kept in {job.out}.")
        return (yield from _run(run, plan, source, target, device))


def _resume(job: AdaptJob, device: torch.device) -> Task[AdaptResult]:
    from napari_voxuda.adaptation.run_folder import RunFolder
    from napari_voxuda.networks.checkpoint import MODEL_FILE

    with RunFolder.open(job.out) as run:
        plan = _Plan.from_dict(run.record)
        if run.is_finished:
            if not sidecar_path(run.path / MODEL_FILE).exists():
                _sign(run)  # the run was killed between model and record
            yield Message(text=f"The run in {job.out} has already finished; nothing was done.")
            return AdaptResult(run=job.out, steps=plan.settings.steps)
        recorded = run.record["target"]
        where = job.target if job.target is not None else recorded["path"]
        if where is None:
            raise InputError(
                f"{job.out}: the run adapts to a volume that was not a file. "
                "Give the same volume again as target."
            )
        volumes = _load(Path(where) if isinstance(where, str) else where, recorded.get("level", 0))
        picks = job.picks
        if picks is None and run.record["picks"] is not None:
            picks = Path(run.record["picks"])
        target = _target(volumes, plan, _picks(picks, volumes[0], plan.source.voxel_size_angstrom))
        _check_same(recorded, target.describe(), job.out)
        return (yield from _run(run, plan, (yield from _source(plan)), target, device))


def _check_same(recorded: dict[str, Any], facts: dict[str, Any], out: Path) -> None:
    """Refuse another target than the one that the run began with."""
    for key, value in facts.items():
        if key == "checksum" and recorded.get(key) in (None, value):
            continue  # runs of version 0.1 recorded none
        if recorded.get(key) != value:
            told = f"{key} {recorded.get(key)}, but the one given has {value}"
            if key == "checksum":
                told = "other values than the one given, although their number is the same"
            raise RunFolderError(
                f"{out}: the run's target has {told}. Give the target that the run began with, or "
                "start a new run."
            )


def _run(
    run: RunFolder, plan: _Plan, source: Any, target: Target, device: torch.device
) -> Task[AdaptResult]:
    from napari_voxuda.adaptation.loop import adapt

    card = plan.card()
    task = adapt(
        source,
        target,
        plan.settings,
        source_count=plan.source.count,
        seed=plan.seed,
        device=device,
        run=run,
        card=to_dict(card),
    )
    learner = yield from _logged(task, run)
    card = replace(card, threshold=learner.threshold)
    weights = {k: v for k, v in learner.weights().items() if k.startswith(card.weights)}
    run.save_model(weights, {"step": plan.settings.steps, "model": to_dict(card)})
    _sign(run)
    return AdaptResult(run=run.path, steps=plan.settings.steps)


def _sign(run: RunFolder) -> None:
    """Write the record beside the model."""
    from napari_voxuda.networks.checkpoint import MODEL_FILE

    provenance = Provenance.from_dict(run.record.get("provenance") or {"task": "adapt"})
    sign(run.path / MODEL_FILE, "model", provenance)


def _traced(
    job: AdaptJob, volumes: list[Volume], plan: _Plan, device: torch.device
) -> Task[Provenance]:
    """Hash what a run adapts to."""
    files = [volume.path for volume in volumes if volume.path is not None]
    return (
        yield from trace(
            "adapt",
            inputs={
                "target": files if plan.is_folder and files else volumes[0],
                "picks": job.picks if isinstance(job.picks, Path) else None,
            },
            settings=plan.to_dict(),
            device=str(device),
            seed=plan.seed,
        )
    )


def _logged(task: Task[_Result], run: RunFolder) -> Generator[Event, None, _Result]:
    """Pass the events on, each after it has been written to the log."""
    try:
        while True:
            event = next(task)
            run.log(event)
            yield event
    except StopIteration as stop:
        result: _Result = stop.value
        return result
    finally:
        task.close()


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What a run needs to be repeated or gone on with."""

    settings: AdaptSettings
    source: SourceSettings
    seed: int
    contrast: Contrast
    is_folder: bool

    def to_dict(self) -> dict[str, Any]:
        return {
            "settings": to_dict(self.settings),
            "source": to_dict(self.source),
            "seed": self.seed,
            "contrast": self.contrast,
        }

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> _Plan:
        try:
            return cls(
                settings=from_dict(AdaptSettings, record["settings"]),
                source=from_dict(SourceSettings, record["source"]),
                seed=int(record["seed"]),
                contrast="dark" if record["contrast"] == "dark" else "bright",
                is_folder=record["target"]["kind"] == "subtomograms",
            )
        except (KeyError, TypeError, ValueError) as error:
            raise FileFormatError(f"run.json: it is incomplete or damaged ({error}).") from error

    def card(self) -> ModelCard:
        from napari_voxuda.networks.checkpoint import ModelCard

        return ModelCard(
            network=self.settings.network,
            contrast=self.contrast,
            normalisation="subtomogram" if self.is_folder else "volume",
            voxel_size_angstrom=self.source.voxel_size_angstrom,
            weights=self.settings.predict_with,
            mirrors=self.settings.mirrors,
            smooth_voxels=self.settings.smooth_voxels,
        )


def _is_folder(target: Path) -> bool:
    return target.is_dir() and not is_zarr_folder(target)


def _load(target: Path | Volume, level: int) -> list[Volume]:
    from napari_voxuda.io.folders import find_subtomograms
    from napari_voxuda.io.mrc import read_mrc
    from napari_voxuda.io.volumes import read_volume

    if isinstance(target, Volume):
        return [target]
    if _is_folder(target):
        # In memory: a thousand memory maps would use up the file descriptors.
        found = (read_mrc(path) for path in find_subtomograms(target))
        return [replace(v, data=np.array(v.data, dtype=np.float32)) for v in found]
    return [read_volume(target, level=level)]


def _voxel_size(volumes: list[Volume], job: AdaptJob) -> float:
    if job.voxel_size_angstrom is not None:
        return job.voxel_size_angstrom
    size = volumes[0].grid.voxel_size_angstrom
    if size is None:
        raise InputError(
            f"{volumes[0].path or volumes[0].name}: the header does not tell the voxel size, which "
            "the simulated source must match. Give it in Å (--voxel-size)."
        )
    return sum(size) / 3


def _box(volumes: list[Volume], job: AdaptJob, *, is_folder: bool) -> int:
    """Return the box edge: as asked, or the largest that fits every subtomogram."""
    box = job.source.box
    if is_folder:
        smallest = min(min(volume.shape) for volume in volumes)
        box = min(box, smallest)
        if smallest < 2 * _STRIDE:
            raise InputError(
                f"{job.target}: subtomograms with edges of at least {2 * _STRIDE} voxels were "
                f"wanted, got {smallest}."
            )
    return box // _STRIDE * _STRIDE


def _contrast(volumes: list[Volume], job: AdaptJob) -> Generator[Event, None, Contrast]:
    if job.contrast != "auto":
        return job.contrast
    from napari_voxuda.data.contrast import detect_contrast

    guess = detect_contrast(volumes)
    yield Message(
        text=f"Contrast taken as {guess.contrast}. {guess.reason}",
        level="info" if guess.is_sure else "warning",
    )
    return guess.contrast


def _picks(picks: Path | Picks | None, volume: Volume, voxel_size: float) -> Picks | None:
    if picks is None or isinstance(picks, Picks):
        return picks
    from napari_voxuda.io.picks_file import read_picks

    return read_picks(
        picks,
        voxel_size_angstrom=voxel_size,
        shape=volume.shape,
        tomogram_name=volume.name,
    )


def _target(volumes: list[Volume], plan: _Plan, picks: Picks | None) -> Target:
    from napari_voxuda.data.targets import SubtomogramTarget, TomogramTarget

    box, contrast = plan.source.box, plan.contrast
    if plan.is_folder:
        if picks is not None:
            raise InputError("adapt: picks go with a tomogram, not with a folder of subtomograms.")
        return SubtomogramTarget(volumes, box=box, contrast=contrast)
    return TomogramTarget(volumes[0], box=box, contrast=contrast, picks=picks)


def _source(plan: _Plan) -> Task[Any]:
    from napari_voxuda.simulation.source import make_source

    yield from fetch_task(plan.source)
    return make_source(plan.source)


def _path_text(job: AdaptJob) -> str | None:
    path = job.target if isinstance(job.target, Path) else getattr(job.target, "path", None)
    return None if path is None else str(path.absolute())

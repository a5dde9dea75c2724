"""Adapt a network to a tomogram or a folder of subtomograms, into a run folder."""

from __future__ import annotations

import platform
from collections.abc import Generator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from napari_voxuda import __version__
from napari_voxuda._params import to_dict
from napari_voxuda._types import Event, Message, Task
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.adapt.plan import Plan, labelled_source, prepare, trace_inputs
from napari_voxuda.app.adapt.target import expanded, load_volumes
from napari_voxuda.app.adapt.target_record import recorded_target, same_target, target_record
from napari_voxuda.app.device import resolve_device
from napari_voxuda.app.jobs import AdaptJob, AdaptResult
from napari_voxuda.app.layer_source import check_pair
from napari_voxuda.app.live.view import LivePrediction, SlicePicture, ViewWish
from napari_voxuda.app.provenance import Provenance, sign
from napari_voxuda.errors import InputError
from napari_voxuda.io.provenance import sidecar_path

if TYPE_CHECKING:
    import torch

    from napari_voxuda.adaptation.run_folder import RunFolder
    from napari_voxuda.data.targets import Target

__all__ = ["adapt_task", "source_of_run"]

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


def source_of_run(record: dict[str, Any], run: Path) -> Task[tuple[Any, AdaptSettings]]:
    """Make the labelled source of a run again from its record, and return the run's settings too.

    Parameters
    ----------
    record : dict
        What ``run.json`` holds.
    run : Path
        The run folder.

    Raises
    ------
    FileFormatError
        When the record is damaged.
    InputError, DownloadError
        When the source's files are gone or a structure cannot be fetched.
    """
    plan = Plan.from_dict(record)
    return (yield from labelled_source(plan, run)), plan.settings


def _start(job: AdaptJob, device: torch.device) -> Task[AdaptResult]:
    from napari_voxuda.adaptation.run_folder import RunFolder

    prepared = yield from prepare(job)
    plan, target = prepared.plan, prepared.target
    pair = None
    if job.labelled is not None:
        pair = yield from check_pair(job.labelled, plan.source)
        plan = replace(plan, source=pair.settings)
        prepared = replace(prepared, plan=plan)
    provenance = yield from trace_inputs("adapt", job, prepared, device=str(device))
    record = {
        "program": f"napari-voxuda {__version__}",
        "versions": {name: version(name) for name in ("torch", "numpy", "mrcfile")}
        | {"python": platform.python_version()},
        "device": str(device),
        "target": target_record(prepared.given, prepared.volumes, target, job.level),
        "picks": str(job.picks.absolute()) if isinstance(job.picks, Path) else None,
        **plan.to_dict(),
        "provenance": provenance.to_dict(),
    }
    source = pair.open() if pair is not None else (yield from labelled_source(plan))
    record["source_description"] = source.description
    with RunFolder.create(job.out, record, keep=None if pair is None else pair.keep) as run:
        if pair is not None:  # from the copy, as after a resume
            source = yield from labelled_source(plan, run.path)
        yield Message(text=f"Adapting on {device}; the run is kept in {job.out}.")
        watch = _live_prediction(target, plan, job.live)
        return (yield from _run(run, plan, source, target, device, watch))


def _resume(job: AdaptJob, device: torch.device) -> Task[AdaptResult]:
    from napari_voxuda.adaptation.run_folder import RunFolder
    from napari_voxuda.networks.checkpoint import MODEL_FILE

    with RunFolder.open(job.out) as run:
        plan = Plan.from_dict(run.record)
        if run.is_finished:
            if not sidecar_path(run.path / MODEL_FILE).exists():
                _sign(run)  # the run was killed between model and record
            yield Message(text=f"The run in {job.out} has already finished; nothing was done.")
            return AdaptResult(run=job.out, steps=plan.settings.steps)
        recorded = run.record["target"]
        given = job.target if job.target is not None else recorded_target(recorded)
        if given is None:
            raise InputError(
                f"{job.out}: the run adapts to a volume that was not a file. "
                "Give the same volume again as target."
            )
        volumes = load_volumes(
            given if plan.is_folder else expanded(given), recorded.get("level", 0)
        )
        picks = job.picks
        if picks is None and run.record.get("picks") is not None:
            picks = Path(run.record["picks"])
        shown = plan.target(volumes, picks)
        target = same_target(recorded, shown, job.out)
        watch = _live_prediction(shown, plan, job.live)
        source = yield from labelled_source(plan, run.path)
        return (yield from _run(run, plan, source, target, device, watch))


def _run(
    run: RunFolder,
    plan: Plan,
    source: Any,
    target: Target,
    device: torch.device,
    watch: LivePrediction | None,
) -> Task[AdaptResult]:
    from napari_voxuda.adaptation.loop import adapt
    from napari_voxuda.adaptation.run_scores import write_expected_dice

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
        watch=watch,
    )
    learner = yield from _logged(task, run)
    if learner.expected_dice is not None:
        write_expected_dice(run.path, learner.expected_dice)
    card = replace(card, threshold=learner.threshold)
    weights = {k: v for k, v in learner.weights().items() if k.startswith(card.weights)}
    run.save_model(weights, {"step": plan.settings.steps, "model": to_dict(card)})
    _sign(run)
    return AdaptResult(run=run.path, steps=plan.settings.steps)


def _live_prediction(target: Target, plan: Plan, live: ViewWish | None) -> LivePrediction | None:
    """Return what shows the run on its tomograms; None where nobody looks, or there is none."""
    from napari_voxuda.data.targets import TomogramTarget
    from napari_voxuda.data.tomogram_set import TomogramSet

    parts = target.parts if isinstance(target, TomogramSet) else (target,)
    pictures = [
        SlicePicture(part.values, mean=part.mean, scale=part.scale)
        for part in parts
        if isinstance(part, TomogramTarget)
    ]
    if live is None or not pictures:
        return None
    return LivePrediction(pictures, live, smooth_voxels=plan.settings.smooth_voxels)


def _sign(run: RunFolder) -> None:
    """Write the record beside the model."""
    from napari_voxuda.networks.checkpoint import MODEL_FILE

    provenance = Provenance.from_dict(run.record.get("provenance") or {"task": "adapt"})
    sign(run.path / MODEL_FILE, "model", provenance)


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

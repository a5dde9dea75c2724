"""What a run adapts to and learns from: loaded, checked and described before it begins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_voxuda._params import from_dict, to_dict
from napari_voxuda._types import Contrast, Message, Task
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.adapt.run_record import check_places, checked_seed
from napari_voxuda.app.adapt.target import (
    check_voxel_sizes,
    contrast_of,
    expanded,
    holds_subtomograms,
    load_volumes,
    make_target,
    voxel_size_of,
)
from napari_voxuda.app.fetch import fetch_task
from napari_voxuda.app.jobs import AdaptJob, GapJob, TargetChoice
from napari_voxuda.app.layer_source import check_pair, in_run
from napari_voxuda.app.provenance import Provenance, trace
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import FileFormatError, InputError
from napari_voxuda.simulation.settings import SourceSettings

if TYPE_CHECKING:
    from napari_voxuda.data.targets import Target
    from napari_voxuda.networks.checkpoint import ModelCard

__all__ = [
    "Plan",
    "Prepared",
    "labelled_source",
    "prepare",
    "source_before",
    "trace_inputs",
]

_STRIDE = 8


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run needs to be repeated or gone on with.

    Parameters
    ----------
    settings : AdaptSettings
        Network, losses and schedule.
    source : SourceSettings
        The source, with the target's voxel size and box.
    seed : int
        Seed of everything random.
    contrast : {"bright", "dark"}
        Contrast of protein in the target.
    is_folder : bool
        Whether the target is a folder of subtomograms.
    """

    settings: AdaptSettings
    source: SourceSettings
    seed: int
    contrast: Contrast
    is_folder: bool

    def to_dict(self) -> dict[str, Any]:
        """Return what the record of a run holds."""
        return {
            "settings": to_dict(self.settings),
            "source": to_dict(self.source),
            "seed": self.seed,
            "contrast": self.contrast,
        }

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Plan:
        """Return the plan of a run's record.

        Raises
        ------
        FileFormatError
            When the record is incomplete or damaged.
        """
        check_places(record)
        try:
            return cls(
                settings=from_dict(AdaptSettings, record["settings"]),
                source=from_dict(SourceSettings, record["source"]),
                seed=checked_seed(record["seed"]),
                contrast="dark" if record["contrast"] == "dark" else "bright",
                is_folder=record["target"]["kind"] == "subtomograms",
            )
        except (KeyError, TypeError, ValueError) as error:
            raise FileFormatError(f"run.json: it is incomplete or damaged ({error}).") from error

    def target(self, volumes: list[Volume], picks: Path | Picks | None) -> Target:
        """Return what target boxes are drawn from; see `napari_voxuda.app.adapt.target.make_target`.

        Raises
        ------
        InputError
            When volumes or picks cannot be used.
        """
        return make_target(
            volumes,
            box=self.source.box,
            contrast=self.contrast,
            picks=picks,
            voxel_size=self.source.voxel_size_angstrom,
            is_folder=self.is_folder,
        )

    def card(self) -> ModelCard:
        """Return the card of the model that the run makes."""
        from napari_voxuda.networks.checkpoint import ModelCard

        return ModelCard(
            network=self.settings.network,
            contrast=self.contrast,
            normalisation="subtomogram" if self.is_folder else "volume",
            voxel_size_angstrom=self.source.voxel_size_angstrom,
            weights=self.settings.predict_with,
            mirrors=self.settings.mirrors,
            smooth_voxels=self.settings.smooth_voxels,
            own_size=self.is_folder and self.settings.calibrate,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """The inputs of a run that has not begun.

    Parameters
    ----------
    given : Path, Volume or tuple of them
        The target; a tuple where it is several tomograms.
    volumes : list of Volume
        The tomograms, or the subtomograms.
    plan : Plan
        Settings with the target's voxel size, box and contrast filled in.
    target : Target
        Where target boxes are drawn.
    """

    given: TargetChoice
    volumes: list[Volume]
    plan: Plan
    target: Target


def prepare(job: AdaptJob | GapJob) -> Task[Prepared]:
    """Load and check what a new run would adapt to; the source is made by `labelled_source`.

    Parameters
    ----------
    job : AdaptJob or GapJob
        Target, picks, source and settings.

    Yields
    ------
    Event
        A `Message` for each doubt about the header, and one about the contrast.

    Raises
    ------
    InputError
        When target or picks cannot be used, or there is no target.
    """
    if job.target is None:
        raise InputError("adapt: a target was wanted, got none. Give a tomogram or a folder.")
    given = expanded(job.target)
    is_folder = holds_subtomograms(given)
    if isinstance(given, tuple) and isinstance(job.target, Path):
        yield Message(text=f"{job.target}: taken as {len(given)} tomograms, each as a whole.")
    volumes = load_volumes(given, job.level)
    for volume in volumes[:1] if is_folder else volumes:
        for text in volume.warnings:
            yield Message(text=f"{volume.name}: {text}", level="warning")
    if not is_folder:
        check_voxel_sizes(volumes)
    voxel_size = voxel_size_of(volumes[:1] if is_folder else volumes, job.voxel_size_angstrom)
    contrast = yield from contrast_of(volumes, job.contrast, together=is_folder)
    plan = Plan(
        settings=job.settings,
        source=replace(
            job.source, voxel_size_angstrom=voxel_size, box=_box(volumes, job, is_folder=is_folder)
        ),
        seed=job.seed,
        contrast=contrast,
        is_folder=is_folder,
    )
    return Prepared(given=given, volumes=volumes, plan=plan, target=plan.target(volumes, job.picks))


def _box(volumes: list[Volume], job: AdaptJob | GapJob, *, is_folder: bool) -> int:
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


def labelled_source(plan: Plan, run: Path | None = None) -> Task[Any]:
    """Make the labelled source of a run, after its structures have been fetched.

    Parameters
    ----------
    plan : Plan
        The run's plan.
    run : Path or None
        The run folder, where a pair of tomogram and labels is kept.

    Raises
    ------
    InputError, DownloadError
        When a file cannot be used or a structure cannot be fetched.
    """
    from napari_voxuda.simulation.source import make_source

    yield from fetch_task(plan.source)
    return make_source(plan.source if run is None else in_run(plan.source, run))


def source_before(job: AdaptJob | GapJob, plan: Plan) -> Task[Any]:
    """Make the labelled source of a run that has not begun, without a run folder.

    Raises
    ------
    InputError, DownloadError
        When a file or a pair of tomogram and labels cannot be used, or a structure cannot be fetched.
    """
    if job.labelled is None:
        return (yield from labelled_source(plan))
    return (yield from check_pair(job.labelled, plan.source)).open()


def trace_inputs(
    task: str, job: AdaptJob | GapJob, prepared: Prepared, *, device: str
) -> Task[Provenance]:
    """Hash what a task adapts to or measures; see `napari_voxuda.app.provenance.trace`."""
    plan = prepared.plan
    files = [volume.path for volume in prepared.volumes if volume.path is not None]
    apart = prepared.volumes[:1] if plan.is_folder else prepared.volumes
    return (
        yield from trace(
            task,
            inputs={
                "target": files if plan.is_folder and files else apart,
                "picks": job.picks if isinstance(job.picks, Path) else None,
                "source image": None if job.labelled is None else job.labelled.image,
                "source labels": None if job.labelled is None else job.labelled.labels,
            },
            settings=plan.to_dict(),
            device=device,
            seed=plan.seed,
        )
    )

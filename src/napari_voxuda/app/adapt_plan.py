"""What a run adapts to and learns from: loaded, checked and described before it begins."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_voxuda._params import from_dict, to_dict
from napari_voxuda._types import Contrast, Event, Message, Task
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.fetch import fetch_task
from napari_voxuda.app.jobs import AdaptJob, GapJob
from napari_voxuda.app.layer_source import check_pair, in_run
from napari_voxuda.app.provenance import Provenance, trace
from napari_voxuda.app.run_record import check_places, checked_seed
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import FileFormatError, InputError
from napari_voxuda.io.zarr_folder import is_zarr_folder
from napari_voxuda.simulation.settings import SourceSettings

if TYPE_CHECKING:
    from napari_voxuda.data.targets import Target
    from napari_voxuda.networks.checkpoint import ModelCard

__all__ = [
    "Plan",
    "Prepared",
    "labelled_source",
    "load_volumes",
    "make_target",
    "picks_of",
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
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """The inputs of a run that has not begun.

    Parameters
    ----------
    volumes : list of Volume
        The tomogram, or the subtomograms.
    plan : Plan
        Settings with the target's voxel size, box and contrast filled in.
    target : Target
        Where target boxes are drawn.
    """

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
    volumes = load_volumes(job.target, job.level)
    for volume in volumes[:1]:
        for text in volume.warnings:
            yield Message(text=f"{volume.name}: {text}", level="warning")
    voxel_size = _voxel_size(volumes, job)
    contrast = yield from _contrast(volumes, job)
    is_folder = isinstance(job.target, Path) and _is_folder(job.target)
    plan = Plan(
        settings=job.settings,
        source=replace(
            job.source, voxel_size_angstrom=voxel_size, box=_box(volumes, job, is_folder=is_folder)
        ),
        seed=job.seed,
        contrast=contrast,
        is_folder=is_folder,
    )
    target = make_target(volumes, plan, picks_of(job.picks, volumes[0], voxel_size))
    return Prepared(volumes=volumes, plan=plan, target=target)


def load_volumes(target: Path | Volume, level: int = 0) -> list[Volume]:
    """Return the tomogram, or the subtomograms of a folder in memory.

    Raises
    ------
    InputError
        When a file cannot be read or a folder holds none.
    """
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


def _voxel_size(volumes: list[Volume], job: AdaptJob | GapJob) -> float:
    if job.voxel_size_angstrom is not None:
        return job.voxel_size_angstrom
    size = volumes[0].grid.voxel_size_angstrom
    if size is None:
        raise InputError(
            f"{volumes[0].path or volumes[0].name}: the header does not tell the voxel size, which "
            "the simulated source must match. Give it in Å (--voxel-size)."
        )
    return sum(size) / 3


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


def _contrast(volumes: list[Volume], job: AdaptJob | GapJob) -> Generator[Event, None, Contrast]:
    if job.contrast != "auto":
        return job.contrast
    from napari_voxuda.data.contrast import detect_contrast

    guess = detect_contrast(volumes)
    yield Message(
        text=f"Contrast taken as {guess.contrast}. {guess.reason}",
        level="info" if guess.is_sure else "warning",
    )
    return guess.contrast


def picks_of(picks: Path | Picks | None, volume: Volume, voxel_size: float) -> Picks | None:
    """Return picks in voxels of `volume`, read from a file where they are none yet.

    Parameters
    ----------
    picks : Path, Picks or None
        A file or positions; None stays None.
    volume : Volume
        The tomogram.
    voxel_size : float
        Its voxel size in Å.

    Raises
    ------
    InputError
        When the file cannot be used.
    """
    if picks is None or isinstance(picks, Picks):
        return picks
    from napari_voxuda.io.picks_file import read_picks
    from napari_voxuda.io.volumes import volume_stem

    return read_picks(
        picks,
        voxel_size_angstrom=voxel_size,
        shape=volume.shape,
        tomogram_name=volume.name if volume.path is None else volume_stem(volume.path),
    )


def make_target(volumes: list[Volume], plan: Plan, picks: Picks | None) -> Target:
    """Return what target boxes are drawn from.

    Raises
    ------
    InputError
        When the volumes cannot be used, or picks are given with a folder.
    """
    from napari_voxuda.data.targets import SubtomogramTarget, TomogramTarget

    box, contrast = plan.source.box, plan.contrast
    if plan.is_folder:
        if picks is not None:
            raise InputError("adapt: picks go with a tomogram, not with a folder of subtomograms.")
        return SubtomogramTarget(volumes, box=box, contrast=contrast)
    return TomogramTarget(volumes[0], box=box, contrast=contrast, picks=picks)


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
    return (
        yield from trace(
            task,
            inputs={
                "target": files if plan.is_folder and files else prepared.volumes[0],
                "picks": job.picks if isinstance(job.picks, Path) else None,
                "source image": None if job.labelled is None else job.labelled.image,
                "source labels": None if job.labelled is None else job.labelled.labels,
            },
            settings=plan.to_dict(),
            device=device,
            seed=plan.seed,
        )
    )


def _is_folder(target: Path) -> bool:
    return target.is_dir() and not is_zarr_folder(target)

"""Measure the gap between the source and the target of an adaptation before it is run."""

from __future__ import annotations

from pathlib import Path

from napari_voxuda._types import Progress, Task
from napari_voxuda.app.adapt.plan import Prepared, prepare, source_before, trace_inputs
from napari_voxuda.app.gap.report import GapReport
from napari_voxuda.app.gap.words import gap_sentences
from napari_voxuda.app.jobs import GapJob
from napari_voxuda.app.provenance import sign
from napari_voxuda.app.words import names_words

__all__ = ["gap_figure_task", "gap_task"]


def gap_task(job: GapJob) -> Task[GapReport]:
    """Measure how far source and target are apart, before and after noise matching.

    The boxes are drawn, noised and normalised by the functions of a run, on the CPU; nothing is
    written.

    Parameters
    ----------
    job : GapJob
        Target, source and settings of the run.

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
    """
    prepared = yield from prepare(job)
    return (yield from _measured(job, prepared))


def gap_figure_task(job: GapJob, figure: Path) -> Task[GapReport]:
    """Measure as `gap_task` does, and write a figure with its record beside it.

    Parameters
    ----------
    job : GapJob
        Target, source and settings of the run.
    figure : Path
        A PNG file.

    Raises
    ------
    InputError, DownloadError
        As `gap_task`.
    OutputError
        When the figure cannot be written.
    """
    from napari_voxuda.app.gap.figure import save_gap_figure

    prepared = yield from prepare(job)
    provenance = yield from trace_inputs("gap", job, prepared, device="cpu")
    report = yield from _measured(job, prepared)
    yield Progress(stage="Drawing the figure", done=0, total=1)
    save_gap_figure(report, figure)
    sign(figure, "figure", provenance)
    return report


def _measured(job: GapJob, prepared: Prepared) -> Task[GapReport]:
    from napari_voxuda.adaptation.measure_gap import measure_gap

    plan = prepared.plan
    source = yield from source_before(job, plan)
    gap = yield from measure_gap(
        source,
        prepared.target,
        plan.settings,
        source_count=plan.source.count,
        seed=plan.seed,
        voxel_size_angstrom=plan.source.voxel_size_angstrom,
        contrast=plan.contrast,
    )
    names = [volume.name for volume in prepared.volumes]
    name = (
        job.target.name if plan.is_folder and isinstance(job.target, Path) else names_words(names)
    )
    return GapReport(name=name, gap=gap, sentences=tuple(gap_sentences(gap)))

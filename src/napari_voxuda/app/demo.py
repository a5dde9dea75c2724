"""The whole method on a synthetic tomogram: simulate, adapt, segment, score, draw."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_voxuda._params import to_dict
from napari_voxuda._types import Event, Message, Progress, Task
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.adapt.task import adapt_task
from napari_voxuda.app.jobs import AdaptJob, Segmentation, SegmentJob
from napari_voxuda.app.provenance import Provenance, now, sign
from napari_voxuda.app.segment.files import SegmentOutputs, save_segmentation
from napari_voxuda.app.segment.task import segment_task
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import OutputError
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["DemoJob", "DemoResult", "demo_task"]

SOURCE_ONLY = "source only"
ADAPTED = "adapted"


@dataclass(frozen=True, kw_only=True, eq=False)
class DemoJob:
    """Run the whole method on a synthetic tomogram.

    Parameters
    ----------
    out : Path
        New or empty folder for everything that the demo writes.
    seed : int
        Seed of the tomogram, the source and the training.
    shape : tuple of int
        Size (z, y, x) of the tomogram in voxels.
    settings : AdaptSettings or None
        Settings of the adaptation; the preset ``fast`` without.
    source : SourceSettings or None
        The source; the built-in random phantoms without.
    """

    out: Path
    seed: int = 0
    shape: tuple[int, int, int] = (64, 160, 160)
    settings: AdaptSettings | None = None
    source: SourceSettings | None = None


@dataclass(frozen=True, kw_only=True)
class DemoResult:
    """What the demo found and wrote.

    Parameters
    ----------
    out : Path
        The folder.
    scores : dict
        ``dice`` and ``iou`` in [0, 1] of ``source only`` and ``adapted``, on the whole tomogram.
    files : dict
        What was written, by what it is.
    """

    out: Path
    scores: dict[str, dict[str, float]]
    files: dict[str, Path]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values."""
        return {
            "out": str(self.out),
            "scores": self.scores,
            "files": {name: str(path) for name, path in self.files.items()},
        }


def demo_task(job: DemoJob) -> Task[DemoResult]:
    """Adapt to a synthetic tomogram whose molecules the source does not hold, and score it.

    Parameters
    ----------
    job : DemoJob
        Where to write, and the seed.

    Yields
    ------
    Event
        Those of the simulation, both trainings and both segmentations.

    Raises
    ------
    OutputError
        When the folder cannot be made or already holds something.
    """
    settings = job.settings or AdaptSettings.preset("fast")
    files = _files(job.out)
    started = now()
    tomogram, truth = yield from _scene(job, files)
    found = {}
    for name, chosen, run in (
        (SOURCE_ONLY, settings.source_only(), job.out / "run-source-only"),
        (ADAPTED, settings, job.out / "run"),
    ):
        yield Message(text=f"Training: {name}, {chosen.steps} steps.")
        yield from adapt_task(
            AdaptJob(
                target=files["tomogram"],
                out=run,
                source=job.source or SourceSettings(),
                settings=chosen,
                contrast="dark",
                device="auto",
                seed=job.seed,
            )
        )
        yield Message(text=f"Segmenting the tomogram: {name}.")
        found[name] = yield from segment_task(SegmentJob(volume=tomogram, model=run))
    save_segmentation(
        found[ADAPTED],
        SegmentOutputs(
            mask=files["mask"],
            probability=files["probability"],
            picks=files["picks"],
            table=files["particles"],
        ),
    )
    scores = _scores(found, truth)
    yield from _figure(tomogram, truth, found, scores, files["figure"])
    _write_scores(scores, files)
    provenance = Provenance(
        task="demo",
        started=started,
        settings=to_dict(settings),
        seed=job.seed,
    )
    for kind in ("tomogram", "truth", "figure", "scores", "table"):
        sign(files[kind], kind, provenance)
    return DemoResult(out=job.out, scores=scores, files=files)


def _files(out: Path) -> dict[str, Path]:
    try:
        out.mkdir(parents=True, exist_ok=True)
        occupied = next(out.iterdir(), None)
    except OSError as error:
        raise OutputError(
            f"{out}: the folder cannot be made ({error.strerror}). Choose another place."
        ) from error
    if occupied is not None:
        raise OutputError(
            f"{out}: a new or empty folder was wanted, but it holds {occupied.name!r}. "
            "Choose another folder."
        )
    names = {
        "tomogram": "tomogram.mrc",
        "truth": "truth_mask.mrc",
        "mask": "mask.mrc",
        "probability": "probability.mrc",
        "picks": "picks.star",
        "particles": "particles.csv",
        "figure": "figure.png",
        "scores": "scores.json",
        "table": "scores.md",
    }
    return {name: out / file for name, file in names.items()}


def _scene(job: DemoJob, files: dict[str, Path]) -> Generator[Event, None, tuple[Volume, Volume]]:
    import torch

    from napari_voxuda.io.mrc import read_mrc, write_mask, write_mrc
    from napari_voxuda.simulation.scene import SceneSettings, make_scene

    yield Progress(stage="Making a synthetic tomogram", done=0, total=1)
    scene = make_scene(
        SceneSettings(shape=job.shape, molecules=_molecules(job.shape)),
        torch.Generator().manual_seed(job.seed + 1_000_003),
    )
    write_mrc(files["tomogram"], scene.volume)
    write_mask(files["truth"], scene.mask)
    yield Progress(stage="Making a synthetic tomogram", done=1, total=1)
    yield Message(
        text=f"The tomogram holds {len(scene.particles)} molecules of kinds that the source "
        f"does not have; {100 * scene.mask.data.mean():.1f} % of its voxels are foreground."
    )
    return read_mrc(files["tomogram"]), scene.mask


def _molecules(shape: tuple[int, int, int]) -> int:
    """Return how many molecules make the default scene's crowding."""
    return max(3, round(30 * shape[0] * shape[1] * shape[2] / (64 * 128 * 128)))


def _scores(found: dict[str, Segmentation], truth: Volume) -> dict[str, dict[str, float]]:
    from napari_voxuda.scores.overlap import dice, iou

    return {
        name: {
            "dice": dice(segmentation.mask.data, truth.data),
            "iou": iou(segmentation.mask.data, truth.data),
        }
        for name, segmentation in found.items()
    }


def _write_scores(scores: dict[str, dict[str, float]], files: dict[str, Path]) -> None:
    from napari_voxuda.io.atomic import atomic_path

    rows = [f"| {name} | {s['dice']:.3f} | {s['iou']:.3f} |" for name, s in scores.items()]
    table = "\n".join(["| | Dice | IoU |", "|---|---|---|", *rows]) + "\n"
    for path, text in (
        (files["table"], table),
        (files["scores"], json.dumps(scores, indent=2) + "\n"),
    ):
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _figure(
    tomogram: Volume,
    truth: Volume,
    found: dict[str, Segmentation],
    scores: dict[str, dict[str, float]],
    path: Path,
) -> Generator[Event, None, None]:
    """Draw the slice that holds most foreground: raw, denoised, truth and both predictions."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from napari_voxuda.app.denoise.task import denoise_region
    from napari_voxuda.io.atomic import atomic_path
    from napari_voxuda.method.denoising import DenoiseSettings

    yield Progress(stage="Drawing the figure", done=0, total=1)
    z = int(truth.data.sum(axis=(1, 2)).argmax())
    low, high = max(0, z - 3), z + 4
    raw = np.array(tomogram.data[low:high], dtype=np.float32)
    denoised = denoise_region(raw, DenoiseSettings())[z - low]
    raw = raw[z - low]
    figure = Figure(figsize=(15, 3.35), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 5)
    panels: list[tuple[str, Any, Any]] = [
        (f"tomogram, slice {z}", raw, None),
        ("denoised (IBF)", denoised, None),
        ("truth", denoised, truth.data[z]),
    ]
    for name, segmentation in found.items():
        title = f"{name}, Dice {scores[name]['dice']:.2f}"
        panels.append((title, denoised, segmentation.mask.data[z]))
    for axis, (title, image, mask) in zip(axes, panels, strict=True):
        limits = np.percentile(image, (1, 99))
        axis.imshow(image, cmap="gray", vmin=limits[0], vmax=limits[1], interpolation="nearest")
        if mask is not None:
            shown = np.ma.masked_equal(mask, 0)
            axis.imshow(shown, cmap="autumn", vmin=0, vmax=2, alpha=0.55, interpolation="nearest")
        axis.set_title(title, fontsize=11)
        axis.set_axis_off()
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")
    yield Progress(stage="Drawing the figure", done=1, total=1)

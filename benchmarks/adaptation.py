"""Dice and IoU of source-only training and of adaptation, on synthetic and on real targets.

Run ``python benchmarks/adaptation.py --work NEW_FOLDER``. The synthetic target is the demo's
tomogram. With ``--data FOLDER`` (``ribosome70S/``, ``microtubule/``, ``tomograms/``) the real ones
follow; `baselines.py` has the scores to put beside them. No label is used for training: the masks
of a target only score it. The ribosomes are rolled by random offsets first, since a centred sphere
would find them otherwise; ``ribosomes, unseen`` adapts to one tomogram's particles and segments
those of the other.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from baselines import rolled, subtomograms, write_rolled

from napari_voxuda._params import from_dict, to_dict
from napari_voxuda.adaptation.events import StepDone
from napari_voxuda.adaptation.settings import PRESETS, AdaptSettings
from napari_voxuda.app.adapt import adapt_task
from napari_voxuda.app.evaluate import evaluate
from napari_voxuda.app.jobs import AdaptJob, SegmentFolderJob, SegmentJob
from napari_voxuda.app.segment import segment_task
from napari_voxuda.app.segment_files import segment_folder_task
from napari_voxuda.data.masks import as_mask
from napari_voxuda.io.mrc import read_mrc, write_mask, write_mrc
from napari_voxuda.scores.overlap import dice, iou
from napari_voxuda.simulation.scene import SceneSettings, make_scene
from napari_voxuda.simulation.settings import SourceSettings

TARGETS = ("synthetic", "scene", "microtubule", "ribosomes", "ribosomes, unseen")
METHODS = ("source only", "adapted")


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is adapted to, what is segmented, and its truth."""

    name: str
    adapt_to: Path
    segment: Path
    truth: Path
    contrast: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One run."""

    target: str
    method: str
    seed: int
    dice: float
    iou: float
    seconds_per_step: float


def synthetic(work: Path, seed: int) -> Target:
    """Write the demo's tomogram for a seed."""
    import torch

    folder = work / f"synthetic-{seed}"
    folder.mkdir()
    scene = make_scene(
        SceneSettings(shape=(64, 160, 160), molecules=47),
        torch.Generator().manual_seed(seed + 1_000_003),
    )
    write_mrc(folder / "tomogram.mrc", scene.volume)
    write_mask(folder / "truth.mrc", scene.mask)
    return Target(
        name="synthetic",
        adapt_to=folder / "tomogram.mrc",
        segment=folder / "tomogram.mrc",
        truth=folder / "truth.mrc",
        contrast="dark",
    )


def real(name: str, data: Path, work: Path, seed: int) -> Target:
    """Name the files of a real target; roll the ribosomes."""
    if name == "scene":
        folder = data / "tomograms"
        tomogram, truth, contrast = folder / "scene.mrc", folder / "scene_mask.mrc", "dark"
    elif name == "microtubule":
        folder = data / "microtubule"
        tomogram, truth, contrast = (
            folder / "13pf_MT.mrc",
            folder / "13pf_MT_wallmask.mrc",
            "bright",
        )
    else:
        return _ribosomes(name, data, work / f"{name.replace(', ', '-')}-{seed}", seed)
    return Target(name=name, adapt_to=tomogram, segment=tomogram, truth=truth, contrast=contrast)


def run(target: Target, method: str, seed: int, settings: AdaptSettings, work: Path) -> Row:
    """Adapt, segment and score."""
    chosen = settings if method == "adapted" else settings.source_only()
    out = work / f"{target.name.replace(', ', '-')}-{method.replace(' ', '-')}-{seed}"
    out.mkdir()
    seconds = 0.0
    task = adapt_task(
        AdaptJob(
            target=target.adapt_to,
            out=out / "run",
            settings=chosen,
            source=SourceSettings(count=300),
            contrast=target.contrast,
            seed=seed,
        )
    )
    for event in task:
        if isinstance(event, StepDone):
            seconds = event.seconds_per_step
    if target.segment.is_dir():
        _finish(
            segment_folder_task(
                SegmentFolderJob(folder=target.segment, model=out / "run", out=out / "masks")
            )
        )
        mean = evaluate(out / "masks", target.truth).to_dict()["mean"]
        scores = (mean["dice"], mean["iou"])
    else:
        found = _finish(
            segment_task(SegmentJob(volume=read_mrc(target.segment), model=out / "run"))
        )
        write_mask(out / "mask.mrc", found.mask)
        truth = as_mask(read_mrc(target.truth)).data
        scores = (dice(found.mask.data, truth), iou(found.mask.data, truth))
    return Row(
        target=target.name,
        method=method,
        seed=seed,
        dice=scores[0],
        iou=scores[1],
        seconds_per_step=seconds,
    )


def markdown(rows: list[Row]) -> str:
    """Return mean and spread over the seeds as a table."""
    lines = ["| target | method | seeds | Dice | IoU | s/step |", "|---|---|---|---|---|---|"]
    for target in dict.fromkeys(row.target for row in rows):
        for method in METHODS:
            group = [row for row in rows if (row.target, row.method) == (target, method)]
            if group:
                cells = [_spread([getattr(row, name) for row in group]) for name in ("dice", "iou")]
                pace = fmean(row.seconds_per_step for row in group)
                lines.append(
                    f"| {target} | {method} | {len(group)} | {' | '.join(cells)} | {pace:.2f} |"
                )
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="new folder for runs and masks")
    parser.add_argument("--data", type=Path, help="folder of the real data sets")
    parser.add_argument(
        "--targets", nargs="+", choices=TARGETS, help="default: all that are at hand"
    )
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--preset", choices=tuple(PRESETS), default="fast")
    parser.add_argument(
        "--change",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="settings instead of the preset's; values in JSON, for example steps=100",
    )
    parser.add_argument("--json", type=Path, help="file for all rows and the settings")
    given = parser.parse_args()
    settings = _changed(AdaptSettings.preset(given.preset), given.change)
    given.work.mkdir(parents=True)
    rows = []
    for row in _rows(given, settings):
        rows.append(row)
        print(f"{row.target}, {row.method}, seed {row.seed}: Dice {row.dice:.3f}", flush=True)
        if given.json:
            facts = {"machine": _machine(), "settings": to_dict(settings)}
            given.json.write_text(json.dumps(facts | {"rows": [asdict(r) for r in rows]}, indent=2))
    print(f"\n{_machine()}\n\n{markdown(rows)}")


def _changed(settings: AdaptSettings, changes: list[str]) -> AdaptSettings:
    """Return the settings with ``name=value`` changes; a plain word is a string."""
    values = to_dict(settings)
    for change in changes:
        name, _, text = change.partition("=")
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return from_dict(AdaptSettings, values)


def _rows(given: argparse.Namespace, settings: AdaptSettings) -> Iterator[Row]:
    at_hand = TARGETS if given.data else TARGETS[:1]
    for name in given.targets or at_hand:
        for seed in given.seeds:
            if name == "synthetic":
                target = synthetic(given.work, seed)
            else:
                target = real(name, given.data, given.work, seed)
            for method in given.methods:
                yield run(target, method, seed, settings, given.work)


def _ribosomes(name: str, data: Path, folder: Path, seed: int) -> Target:
    pairs = rolled(subtomograms(data / "ribosome70S"), seed)
    half = len(pairs) // 2
    first, second = (pairs[:half], pairs[half:]) if name.endswith("unseen") else (pairs, pairs)
    folder.mkdir()
    write_rolled(first, folder / "adapt")
    if first is second:
        other = folder / "adapt"
    else:
        other = folder / "segment"
        write_rolled(second, other)
    return Target(
        name=name, adapt_to=folder / "adapt", segment=other, truth=other, contrast="bright"
    )


def _finish(task: Any) -> Any:
    while True:
        try:
            next(task)
        except StopIteration as stop:
            return stop.value


def _spread(values: list[float]) -> str:
    return f"{fmean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")


def _machine() -> str:
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
    return f"{device}, {os.cpu_count()} cores, torch {torch.__version__}"


if __name__ == "__main__":
    main()

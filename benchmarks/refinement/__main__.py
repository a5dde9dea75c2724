"""Refine a quickly adapted run by ten corrections at uncertain places, or at random ones.

Run ``python -m benchmarks.refinement --work FOLDER`` in a clone. For each seed a synthetic tomogram
with truth is made and adapted to; a simulated correction is the truth painted in a ball of 4 voxels radius.
Runs and results that FOLDER holds already are not made again. Settings were chosen on the seeds 0 to 3.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Task
from napari_voxuda.adaptation.refine_settings import RefineSettings
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.adapt.task import adapt_task
from napari_voxuda.app.jobs import AdaptJob, RefineJob, SegmentJob
from napari_voxuda.app.refine.task import refine_task
from napari_voxuda.app.refine.uncertainty import uncertainty_task
from napari_voxuda.app.segment.task import segment_task
from napari_voxuda.data.corrections import Corrections
from napari_voxuda.data.volume import Volume
from napari_voxuda.io.atomic import atomic_path
from napari_voxuda.io.mrc import read_mrc, write_mask, write_mrc
from napari_voxuda.scores.overlap import dice
from napari_voxuda.segmentation.uncertainty import UncertainPlaces
from napari_voxuda.simulation.settings import SourceSettings

CORRECTIONS = 10
RADIUS = 4
WAYS = {
    "guided": "most uncertain places",
    "random": "random places",
    "random-foreground": "random places in the mask",
}
_FIRST_SEED = 1000


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    given = _parser().parse_args(arguments)
    given.work.mkdir(parents=True, exist_ok=True)
    rows = [_seed(seed, given) for seed in given.seeds]
    table = markdown(rows)
    with atomic_path(given.work / "table.md") as temporary:
        temporary.write_text(table, encoding="utf-8")
    if given.json is not None:
        content = {"machine": _machine(), "settings": _settings(given), "rows": rows}
        with atomic_path(given.json) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"\n{table}\n{_machine()}")


def brush(place: tuple[int, ...], shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """Return the voxels (n, 3) of a ball of `RADIUS` around a place, inside the volume."""
    offsets = np.indices((2 * RADIUS + 1,) * 3).reshape(3, -1).T - RADIUS
    voxels = np.array(place) + offsets[(offsets**2).sum(1) <= RADIUS**2]
    return voxels[((voxels >= 0) & (voxels < shape)).all(1)].astype(np.int32)


def corrections_at(places: list[tuple[int, ...]], truth: npt.NDArray[np.bool_]) -> Corrections:
    """Return the truth in balls around `places` as corrections."""
    voxels = np.unique(np.concatenate([brush(place, truth.shape) for place in places]), axis=0)
    d, h, w = truth.shape
    return Corrections(shape=(d, h, w), positions=voxels, foreground=truth[tuple(voxels.T)])


def choose_places(
    way: str, mask: npt.NDArray[np.bool_], uncertainty: npt.NDArray[Any], seed: int
) -> list[tuple[int, ...]]:
    """Return where a user would correct: `CORRECTIONS` places chosen in one of the `WAYS`."""
    rng = np.random.default_rng(seed)
    if way == "guided":
        walk = UncertainPlaces(uncertainty, radius=RADIUS)
        found = [walk.next() for _ in range(CORRECTIONS)]
        return [place for place in found if place is not None]
    if way == "random":
        return [tuple(int(v) for v in rng.integers(0, mask.shape)) for _ in range(CORRECTIONS)]
    inside = np.argwhere(mask)
    return [tuple(int(v) for v in p) for p in inside[rng.integers(0, len(inside), CORRECTIONS)]]


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return the table of all seeds with their means."""
    head = ["seed", "before", *(f"{words}: voxels alone, refined" for words in WAYS.values())]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for name, chosen in [*((str(row["seed"]), [row]) for row in rows), ("mean", rows)]:
        cells = [f"{np.mean([row['before'] for row in chosen]):.3f}"]
        for way in WAYS:
            pairs = [np.mean([row[way][k] for row in chosen]) for k in ("painted", "refined")]
            cells.append(", ".join(f"{value:.3f}" for value in pairs))
        lines.append(f"| {' | '.join([name, *cells])} |")
    return "\n".join(lines) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.refinement", description=(__doc__ or "").partition("\n")[0]
    )
    add = parser.add_argument
    add("--work", type=Path, required=True, help="folder of tomograms, runs and results")
    add("--seeds", type=int, nargs="+", default=[4, 5, 6, 7])
    add("--shape", type=int, nargs=3, default=(48, 128, 128), help="of the tomogram")
    add("--molecules", type=int, default=24, help="that are tried to be placed")
    add("--steps", type=int, default=300, help="of the adaptation")
    add("--source", type=int, default=200, help="source boxes of the adaptation")
    add("--refine-steps", type=int, default=RefineSettings().steps)
    add("--json", type=Path, help="file for all scores")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto")
    return parser


def _seed(seed: int, given: argparse.Namespace) -> dict[str, Any]:
    folder = given.work / f"seed-{seed}"
    done = folder / "scores.json"
    if done.is_file():
        row: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
        return row
    volume, truth = _scene(folder, seed, given)
    run = folder / "run"
    if not (run / "model.safetensors").is_file():
        _adapt(folder / "tomogram.mrc", run, seed, given)
    mask = (
        _run(segment_task(SegmentJob(volume=volume, model=run, device=given.device))).mask.data > 0
    )
    unsure = _run(uncertainty_task(volume, run, device=given.device)).data
    row = {"seed": seed, "before": dice(mask, truth)}
    for way in WAYS:
        corrections = corrections_at(choose_places(way, mask, unsure, seed), truth)
        row[way] = _scores(corrections, mask, truth, volume, folder / way, given)
        print(f"seed {seed}, {way}: {row['before']:.3f} before, {row[way]}", flush=True)
    with atomic_path(done) as temporary:
        temporary.write_text(json.dumps(row), encoding="utf-8")
    return row


def _scores(
    corrections: Corrections,
    mask: npt.NDArray[np.bool_],
    truth: npt.NDArray[np.bool_],
    volume: Volume,
    run: Path,
    given: argparse.Namespace,
) -> dict[str, float]:
    painted = mask.copy()
    painted[tuple(corrections.positions.T)] = corrections.foreground
    shutil.copytree(run.with_name("run"), run, dirs_exist_ok=True)
    job = RefineJob(
        run=run,
        volume=volume,
        corrections=corrections,
        settings=RefineSettings(steps=given.refine_steps),
        device=given.device,
    )
    refined = _run(refine_task(job)).segmentation.mask.data > 0
    return {"painted": dice(painted, truth), "refined": dice(refined, truth)}


def _scene(
    folder: Path, seed: int, given: argparse.Namespace
) -> tuple[Volume, npt.NDArray[np.bool_]]:
    import torch

    from napari_voxuda.simulation.scene import SceneSettings, make_scene

    if not (folder / "truth.mrc").is_file():
        folder.mkdir(exist_ok=True)
        settings = SceneSettings(shape=tuple(given.shape), molecules=given.molecules)
        scene = make_scene(settings, torch.Generator().manual_seed(_FIRST_SEED + seed))
        write_mrc(folder / "tomogram.mrc", scene.volume)
        write_mask(folder / "truth.mrc", scene.mask)
    return read_mrc(folder / "tomogram.mrc"), read_mrc(folder / "truth.mrc").data > 0


def _adapt(target: Path, run: Path, seed: int, given: argparse.Namespace) -> None:
    job = AdaptJob(
        target=target,
        out=run,
        source=SourceSettings(count=given.source),
        settings=AdaptSettings.preset("fast", steps=given.steps),
        contrast="dark",
        seed=seed,
        device=given.device,
        resume=(run / "run.json").is_file(),
    )
    _run(adapt_task(job))


def _run(task: Task[Any]) -> Any:
    while True:
        try:
            next(task)
        except StopIteration as stop:
            return stop.value


def _settings(given: argparse.Namespace) -> dict[str, Any]:
    names = ("seeds", "shape", "molecules", "steps", "source", "refine_steps")
    fixed = {"corrections": CORRECTIONS, "radius": RADIUS}
    return {name: getattr(given, name) for name in names} | fixed


def _machine() -> str:
    import torch

    return f"CPU ({platform.machine()}), {torch.get_num_threads()} of {os.cpu_count()} cores, torch {torch.__version__}"


if __name__ == "__main__":
    main()

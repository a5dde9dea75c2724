"""Score adaptation beside its rivals on targets that the source never saw.

Run ``python -m benchmarks.transfer --work FOLDER`` in a clone. What has been measured stands in
``FOLDER/results.json`` and is not measured again, so an interrupted benchmark goes on where it
stopped. ``--data FOLDER`` adds the targets that are files.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from napari_voxuda.app.words import time_words
from napari_voxuda.errors import InputError, VoxUDAError

from .estimate import seconds_of
from .measure import can_run, measure, truth_checksum
from .report import draw_bars, markdown
from .rows import ABLATIONS, ROWS, Row, ablation_rows, changed_row
from .store import Result, Store, fingerprint
from .targets import TARGETS, Target, make_target, target_names
from .tiers import TIERS, Tier

_BEFORE = ("source-only-A", "source-only")
_AFTER = ("default", "fast", "voxuda-ngm")


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    given = _parser().parse_args(arguments)
    try:
        given.work.mkdir(parents=True, exist_ok=True)
        store = Store(given.json or given.work / "results.json")
        if not given.report:
            _run(given, store)
        _report(given, store)
    except VoxUDAError as error:
        raise SystemExit(f"error: {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.transfer", description=(__doc__ or "").partition("\n")[0]
    )
    add = parser.add_argument
    add("--work", type=Path, required=True, help="folder of targets, runs, results and tables")
    add("--tier", choices=TIERS, default="cpu", help="sizes (default: cpu)")
    add("--split", choices=("dev", "final"), default="final", help="which data (default: final)")
    add("--data", type=Path, help="folder with ribosome70S, microtubule and tomograms")
    add("--files", nargs=3, metavar=("RIBOSOME", "PROTEASOME", "CHAPERONIN"), default=())
    add("--targets", nargs="+", choices=TARGETS, help="default: the tier's that are at hand")
    add("--rows", nargs="*", choices=ROWS, help="default: the tier's")
    add("--ablations", nargs="+", choices=(*ABLATIONS, "all"), default=[], help="besides the rows")
    add("--seeds", type=int, nargs="+", help="default: the tier's")
    add("--steps", type=int, help="of the rivals' and the ablations' training")
    add(
        "--change", nargs="+", default=[], metavar="NAME=VALUE", help="in the chosen rows' settings"
    )
    add("--device", choices=("auto", "cpu", "cuda"), default="auto")
    add("--json", type=Path, help="file of the results (default: WORK/results.json)")
    add("--estimate", action="store_true", help="say how long it takes, and do nothing")
    add("--report", action="store_true", help="make tables and figures from the results alone")
    return parser


def _run(given: argparse.Namespace, store: Store) -> None:
    tier = TIERS[given.tier]
    if given.steps is not None:
        tier = tier.with_steps(given.steps)
    rows = _rows(given, tier)
    names = given.targets or [
        name for name in tier.targets if name in target_names(given.split, given.data)
    ]
    seeds = given.seeds or tier.seeds
    spent = sum(seconds_of(row, tier, store.results, given.device) for row in rows)
    print(
        f"{len(rows)} rows on {', '.join(names)} for {len(seeds)} seeds: about "
        f"{time_words(spent * len(names) * len(seeds))} if nothing of it has been done.",
        flush=True,
    )
    if given.estimate:
        return
    for name in names:  # by target, then by seed, so that an early end leaves whole tables
        for seed in seeds:
            target = _target(name, seed, tier, given)
            truth = truth_checksum(target)
            for row in rows:
                if can_run(row, target, tier):
                    _one(row, target, truth, tier, given, store)


def _rows(given: argparse.Namespace, tier: Tier) -> list[Row]:
    chosen = given.rows
    if chosen is None:
        chosen = [] if given.ablations else tier.rows or ROWS
    groups = tuple(ABLATIONS) if "all" in given.ablations else tuple(given.ablations)
    rows = [changed_row(ROWS[name], given.change) for name in chosen]
    return [*rows, *ablation_rows(groups)]


def _target(name: str, seed: int, tier: Tier, given: argparse.Namespace) -> Target:
    files = tuple(str(path) for path in given.files)
    return make_target(
        name, given.split, seed, tier, given.work / "targets", data=given.data, files=files
    )


def _one(
    row: Row, target: Target, truth: str, tier: Tier, given: argparse.Namespace, store: Store
) -> None:
    mark = fingerprint(row, target, tier)
    label = {
        "tier": tier.name,
        "split": given.split,
        "target": target.name,
        "table": row.table,
        "row": row.name,
        "title": row.title,
    }
    facts = {"seed": target.seed, "fingerprint": mark, "truth": truth}
    result = Result(**label, **facts, iou=0.0, dice=0.0)
    found = store.find(mark, target.seed, truth)
    if found is not None:
        store.reuse(found, result)
        return
    run = given.work / "runs" / f"{mark}-{target.seed}"
    score = measure(row, target, tier, run, given.device)
    result = Result(**label, **facts, machine=_machine(given.device), **asdict(score))
    store.add(result)
    said = score.failure or f"Dice {score.dice:.3f}, IoU {score.iou:.3f}"
    print(
        f"{target.name}, {row.name}, seed {target.seed}: {said} ({time_words(score.seconds)})",
        flush=True,
    )


def _report(given: argparse.Namespace, store: Store) -> None:
    if not store.results:
        return
    table = markdown(store.results)
    (given.work / "table.md").write_text(table, encoding="utf-8")
    print(f"\n{table}")
    draw_bars(store.results, given.work / "bars.png")
    _picture(given, store)


def _picture(given: argparse.Namespace, store: Store) -> None:
    """Draw the features before and after adaptation for the first target that has both runs."""
    from .features import draw_embeddings, embed

    picture = given.work / "features.png"
    for before, after in _pairs(store.results):
        runs = [given.work / "runs" / f"{r.fingerprint}-{r.seed}" for r in (before, after)]
        models = [run / "model.safetensors" for run in runs]
        if not all(model.is_file() for model in models):
            continue
        made = picture.stat().st_mtime if picture.is_file() else 0.0
        if made > max(model.stat().st_mtime for model in models):
            return
        tier = TIERS[before.tier]
        files = tuple(str(path) for path in given.files)
        try:
            target = make_target(
                before.target,
                before.split,  # type: ignore[arg-type]
                before.seed,
                tier,
                given.work / "targets",
                data=given.data,
                files=files,
            )
        except InputError:
            continue
        panels = [embed(r.title, run, target) for r, run in zip((before, after), runs, strict=True)]
        draw_embeddings(panels, picture)
        return


def _pairs(results: list[Result]) -> Iterator[tuple[Result, Result]]:
    """Yield results without and with adaptation of one target and seed."""
    for first in _BEFORE:
        for second in _AFTER:
            for a in results:
                for b in results:
                    same = all(
                        getattr(a, key) == getattr(b, key)
                        for key in ("tier", "split", "target", "seed")
                    )
                    if same and (a.row, b.row) == (first, second):
                        yield a, b


def _machine(device: str) -> str:
    import torch

    version = f"torch {torch.__version__}"
    if device != "cpu" and torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, {version}"
    return f"CPU ({platform.machine()}), {torch.get_num_threads()} of {os.cpu_count()} cores, {version}"


if __name__ == "__main__":
    main()

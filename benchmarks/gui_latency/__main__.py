"""The wait of the window while a run trains, and the speed of the run beside the command line's.

Run ``xvfb-run -a -s "-screen 0 1366x768x24" python -m benchmarks.gui_latency`` in a clone. In one program and
with equal settings it trains without a window, in the dock in a process of its own, and in the
dock in a thread, in turns; every other round goes backwards. While the dock trains, a heartbeat
in the event loop tells how long a click would have to wait: at rest in the first half of the steps, while ten
slices a second are scrolled in the second.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.gui_latency.plan import CLI, Plan, train_without_window, write_tomogram
from benchmarks.gui_latency.timing import seconds_per_step, step_seconds
from napari_voxuda.io.atomic import atomic_path

GOALS = {"p95": 50.0, "p99": 150.0, "loss": 0.15}
PLACES = {"process": "dock, process", "thread": "dock, thread"}
_WAIT_KEYS = ("p50", "p95", "p99", "max")


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    given = _parser().parse_args(arguments)
    if given.work is not None:
        given.work.mkdir(parents=True, exist_ok=True)
        result = measure(given.work, given)
    else:
        with tempfile.TemporaryDirectory() as folder:
            result = measure(Path(folder), given)
    print(f"\n{markdown(result)}\n{result['machine']}")
    if given.json is not None:
        with atomic_path(given.json) as temporary:
            temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def measure(work: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Run everything and return rows for a table."""
    import napari

    from benchmarks.gui_latency.window import Window

    plan = Plan.make(work, given.steps, batch=given.batch, tiny=given.tiny)
    write_tomogram(plan)
    viewer = napari.Viewer(show=True)
    window = Window(viewer, plan)
    waits: dict[str, list[dict[str, dict[str, float]]]] = {"no run": [window.idle()]}
    paces: dict[str, list[dict[int, float]]] = {}
    for number, way in enumerate(turns(given.rounds, given.places)):
        run = work / f"run-{number}"
        if way == CLI:
            train_without_window(plan, run)
        else:
            waits.setdefault(PLACES[way], []).append(window.train(way, run))
        paces.setdefault(PLACES.get(way, way), []).append(step_seconds(run))
        print(
            f"{way}: {seconds_per_step(paces[PLACES.get(way, way)][-1:], 1, plan.steps):.3f} s a step",
            flush=True,
        )
    told = machine(window.renderer())
    viewer.close()
    settings = {"rounds": given.rounds, "steps": plan.steps, "batch": plan.settings.batch}
    return {"machine": told, "settings": settings, "rows": rows(plan, waits, paces)}


def turns(rounds: int, places: list[str]) -> list[str]:
    """Return who trains when: forwards and backwards in turns, so that a drift hits all alike."""
    order = [CLI, *places]
    return [way for r in range(rounds) for way in (order if r % 2 == 0 else order[::-1])]


def rows(
    plan: Plan,
    waits: dict[str, list[dict[str, dict[str, float]]]],
    paces: dict[str, list[dict[int, float]]],
) -> list[dict[str, Any]]:
    """Return a row for each way and phase: the worst wait of its rounds, and its pace."""
    found = []
    for way in dict.fromkeys((CLI, *waits)):
        for phase, (first, last) in plan.phases.items():
            row: dict[str, Any] = {"way": way, "phase": phase}
            for measured in waits.get(way, ()):
                for key, value in measured[phase].items():
                    row[key] = max(row.get(key, 0.0), value)
            if way in paces:
                row["seconds_per_step"] = seconds_per_step(paces[way], first, last)
                row["loss"] = (
                    row["seconds_per_step"] / seconds_per_step(paces[CLI], first, last) - 1
                )
            found.append(row)
    return found


def markdown(result: dict[str, Any]) -> str:
    """Return the rows as a table, with what misses its goal in bold."""
    head = ["training", "window", *(f"wait, {key} (ms)" for key in _WAIT_KEYS)]
    head += ["window's share of a core", "s a step", "slower than the command line by"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for row in result["rows"]:
        cells = [row["way"], "none" if row["way"] == CLI else row["phase"]]
        cells += [_cell(row, key, "{:.0f}", 1.0) for key in _WAIT_KEYS]
        cells += [
            _cell(row, "cpu", "{:.0f} %", 100.0),
            _cell(row, "seconds_per_step", "{:.3f}", 1.0),
        ]
        cells.append("" if row["way"] == CLI else _cell(row, "loss", "{:.0f} %", 100.0))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def machine(renderer: str = "") -> str:
    """Say what the figures were measured on."""
    import napari
    import torch

    cores = f"{torch.get_num_threads()} threads on {os.cpu_count()} cores"
    return (
        f"CPU ({platform.machine()}), {cores}, torch {torch.__version__}, "
        f"napari {napari.__version__}" + (f", drawn by {renderer}" if renderer else "")
    )


def _cell(row: dict[str, Any], key: str, form: str, factor: float) -> str:
    if key not in row:
        return ""
    text = form.format(row[key] * factor)
    return (
        f"**{text}**"
        if row[key] > GOALS.get(key, float("inf")) and row["way"] != "no run"
        else text
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gui_latency", description=(__doc__ or "").partition("\n")[0]
    )
    add = parser.add_argument
    add("--rounds", type=int, default=2, help="of each way to train")
    add("--steps", type=int, default=120, help="of each run")
    add(
        "--places",
        nargs="*",
        choices=tuple(PLACES),
        default=list(PLACES),
        help="where the dock trains",
    )
    add("--batch", type=int, default=2, help="of each run; small steps report often")
    add("--work", type=Path, help="folder that keeps tomogram and runs; without, they are not kept")
    add("--json", type=Path, help="file for all figures")
    add("--tiny", action="store_true", help="a network and boxes of seconds, for a test")
    return parser


if __name__ == "__main__":
    main()

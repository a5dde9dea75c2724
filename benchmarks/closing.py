"""How long it takes from the closing of the window in the middle of a run to the end of the program.

Run ``xvfb-run -a -s "-screen 0 1366x768x24" python -m benchmarks.closing``. Each case is a program of its own: it opens the
window and a tomogram, presses *Start* in the dock, and closes the window after a random time: while the source is simulated, in
the training, in the choice of the threshold, and with a larger ``--latest`` in the mask. Every third starts no run. The clock runs from the moment at which the window is told to close until
the program has ended. Ended badly has what raised or did not end with 0. It is also measured how much longer a process of the run holds the
run's lock, and what is left of the run.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.gui_latency.__main__ import machine
from benchmarks.gui_latency.plan import Plan, write_tomogram
from napari_voxuda.adaptation.run_lock import is_being_written
from napari_voxuda.app.runs.places import has_model, is_resumable
from napari_voxuda.io.atomic import atomic_path

_PLACES = ("process", "thread", "none")
_STATES = ("model", "resumable", "none")
_CLOSED = "closed at "
_GOAL_S = 3.0
_HANGS_S = 60.0


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    given = _parser().parse_args(arguments)
    if given.case is not None:
        _live_and_close(given)
        return
    with tempfile.TemporaryDirectory() as folder:
        result = measure(given.work or Path(folder), given)
    print(markdown(result))
    if given.json is not None:
        with atomic_path(given.json) as temporary:
            temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def measure(work: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Run every case and return what came of it."""
    work.mkdir(parents=True, exist_ok=True)
    write_tomogram(Plan.make(work, given.steps, tiny=given.tiny))
    chance = random.Random(given.seed)
    cases = []
    for number in range(given.cases):
        place = _PLACES[number % len(_PLACES)]
        case = _case(work, given, number, place, chance.uniform(0.0, given.latest))
        print(case, flush=True)
        cases.append(case)
    settings = {"seed": given.seed, "steps": given.steps, "latest_s": given.latest}
    return {"machine": machine(), "settings": settings, "cases": cases}


def markdown(result: dict[str, Any]) -> str:
    """Return a row for each place."""
    lines = [
        "| training | programs | longest time to the end (s) | over 3 s | ended badly | runs with a model, resumable, none |",
        "|---|---|---|---|---|---|",
    ]
    for place in _PLACES:
        cases = [case for case in result["cases"] if case["place"] == place]
        if not cases:
            continue
        slow = sum(case["seconds"] > _GOAL_S for case in cases)
        failed = sum(case["code"] != 0 or case["raised"] for case in cases)
        states = [case["state"] for case in cases]
        counts = ", ".join(str(states.count(s)) for s in _STATES)
        longest = max(case["seconds"] for case in cases)
        lines.append(f"| {place} | {len(cases)} | {longest:.2f} | {slow} | {failed} | {counts} |")
    return "\n".join(lines) + f"\n\n{result['machine']}"


def state_of(run: Path) -> str:
    """Return what is left of a run: a ``model``, one that is ``resumable``, or ``none``."""
    if has_model(run):
        return "model"
    return "resumable" if is_resumable(run) else "none"


def _case(
    work: Path, given: argparse.Namespace, number: int, place: str, after_s: float
) -> dict[str, Any]:
    run = work / f"run-{number}"
    words = ["--case", run, "--place", place, "--after", after_s, "--steps", given.steps]
    command = [sys.executable, "-m", "benchmarks.closing", "--work", work, *words]
    command += ["--tiny"] if given.tiny else []
    with tempfile.TemporaryFile("w+") as said:
        # Not a pipe, which a process that outlives the program would keep open.
        program = subprocess.Popen([str(word) for word in command], stdout=said, stderr=said)
        code = program.wait(timeout=600)
        over = time.time()
        said.seek(0)
        text = said.read()
    closed = [line for line in text.splitlines() if line.startswith(_CLOSED)]
    unlocked = over
    while is_being_written(run) and unlocked - over < _HANGS_S:
        time.sleep(0.02)
        unlocked = time.time()
    return {
        "place": place,
        "after_s": round(after_s, 2),
        "seconds": over - float(closed[-1].removeprefix(_CLOSED)) if closed else _HANGS_S,
        "unlocked_later_s": unlocked - over,
        "code": code,
        "raised": "Traceback" in text,
        "state": state_of(run),
    }


def _live_and_close(given: argparse.Namespace) -> None:
    """Be the program of one case."""
    import napari
    from qtpy.QtCore import QTimer

    from benchmarks.gui_latency.window import Window

    viewer = napari.Viewer(show=True)
    window = Window(viewer, Plan.make(given.work, given.steps, tiny=given.tiny))

    def start() -> None:
        if given.place != "none":
            window.fill_in(given.place, given.case)
            window.dock.bar.start_button.click()
        QTimer.singleShot(int(given.after * 1e3), close)

    def close() -> None:
        print(f"{_CLOSED}{time.time()}", flush=True)
        viewer.window._qt_window.close()

    QTimer.singleShot(500, start)
    napari.run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.closing", description=(__doc__ or "").partition("\n")[0]
    )
    add = parser.add_argument
    add("--cases", type=int, default=30, help="programs to start and to close")
    add("--steps", type=int, default=60, help="of each run")
    add(
        "--latest",
        type=float,
        default=15.0,
        help="s after the click at which a window is closed at last",
    )
    add("--seed", type=int, default=0, help="of the moments")
    add("--work", type=Path, help="folder that keeps tomogram and runs; without, they are not kept")
    add("--json", type=Path, help="file for all figures")
    add("--tiny", action="store_true", help="a network and boxes of seconds, for a test")
    for name, kind in (("--case", Path), ("--place", str), ("--after", float)):
        add(name, type=kind, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()

"""Peak memory of reading, denoising, segmenting and exporting a tomogram of full size.

Run ``python -m benchmarks.memory --work FOLDER``. It writes a tomogram into the folder, runs the program's
own commands on it, each in a process of its own, and prints the largest resident set of each beside the
limit: the size of what was written plus 1.5 GB. The folder needs about four times the
tomogram's size; what is written for a step is removed after it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from dataclasses import asdict
from pathlib import Path

from benchmarks.memory.inputs import VOXEL_SIZE, write_inputs
from benchmarks.memory.measure import Row, watch

STEPS = ("info", "ibf", "bilateral", "ngm", "mask", "all outputs")
_MIN_VOXELS = 200


def steps(work: Path, tomogram: Path, model: Path) -> dict[str, tuple[list[str], list[Path]]]:
    """Return the arguments of each step and the files that it writes."""
    out = work / "out.mrc"
    found: dict[str, tuple[list[str], list[Path]]] = {"info": (["info", str(tomogram)], [])}
    for method in ("ibf", "bilateral", "ngm"):
        found[method] = (["denoise", str(tomogram), str(out), "--method", method], [out])
    size = f"{_MIN_VOXELS * VOXEL_SIZE**3:.0f}"
    segment = ["segment", str(tomogram), "--model", str(model), "--out", str(out)]
    segment += ["--min-size", size, "--device", "cpu"]
    found["mask"] = (segment, [out])
    more = {name: work / f"{name}.mrc" for name in ("probability", "instances")}
    more |= {"picks": work / "picks.star", "table": work / "table.csv"}
    options = [text for name, path in more.items() for text in (f"--{name}", str(path))]
    found["all outputs"] = ([*segment, *options], [out, *more.values()])
    return found


def table(rows: list[Row]) -> str:
    """Return the measurements as a Markdown table, in MB of 10^6 bytes."""
    lines = [
        "| step | output | limit | peak resident | of it no file | of it mapped files | kept | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        peak = row.peak
        sizes = (row.output, row.limit, peak.resident, peak.anonymous, peak.mapped)
        cells = " | ".join(f"{size / 1e6:.0f} MB" for size in sizes)
        kept = "yes" if row.is_kept else "NO"
        lines.append(f"| {row.step} | {cells} | {kept} | {peak.seconds:.0f} |")
    return "\n".join(lines)


def prepare(work: Path, shape: tuple[int, int, int], seed: int) -> None:
    """Write tomogram and model in a process of their own, whose memory does not count for others."""
    from multiprocessing import get_context

    child = get_context("spawn").Process(target=write_inputs, args=(work, shape, seed))
    child.start()
    child.join()
    if child.exitcode:
        raise RuntimeError("the tomogram or the model could not be written")


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, write JSON where asked, and return 1 where a limit was broken."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for the files")
    parser.add_argument(
        "--shape", type=int, nargs=3, default=(928, 928, 464), metavar=("X", "Y", "Z")
    )
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument("--seed", type=int, default=0, help="of tomogram and network")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    chosen = parser.parse_args(arguments)
    chosen.work.mkdir(parents=True, exist_ok=True)
    x, y, z = chosen.shape
    tomogram, model = chosen.work / "tomogram.mrc", chosen.work / "model.safetensors"
    about = {"cpus": os.cpu_count(), "system": platform.platform(), "seed": chosen.seed}
    print(f"{x} x {y} x {z} voxels (x, y, z), float32; {about}", flush=True)
    prepare(chosen.work, (z, y, x), chosen.seed)
    rows = []
    for step, (command, outputs) in steps(chosen.work, tomogram, model).items():
        if step not in chosen.steps:
            continue
        peak = watch(command)
        size = sum(path.stat().st_size for path in outputs)
        rows.append(Row(step=step, command=command[0], output=size, peak=peak))
        print(table(rows[-1:]).splitlines()[-1], flush=True)
        for path in outputs:
            path.unlink()
            path.with_name(f"{path.name}.json").unlink(missing_ok=True)
    print(f"\n{table(rows)}")
    if chosen.json is not None:
        content = {"machine": about, "shape": [x, y, z], "rows": [asdict(row) for row in rows]}
        chosen.json.write_text(json.dumps(content, indent=1) + "\n")
    return 0 if all(row.is_kept for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())

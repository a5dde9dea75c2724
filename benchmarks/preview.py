"""How long one slider step of the denoising preview takes, from the setting to the pixels.

Run ``python -m benchmarks.preview``. The visible part is a whole slice of a tomogram of noise; each
step changes the parameter that the slider would, and the pixels of the slice are computed anew with
the neighbouring slices that the filter needs. The first step after another slice also reads those;
it is given apart. The processor time, all threads together, depends little on what else the machine
does. What napari takes to draw the pixels is not in these times.
"""

# ruff: noqa: TID253
from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import torch

from benchmarks.filters import machine
from napari_voxuda.app.denoise.preview import PreviewSource, preview_slice
from napari_voxuda.app.scene import SliceView
from napari_voxuda.data.volume import Volume
from napari_voxuda.method.denoising import DenoiseSettings

METHODS = ("ibf", "bilateral", "ngm")
_TURNS = 3  # a method is measured in turns, so that a busy minute of the machine hits all of them


@dataclass(frozen=True, kw_only=True)
class Row:
    """The slider steps of one denoiser, in milliseconds."""

    method: str
    median_ms: float
    percentile_95_ms: float
    first_ms: float
    processor_ms: float
    processor_95_ms: float
    first_processor_ms: float
    steps: int


def tomogram(depth: int, size: int, seed: int) -> Volume:
    """Return a tomogram of white noise, (depth, size, size)."""
    values = np.random.default_rng(seed).standard_normal((depth, size, size), dtype=np.float32)
    return Volume(data=values, name="noise")


def slider_steps(method: str, count: int) -> list[DenoiseSettings]:
    """Return the settings that a slider passes: the parameter from half to twice its default."""
    base = DenoiseSettings(method=method)  # type: ignore[arg-type]
    name = "pass_fraction" if method == "ngm" else "sigma_range"
    factors = np.geomspace(0.5, 2.0, count)
    return [replace(base, **{name: getattr(base, name) * float(f)}) for f in factors]


def measure(volume: Volume, methods: Sequence[str], steps: int) -> list[Row]:
    """Time `steps` slider steps of each denoiser on the middle slice, after one that does not count."""
    depth, height, width = volume.shape
    index = depth // 2
    view = SliceView(axis=0, index=index, start=(index, 0, 0), stop=(index + 1, height, width))
    statistics = PreviewSource().statistics("noise", volume)
    taken: dict[str, list[float]] = {method: [] for method in methods}
    first: dict[str, float] = {}
    worked: dict[str, list[float]] = {method: [] for method in methods}
    first_worked: dict[str, float] = {}
    for turn in range(_TURNS):
        for method in methods:
            source = PreviewSource()
            passed = slider_steps(method, -(-steps // _TURNS) + 1)
            seconds, busy = [], []
            for settings in passed:
                start, before = perf_counter(), process_time()
                preview_slice(volume, view, settings, statistics, source)
                seconds.append(perf_counter() - start)
                busy.append(process_time() - before)
            if turn:  # the first step of the first turn also loads libraries
                first[method] = min(first.get(method, seconds[0]), seconds[0])
                first_worked[method] = min(first_worked.get(method, busy[0]), busy[0])
            taken[method] += seconds[1:]
            worked[method] += busy[1:]
    return [
        Row(
            method=method,
            median_ms=float(np.median(taken[method])) * 1e3,
            percentile_95_ms=float(np.percentile(taken[method], 95)) * 1e3,
            first_ms=first[method] * 1e3,
            processor_ms=float(np.median(worked[method])) * 1e3,
            processor_95_ms=float(np.percentile(worked[method], 95)) * 1e3,
            first_processor_ms=first_worked[method] * 1e3,
            steps=len(taken[method]),
        )
        for method in methods
    ]


def table(rows: list[Row]) -> str:
    """Return the measurements as a Markdown table."""
    lines = [
        "| denoiser | median, ms | 95 %, ms | first on a slice, ms | processor: median | 95 % | first |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row.method} | {row.median_ms:.0f} | {row.percentile_95_ms:.0f} | {row.first_ms:.0f} "
            f"| {row.processor_ms:.0f} | {row.processor_95_ms:.0f} | {row.first_processor_ms:.0f} |"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Measure, print the table, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=1024, help="edge of the slice in voxels")
    parser.add_argument("--depth", type=int, default=64, help="slices of the tomogram")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--steps", type=int, default=60, help="slider steps of each denoiser")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("--threads", type=int, help="of torch; all by default")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    chosen = parser.parse_args(arguments)
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    about = machine(torch.device("cpu"))
    print(", ".join(f"{name} {value}" for name, value in about.items()), end="\n\n")
    volume = tomogram(chosen.depth, chosen.size, chosen.seed)
    rows = measure(volume, chosen.methods, chosen.steps)
    print(table(rows))
    if chosen.json:
        chosen_facts = {"size": chosen.size, "depth": chosen.depth, "seed": chosen.seed}
        content = {"machine": about, **chosen_facts, "rows": [asdict(row) for row in rows]}
        chosen.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

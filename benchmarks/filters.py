"""Speed of the denoisers, beside the usual way to write them with unfold.

Run ``python benchmarks/filters.py --sizes 64 128``. Each filter is timed on cubes of noise as one call
and, for whole tomograms, as the task that the program runs (blocks with a halo). The unfold version
is timed in the same run, and its result must agree, so that the ratio means something on any machine.
"""

# ruff: noqa: TID253
from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from napari_voxuda.app.denoise.task import denoise_task
from napari_voxuda.app.device import resolve_device
from napari_voxuda.app.jobs import DenoiseJob
from napari_voxuda.data.volume import Volume
from napari_voxuda.method import (
    DenoiseSettings,
    bilateral_filter,
    gaussian_kernel,
    improved_bilateral_filter,
    laplacian_gradient,
    ngm_denoise,
)

Run = Callable[[], object]
METHODS = ("bilateral", "ibf", "ngm")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measurement: median over the repeats, and how it compares with the unfold version."""

    method: str
    size: int
    variant: str
    seconds: float
    mvoxel_per_second: float
    ratio_to_unfold: float | None


def windows(padded: torch.Tensor) -> torch.Tensor:
    """Return the 27 neighbours of every voxel of a padded (d, h, w) tensor as (27, ...) copies."""
    unfolded = padded.unfold(-3, 3, 1).unfold(-3, 3, 1).unfold(-3, 3, 1)
    return unfolded.reshape(*unfolded.shape[:3], 27).movedim(-1, 0).contiguous()


def replicated(volume: torch.Tensor) -> torch.Tensor:
    """Return a (d, h, w) volume with its border repeated once on each side."""
    return F.pad(volume[None, None], (1,) * 6, mode="replicate")[0, 0]


def unfold_bilateral(volume: torch.Tensor, sigma_range: float = 1.2) -> torch.Tensor:
    """Filter with Eq. (8), all 27 neighbours at once, spatial weights left out (sigma_d is wide)."""
    neighbours = windows(replicated(volume))
    weights = gaussian_kernel(neighbours - volume, sigma_range)
    return (weights * neighbours).sum(0) / weights.sum(0)


def unfold_improved(volume: torch.Tensor, sigma_range: float = 1.2) -> torch.Tensor:
    """Filter with Eq. (14), all 27 neighbours at once, spatial weights left out."""
    low, high = volume.min(), volume.max()
    padded = replicated(volume)
    square = torch.zeros((), device=volume.device)
    for component in laplacian_gradient((padded - low) / (high - low)):
        square = square + (windows(component) - component[1:-1, 1:-1, 1:-1]).square()
    weights = gaussian_kernel(square.sqrt(), sigma_range)
    return (weights * windows(padded)).sum(0) / weights.sum(0)


def timed(run: Run, repeats: int, device: torch.device) -> float:
    """Return the median seconds of a call, after one call that does not count."""
    run()
    seconds = []
    for _ in range(repeats):
        _wait(device)
        start = time.perf_counter()
        run()
        _wait(device)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def measure(method: str, size: int, repeats: int, seed: int, device: torch.device) -> list[Row]:
    """Time one filter on one cube in every variant; refuse variants that disagree."""
    generator = torch.Generator().manual_seed(seed)
    volume = torch.randn((size,) * 3, generator=generator).to(device)
    functions = {
        "bilateral": (bilateral_filter, unfold_bilateral),
        "ibf": (improved_bilateral_filter, unfold_improved),
        "ngm": (ngm_denoise, None),
    }
    function, unfolded = functions[method]
    whole = Volume(data=volume.cpu().numpy())
    settings = DenoiseSettings(method=method)  # type: ignore[arg-type]
    job = DenoiseJob(volume=whole, settings=settings, device=device.type)  # type: ignore[arg-type]
    variants: dict[str, Run] = {
        "function": lambda: function(volume),
        "task in blocks" if method != "ngm" else "task": lambda: list(denoise_task(job)),
    }
    if unfolded is not None:
        difference = float((unfolded(volume) - function(volume)).abs().max())
        if difference > 1e-3:
            raise ValueError(f"{method}: function and unfold version differ by {difference:g}.")
        variants["unfold"] = lambda: unfolded(volume)
    seconds = {name: timed(run, repeats, device) for name, run in variants.items()}
    slowest = seconds.get("unfold")
    return [
        Row(
            method=method,
            size=size,
            variant=name,
            seconds=value,
            mvoxel_per_second=size**3 / value / 1e6,
            ratio_to_unfold=slowest / value if slowest else None,
        )
        for name, value in seconds.items()
    ]


def machine(device: torch.device) -> dict[str, object]:
    """Say what kind of machine the numbers come from."""
    kind = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return {
        "device": kind,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def table(rows: list[Row]) -> str:
    """Return the measurements as a Markdown table."""
    lines = ["| filter | cube | variant | Mvoxel/s | times unfold |", "|---|---|---|---|---|"]
    for row in rows:
        ratio = "" if row.ratio_to_unfold is None else f"{row.ratio_to_unfold:.1f}"
        lines.append(
            f"| {row.method} | {row.size}³ | {row.variant} | {row.mvoxel_per_second:.1f} | {ratio} |"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Measure, print the table, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128], help="edges in voxels")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--repeats", type=int, default=5, help="timed calls; the median counts")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("--threads", type=int, help="of torch; all by default")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="cpu")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    chosen = parser.parse_args(arguments)
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    device = resolve_device(chosen.device)
    about = machine(device)
    print(", ".join(f"{name} {value}" for name, value in about.items()), end="\n\n")
    rows = [
        row
        for method in chosen.methods
        for size in chosen.sizes
        for row in measure(method, size, chosen.repeats, chosen.seed, device)
    ]
    print(table(rows))
    if chosen.json:
        content = {"machine": about, "seed": chosen.seed, "rows": [asdict(row) for row in rows]}
        chosen.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()

"""Scores that need no network, to be put beside any score of a network.

Run ``python benchmarks/baselines.py --data FOLDER`` on a folder with ``ribosome70S/``,
``microtubule/`` and ``tomograms/``. The subtomograms hold centred particles, so that a centred
sphere would score well without looking: volume and mask are rolled together by a random offset
first. ``--rolled DIR`` writes the rolled pairs, for ``napari-voxuda segment`` and ``evaluate``.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from napari_voxuda.data.masks import as_mask
from napari_voxuda.data.volume import Volume
from napari_voxuda.io.folders import find_pairs
from napari_voxuda.io.mrc import read_mrc, write_mask, write_mrc
from napari_voxuda.scores.overlap import Confusion, mean_overlap, overlap

if TYPE_CHECKING:
    import torch

RADIUS = 8.0
LARGEST_OFFSET = 6
SIGMAS = (1.0, 1.5, 2.0, 3.0, 4.0)

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One baseline on one data set: means over its volumes."""

    data: str
    baseline: str
    iou: float
    dice: float
    volumes: int


def roll_pair(volume: Array, mask: Array, generator: torch.Generator) -> tuple[Array, Array]:
    """Roll a volume and its mask by one random offset of up to ±6 voxels along each axis."""
    import torch

    offset = torch.randint(-LARGEST_OFFSET, LARGEST_OFFSET + 1, (3,), generator=generator).tolist()
    return np.roll(volume, offset, (0, 1, 2)), np.roll(mask, offset, (0, 1, 2))


def centred_sphere(shape: tuple[int, ...], radius: float = RADIUS) -> npt.NDArray[np.bool_]:
    """Return a sphere around the middle voxel ``n // 2``, radius in voxels."""
    z, y, x = np.ogrid[tuple(slice(-(n // 2), n - n // 2) for n in shape)]
    inside: npt.NDArray[np.bool_] = z**2 + y**2 + x**2 <= radius**2
    return inside


def otsu_threshold(values: Array, bins: int = 256) -> float:
    """Return the threshold that maximises the variance between two classes (Otsu 1979)."""
    counts, edges = np.histogram(values, bins)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = counts.sum() - below
    total = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (total / below - (total[-1] - total) / above) ** 2
    return float(edges[1 + np.nanargmax(between[:-1])])


def oracle_threshold(values: Array, truth: Array) -> float:
    """Return the threshold with the largest Dice score, knowing the truth."""
    order = np.argsort(-values, axis=None)
    hits = np.cumsum(truth.ravel()[order] > 0)
    sizes = np.arange(1, values.size + 1)
    best = int(np.argmax(2 * hits / (sizes + hits[-1])))
    return float(values.ravel()[order[best]])


def gaussian_masks(volume: Array, truth: Array, sigma: float) -> dict[str, npt.NDArray[np.bool_]]:
    """Return masks of the smoothed, protein-bright volume for each way to threshold it."""
    smooth = gaussian_filter(np.asarray(volume, dtype=np.float32), sigma)
    fraction = float(np.mean(truth > 0))
    return {
        "Otsu": smooth > otsu_threshold(smooth),
        "true fraction": smooth >= np.quantile(smooth, 1 - fraction),
        "oracle": smooth >= oracle_threshold(smooth, truth),
    }


def rows_of(data: str, pairs: list[tuple[Array, Array]], *, with_sphere: bool) -> Iterator[Row]:
    """Score every baseline on pairs of protein-bright volume and mask."""
    found: dict[str, list[Confusion]] = {}
    for volume, truth in pairs:
        masks = {"everything": np.ones(truth.shape, dtype=bool)}
        if with_sphere:
            masks[f"centred sphere, radius {RADIUS:g}"] = centred_sphere(truth.shape)
        for sigma in SIGMAS:
            for name, mask in gaussian_masks(volume, truth, sigma).items():
                masks[f"Gaussian {sigma:g} voxels, {name}"] = mask
        for name, mask in masks.items():
            found.setdefault(name, []).append(overlap(mask, truth).foreground)
    for name, confusions in found.items():
        iou, dice = mean_overlap(confusions)
        yield Row(data=data, baseline=name, iou=iou, dice=dice, volumes=len(confusions))


def subtomograms(folder: Path) -> list[tuple[Volume, Volume]]:
    """Read the pairs of a folder."""
    return [(read_mrc(a), as_mask(read_mrc(b))) for a, b in find_pairs(folder)]


def rolled(pairs: list[tuple[Volume, Volume]], seed: int) -> list[tuple[Volume, Volume]]:
    """Roll each pair by an offset of its own."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    out = []
    for volume, mask in pairs:
        values, labels = roll_pair(volume.data, mask.data, generator)
        out.append((volume.with_data(values), mask.with_data(labels)))
    return out


def write_rolled(pairs: list[tuple[Volume, Volume]], out: Path) -> None:
    """Write the pairs under their names into a new folder."""
    out.mkdir(parents=True)
    for volume, mask in pairs:
        write_mrc(out / f"{volume.name}.mrc", volume)
        write_mask(out / f"{mask.name}.mrc", mask)


def all_rows(data: Path, seed: int) -> Iterator[Row]:
    """Score the baselines on every data set."""
    pairs = subtomograms(data / "ribosome70S")
    moved = rolled(pairs, seed)
    for name, chosen in (("70S ribosomes, centred", pairs), ("70S ribosomes, rolled", moved)):
        arrays = [(volume.data, mask.data) for volume, mask in chosen]
        yield from rows_of(name, arrays, with_sphere=True)
    tube = data / "microtubule"
    for name in ("wall", "tube"):
        pair = _pair(tube / "13pf_MT.mrc", tube / f"13pf_MT_{name}mask.mrc")
        yield from rows_of(f"microtubule, {name}", [pair], with_sphere=False)
    volume, mask = _pair(data / "tomograms" / "scene.mrc", data / "tomograms" / "scene_mask.mrc")
    yield from rows_of("simulated tomogram", [(-volume, mask)], with_sphere=False)


def markdown(rows: list[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| data | volumes | baseline | IoU | Dice |", "|---|---|---|---|---|"]
    lines += [
        f"| {r.data} | {r.volumes} | {r.baseline} | {r.iou:.3f} | {r.dice:.3f} |" for r in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    default = os.environ.get("VOXUDA_SHARED_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default), help="folder of data sets")
    parser.add_argument("--seed", type=int, default=0, help="of the offsets (default: 0)")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument("--rolled", type=Path, help="write the rolled pairs to this new folder")
    given = parser.parse_args()
    if given.rolled is not None:
        write_rolled(rolled(subtomograms(given.data / "ribosome70S"), given.seed), given.rolled)
    rows = list(all_rows(given.data, given.seed))
    if given.json is not None:
        values = {"seed": given.seed, "rows": [vars(row) for row in rows]}
        given.json.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    print(markdown(rows), end="")


def _pair(volume: Path, mask: Path) -> tuple[Array, Array]:
    return np.asarray(read_mrc(volume).data, dtype=np.float32), as_mask(read_mrc(mask)).data


if __name__ == "__main__":
    main()

"""What is adapted to, what is segmented, and the truth that scores it.

======================  =====================================================================
``subtomograms``        simulated, three classes, off the centre, with neighbours
``tomogram``            simulated, the whole volume
``scene``               a tomogram from another simulator, protein dark, the whole volume
``microtubule``         a real tomogram; the truth is the tube's wall
``ribosomes``           real subtomograms of one tomogram, rolled off the centre
``ribosomes-unseen``    the same, adapted to the other tomogram's subtomograms
======================  =====================================================================

The split ``dev`` holds what settings may be chosen on: simulated data of its own seeds, and the ribosomes
of tomogram Unt_050. ``final`` holds other seeds, those of Unt_076, and the two tomograms.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.baselines import rolled, subtomograms, write_rolled
from napari_voxuda.errors import InputError
from napari_voxuda.io.mrc import write_mask, write_mrc

from . import scenes
from .scenes import Split
from .tiers import Tier

__all__ = ["TARGETS", "Target", "make_target", "target_names"]

_SIMULATED = ("subtomograms", "tomogram")
_REAL = ("scene", "microtubule", "ribosomes", "ribosomes-unseen")
TARGETS = (*_SIMULATED, *_REAL)
_DEV = ("subtomograms", "tomogram", "ribosomes", "ribosomes-unseen")
_TOMOGRAMS = {"dev": ("Unt_050", "Unt_076"), "final": ("Unt_076", "Unt_050")}
"""By split: the tomogram whose ribosomes are scored, and the other one."""

_ROLLS = 8


@dataclass(frozen=True, kw_only=True)
class Target:
    """One data set for one seed.

    Parameters
    ----------
    name : str
        As in ``--targets``.
    seed : int
        Of its content, or of the offsets by which it is rolled.
    adapt_to, segment, truth : Path
        What the adaptation sees, what is segmented, and the truth: files, or folders.
    contrast : str
        ``"bright"`` or ``"dark"``.
    labelled : Path or None
        A folder of other volumes of the same kind with truth, protein bright, for the supervised row.
    classes : dict
        Of a folder: class by beginning of the file name.
    particles : tuple
        Of a tomogram: class and position (z, y, x) of each molecule.
    facts : dict
        What the data depend on, beside the seed.
    """

    name: str
    seed: int
    adapt_to: Path
    segment: Path
    truth: Path
    contrast: str
    labelled: Path | None = None
    classes: dict[str, str] = field(default_factory=dict)
    particles: tuple[tuple[str, tuple[float, float, float]], ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def is_folder(self) -> bool:
        """Whether it is a set of subtomograms."""
        return self.segment.is_dir()


def target_names(split: Split, data: Path | None) -> tuple[str, ...]:
    """Return the targets that a split has, given a folder of real data or none."""
    names = _DEV if split == "dev" else TARGETS
    return tuple(n for n in names if n in _SIMULATED or data is not None)


def make_target(
    name: str,
    split: Split,
    seed: int,
    tier: Tier,
    work: Path,
    *,
    data: Path | None = None,
    files: tuple[str, ...] = (),
) -> Target:
    """Write a target's files for a seed, or find those of an earlier run.

    Parameters
    ----------
    name : str
        One of `target_names`.
    split : {"dev", "final"}
        Which data.
    seed : int
        Of its content, or of the offsets by which it is rolled.
    tier : Tier
        Its size.
    work : Path
        Folder for the files.
    data : Path or None
        Folder with ``ribosome70S``, ``microtubule`` and ``tomograms``.
    files : tuple of str
        Maps or structures of the simulated molecules; phantoms without.

    Raises
    ------
    InputError
        When the split does not have the target, or its data are not at hand.
    """
    if name not in target_names(split, data):
        why = "it is in the split final alone" if name in TARGETS and data else "give --data FOLDER"
        raise InputError(f"transfer: the target {name!r} is not at hand; {why}.")
    if name in _SIMULATED:
        return _simulated(name, split, seed, tier, work, files)
    real = Path(data or "")
    if name == "scene":
        return _scene(real / "tomograms", seed)
    if name == "microtubule":
        folder = real / "microtubule"
        tomogram = folder / "13pf_MT.mrc"
        return Target(
            name=name,
            seed=seed,
            adapt_to=tomogram,
            segment=tomogram,
            truth=folder / "13pf_MT_wallmask.mrc",
            contrast="bright",
        )
    return _ribosomes(name, split, seed, real / "ribosome70S", work)


def _simulated(
    name: str, split: Split, seed: int, tier: Tier, work: Path, files: tuple[str, ...]
) -> Target:
    facts = scenes.facts(split, tier, files)
    folder = work / f"{name}-{split}-{tier.name}-{seed}"
    if not _is_complete(folder, facts):
        (_write_subtomograms if name == "subtomograms" else _write_tomogram)(
            folder, split, seed, tier, files
        )
        _complete(folder, facts)
    shared = {"name": name, "seed": seed, "labelled": folder / "labelled", "facts": facts}
    if name == "subtomograms":
        found = folder / "target"
        return Target(
            adapt_to=found,
            segment=found,
            truth=found,
            contrast="bright",
            classes={c: c for c in scenes.CLASSES},
            **shared,
        )
    particles = json.loads((folder / "particles.json").read_text())
    return Target(
        adapt_to=folder / "tomogram.mrc",
        segment=folder / "tomogram.mrc",
        truth=folder / "truth.mrc",
        contrast="dark",
        particles=tuple((kind, tuple(centre)) for kind, centre in particles),
        **shared,
    )


def _write_subtomograms(
    folder: Path, split: Split, seed: int, tier: Tier, files: tuple[str, ...]
) -> None:
    for role, name in (("target", "target"), ("training", "labelled")):
        made = scenes.scenes(split, seed, role, tier, files)
        first = scenes.scene_seeds(split, seed, role)[0]
        scenes.write_boxes(made, folder / name, tier, first, files)


def _write_tomogram(
    folder: Path, split: Split, seed: int, tier: Tier, files: tuple[str, ...]
) -> None:
    folder.mkdir(parents=True)
    scene = next(iter(scenes.scenes(split, seed, "target", tier, files)))
    write_mrc(folder / "tomogram.mrc", scene.volume)
    write_mask(folder / "truth.mrc", scene.mask)
    places = [(scenes.class_of(p.kind, files), p.centre) for p in scene.particles]
    (folder / "particles.json").write_text(json.dumps(places))
    others = scenes.scenes(split, seed, "training", tier, files)
    first = scenes.scene_seeds(split, seed, "training")[0]
    scenes.random_boxes(others, folder / "labelled", tier, first)


def _scene(folder: Path, seed: int) -> Target:
    with (folder / "scene_particles.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return Target(
        name="scene",
        seed=seed,
        adapt_to=folder / "scene.mrc",
        segment=folder / "scene.mrc",
        truth=folder / "scene_mask.mrc",
        contrast="dark",
        particles=tuple(
            (row["molecule"], (float(row["z"]), float(row["y"]), float(row["x"]))) for row in rows
        ),
    )


def _ribosomes(name: str, split: Split, seed: int, data: Path, work: Path) -> Target:
    """Roll the subtomograms of both tomograms; the truth of the other one may be learnt."""
    scored, other = _TOMOGRAMS[split]
    folder = work / f"ribosomes-{split}-{seed}"
    facts = {"split": split, "rolls": _ROLLS, "scored": scored}
    if not _is_complete(folder, facts):
        pairs = subtomograms(data)
        groups = {t: [p for p in pairs if p[0].name.startswith(t)] for t in (scored, other)}
        for tomogram, group in groups.items():
            write_rolled(rolled(group, seed), folder / tomogram)
        for number in range(_ROLLS):
            part = folder / f"roll-{number}"
            write_rolled(rolled(groups[other], 1000 * (seed + 1) + number), part)
            _gather(part, folder / "labelled", f"roll{number}_")
        _complete(folder, facts)
    return Target(
        name=name,
        seed=seed,
        adapt_to=folder / (other if name.endswith("unseen") else scored),
        segment=folder / scored,
        truth=folder / scored,
        contrast="bright",
        labelled=folder / "labelled",
        facts=facts,
    )


def _gather(part: Path, folder: Path, prefix: str) -> None:
    folder.mkdir(exist_ok=True)
    for path in _files(part):
        path.rename(folder / f"{prefix}{path.name}")
    part.rmdir()


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.iterdir())


def _is_complete(folder: Path, facts: dict[str, Any]) -> bool:
    """Whether an earlier run wrote all files of these facts; others of ours are removed."""
    mark = folder / "complete.json"
    if mark.is_file() and json.loads(mark.read_text()) == facts:
        return True
    shutil.rmtree(folder, ignore_errors=True)
    return False


def _complete(folder: Path, facts: dict[str, Any]) -> None:
    (folder / "complete.json").write_text(json.dumps(facts))

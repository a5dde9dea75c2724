"""Results on disk: one JSON file, written anew after each run, so that nothing done is done again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from napari_voxuda._params import to_dict
from napari_voxuda.errors import FileFormatError
from napari_voxuda.io.atomic import atomic_path
from napari_voxuda.segmentation.settings import SegmentSettings

from .rows import Plan, Row
from .targets import Target
from .tiers import Tier

__all__ = ["Result", "Store", "fingerprint"]

_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Result:
    """One row on one target with one seed.

    Parameters
    ----------
    tier, split, target, table, row, title : str
        Where it belongs.
    seed : int
        Of the target and of the training.
    fingerprint : str
        What settings, source and target were, whatever the seed.
    truth : str
        Checksum of the truth that it was scored on, see `measure.truth_checksum`; empty in results of before.
    iou, dice : float
        Means over the subtomograms, or of the whole tomogram, in [0, 1].
    classes : dict
        By class: ``[IoU, Dice]``.
    seconds_per_step, seconds : float
        A step of the training at its end, and the whole run.
    failure : str
        Why there is no mask; the scores are then 0.
    machine : str
        Where it ran.
    """

    tier: str
    split: str
    target: str
    table: str
    row: str
    title: str
    seed: int
    fingerprint: str
    truth: str = ""
    iou: float
    dice: float
    classes: dict[str, list[float]] = field(default_factory=dict)
    seconds_per_step: float = 0.0
    seconds: float = 0.0
    failure: str = ""
    machine: str = ""


def fingerprint(row: Row, target: Target, tier: Tier) -> str:
    """Return a short hash of all that a result depends on but the seed.

    Two rows of the same training share it, and then one run serves both.
    """
    plan = None if row.plan is None else row.plan(tier)
    values: dict[str, Any] = {"target": target.name, "facts": target.facts}
    values |= {"row": row.name} if plan is None else _plan_facts(plan)
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plan_facts(plan: Plan) -> dict[str, Any]:
    source = None if plan.source is None else to_dict(plan.source)
    facts: dict[str, Any] = {"settings": to_dict(plan.settings), "source": source}
    if plan.segment != SegmentSettings():
        facts["segment"] = to_dict(plan.segment)
    return facts


class Store:
    """The results of a file, old and new.

    Parameters
    ----------
    path : Path
        The file; read if it exists.

    Raises
    ------
    FileFormatError
        When the file holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.results: list[Result] = []
        if path.is_file():
            self.results = _read(path)

    def find(self, mark: str, seed: int, truth: str) -> Result | None:
        """Return the result of this fingerprint and seed on this truth, if there is one."""
        wanted = (mark, seed, truth)
        found = (r for r in self.results if (r.fingerprint, r.seed, r.truth) == wanted)
        return next(found, None)

    def add(self, result: Result) -> None:
        """Take the place of what this row had for this seed with the same settings, and save."""
        same = (result.tier, result.split, result.target, result.row, result.seed)
        self.results = [
            r
            for r in self.results
            if ((r.tier, r.split, r.target, r.row, r.seed), r.fingerprint)
            != (same, result.fingerprint)
        ]
        self.results.append(result)
        values = {"format": _FORMAT, "results": [asdict(r) for r in self.results]}
        with atomic_path(self.path) as temporary:
            temporary.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")

    def reuse(self, found: Result, result: Result) -> None:
        """Store `found` under the names of `result`, if it does not stand there already."""
        names = ("tier", "split", "target", "table", "row", "title")
        if any(getattr(found, name) != getattr(result, name) for name in names):
            self.add(replace(found, **{name: getattr(result, name) for name in names}))


def _read(path: Path) -> list[Result]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] != _FORMAT:
            raise ValueError(f"format {values['format']}")
        return [Result(**result) for result in values["results"]]
    except (ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            f"{path}: results of this benchmark were wanted, but the file cannot be read as such "
            f"({error}). Choose another file."
        ) from error

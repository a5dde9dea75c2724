"""The rows of the tables: rivals, presets, bounds and ablations, each as settings of one training."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from napari_voxuda._params import from_dict, to_dict
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.errors import InputError
from napari_voxuda.segmentation.settings import SegmentSettings
from napari_voxuda.simulation.settings import SourceSettings

from .tiers import Tier

__all__ = ["ABLATIONS", "ROWS", "Plan", "Row", "ablation_rows", "changed_row"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A training, and how its masks are made.

    Parameters
    ----------
    settings : AdaptSettings
        Network, losses and schedule.
    source : SourceSettings or None
        The simulated source; None for the labelled volumes of the target's own kind.
    segment : SegmentSettings
        How the masks are made.
    """

    settings: AdaptSettings
    source: SourceSettings | None
    segment: SegmentSettings = field(default_factory=SegmentSettings)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a table.

    Parameters
    ----------
    name, title : str
        As in ``--rows``, and as in the table.
    plan : callable or None
        Makes the training for a tier; None for a baseline without a network.
    table : str
        ``"main"``, or the ablation that it belongs to.
    """

    name: str
    title: str
    plan: Callable[[Tier], Plan] | None = None
    table: str = "main"


def _random(tier: Tier) -> SourceSettings:
    return SourceSettings(count=tier.source_count, box=tier.box)


def _published(tier: Tier) -> SourceSettings:
    return SourceSettings.paper(count=tier.source_count, box=tier.box)


def _rival(change: Callable[[AdaptSettings], AdaptSettings], source: Any) -> Callable[[Tier], Plan]:
    def plan(tier: Tier) -> Plan:
        return Plan(settings=change(tier.settings), source=source and source(tier))

    return plan


def _calibrated(
    name: str, title: str, change: Callable[[AdaptSettings], AdaptSettings], source: Any
) -> Row:
    """Return a rival whose threshold is chosen without labels, for each subtomogram its own."""
    return Row(
        name=f"{name}-calibrated",
        title=f"{title}, threshold chosen as in `default`",
        plan=_rival(lambda settings: replace(change(settings), calibrate=True), source),
    )


def _everything_on(settings: AdaptSettings, denoiser: str = "ngm") -> AdaptSettings:
    """Return the settings with every component of the method, as Vox-UDA has them."""
    return replace(
        settings,
        noise="spectrum" if settings.noise == "none" else settings.noise,
        pseudo_labels="balanced" if settings.pseudo_labels == "none" else settings.pseudo_labels,
        teacher_input="denoised",
        denoise=replace(settings.denoise, method=denoiser),
        consistency="features",
        consistency_weight=1.0,
        discriminator_weight=1.0,
    )


def _vox_uda(denoiser: str) -> Callable[[Tier], Plan]:
    return _rival(lambda settings: _everything_on(settings, denoiser), _random)


def _paper(tier: Tier) -> Plan:
    """Return the literal preset and source, in the size and the steps of the tier."""
    base = tier.settings
    settings = AdaptSettings.preset(
        "paper",
        steps=base.steps,
        batch=base.batch,
        network=base.network,
        checkpoint_every=base.checkpoint_every,
    )
    return Plan(settings=settings, source=_published(tier))


def _preset(name: str) -> Callable[[Tier], Plan]:
    return lambda tier: Plan(settings=tier.preset(name), source=_random(tier))


ROWS = {
    row.name: row
    for row in (
        Row(name="sphere", title="sphere of 8 voxels in the middle"),
        Row(name="otsu", title="Gaussian of 2 voxels + Otsu"),
        Row(name="oracle", title="best Gaussian + oracle threshold"),
        Row(
            name="source-only-A",
            title="source only, source A",
            plan=_rival(AdaptSettings.source_only, _published),
        ),
        Row(
            name="source-only",
            title="source only, random source",
            plan=_rival(AdaptSettings.source_only, _random),
        ),
        Row(name="dann-A", title="DANN, source A", plan=_rival(AdaptSettings.dann, _published)),
        Row(name="dann", title="DANN, random source", plan=_rival(AdaptSettings.dann, _random)),
        Row(name="asc-A", title="ASC, source A", plan=_rival(AdaptSettings.asc, _published)),
        Row(name="asc", title="ASC, random source", plan=_rival(AdaptSettings.asc, _random)),
        _calibrated(
            "source-only-A", "source only, source A", AdaptSettings.source_only, _published
        ),
        _calibrated("dann-A", "DANN, source A", AdaptSettings.dann, _published),
        _calibrated("asc-A", "ASC, source A", AdaptSettings.asc, _published),
        Row(name="paper", title="preset `paper`, source A", plan=_paper),
        Row(name="voxuda-ngm", title="Vox-UDA, NGM denoiser", plan=_vox_uda("ngm")),
        Row(name="voxuda-bf", title="Vox-UDA, BF", plan=_vox_uda("bilateral")),
        Row(name="voxuda-ibf", title="Vox-UDA, IBF", plan=_vox_uda("ibf")),
        Row(name="fast", title="preset `fast`", plan=_preset("fast")),
        Row(name="default", title="preset `default`", plan=_preset("default")),
        Row(
            name="supervised",
            title="fully supervised",
            plan=_rival(AdaptSettings.source_only, None),
        ),
        _calibrated("supervised", "fully supervised", AdaptSettings.source_only, None),
    )
}
"""Every row of the main table by name."""

_SOURCE, _SEGMENT = "source.", "segment."
_PUBLISHED_NOISE = {"noise_base": "noisy"}
_CLEAN_NOISE = {"noise_base": "clean"}

ABLATIONS: dict[str, dict[str, dict[str, Any]]] = {
    "components": {
        "everything on": {},
        "no noise match": {"noise": "none"},
        "no pseudo-labels": {"pseudo_labels": "none"},
        "no consistency": {"consistency_weight": 0.0},
        "no discriminator": {"discriminator_weight": 0.0},
        "no calibration": {"calibrate": False},
        "no augmentation": {"augment": False},
    },
    "denoiser": {
        "NGM": {},
        "BF": {"denoise.method": "bilateral"},
        "IBF": {"denoise.method": "ibf"},
        "none": {"teacher_input": "raw"},
    },
    "samples": {f"N = {n}": {"noise_samples": n} for n in (5, 10, 15, 20)},
    "rho": {
        f"rho = {rate:.1%}": {
            **_PUBLISHED_NOISE,
            "noise": "ngm",
            "noise_pass_fraction": rate,
            "denoise.pass_fraction": rate,
        }
        for rate in (0.084, 0.178, 0.244, 0.422)
    },
    "lambda": {
        f"lambda = {' '.join(map(str, weights))}": {"consistency_lambda": weights}
        for weights in (
            (0.25, 0.25, 0.25, 0.25),
            (0.2, 0.2, 0.3, 0.3),
            (0.3, 0.3, 0.2, 0.2),
            (0.1, 0.2, 0.3, 0.4),
        )
    },
    "sigma-d": {
        f"sigma_d = {s}": {"denoise.method": "ibf", "denoise.sigma_domain": float(s)}
        for s in (100, 120, 140, 160)
    },
    "sigma-r": {
        f"sigma_r = {s}": {"denoise.method": "ibf", "denoise.sigma_range": s}
        for s in (0.8, 1.0, 1.2, 1.4)
    },
    "noise": {
        "Gaussian (NGM)": {**_PUBLISHED_NOISE, "noise": "ngm"},
        "Poisson": {**_PUBLISHED_NOISE, "noise": "poisson"},
        "speckle": {**_PUBLISHED_NOISE, "noise": "speckle"},
        "Gaussian, calibrated": {**_CLEAN_NOISE, "noise": "calibrated"},
        "target's spectrum": {**_CLEAN_NOISE, "noise": "spectrum"},
    },
}
"""By ablation and value: what changes in the training with everything on."""


def ablation_rows(names: tuple[str, ...]) -> Iterator[Row]:
    """Yield the rows of some ablations; all start from Vox-UDA with the NGM denoiser."""
    for table in names:
        for title, changes in ABLATIONS[table].items():
            plan = _rival(_changer(changes), _random)
            yield Row(name=f"{table}: {title}", title=title, plan=plan, table=table)


def changed_row(row: Row, changes: list[str]) -> Row:
    """Return a row with single settings changed, each given as ``name=value``.

    Values are JSON; what is no JSON is a word. ``denoise.`` and ``network.`` reach nested settings,
    ``source.`` those of the simulated source, and ``segment.`` those of the masks.

    Raises
    ------
    InputError
        When a setting of the source is to change in a row that has no simulated source.
    """
    if row.plan is None or not changes:
        return row
    values = dict(_parsed(change) for change in changes)
    of_source, of_masks = _taken(values, _SOURCE), _taken(values, _SEGMENT)
    make = row.plan

    def plan(tier: Tier) -> Plan:
        made = make(tier)
        source = made.source
        if of_source and source is None:
            raise InputError(f"{row.name}: this row has no simulated source to change.")
        if source is not None:
            source = from_dict(SourceSettings, {**to_dict(source), **of_source})
        return Plan(
            settings=_with(made.settings, values),
            source=source,
            segment=from_dict(SegmentSettings, {**to_dict(made.segment), **of_masks}),
        )

    text = ", ".join(changes)
    return Row(name=f"{row.name}, {text}", title=f"{row.title}, {text}", plan=plan)


def _taken(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Take those whose names begin with a prefix out of the values, and return them without it."""
    names = [name for name in values if name.startswith(prefix)]
    return {name.removeprefix(prefix): values.pop(name) for name in names}


def _changer(changes: dict[str, Any]) -> Callable[[AdaptSettings], AdaptSettings]:
    return lambda settings: _with(_everything_on(settings), changes)


def _with(settings: AdaptSettings, changes: dict[str, Any]) -> AdaptSettings:
    values = to_dict(settings)
    for name, value in changes.items():
        group, dot, inner = name.partition(".")
        (values[group] if dot else values)[inner or name] = value
    return from_dict(AdaptSettings, values)


def _parsed(change: str) -> tuple[str, Any]:
    name, _, text = change.partition("=")
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text

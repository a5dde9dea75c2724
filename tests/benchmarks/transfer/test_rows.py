"""The rows: what each rival trains on, and what each ablation changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from benchmarks.transfer.rows import ABLATIONS, ROWS, Plan, Row, ablation_rows, changed_row
from benchmarks.transfer.tiers import TIERS, Tier

from napari_voxuda._params import to_dict
from napari_voxuda.adaptation.settings import PRESETS, AdaptSettings
from napari_voxuda.errors import InputError
from napari_voxuda.segmentation.settings import SegmentSettings


def plan_of(row: Row, tier: Tier) -> Plan:
    assert row.plan is not None
    return row.plan(tier)


@pytest.mark.parametrize("tier", TIERS.values(), ids=TIERS)
def test_every_row_has_settings_in_every_tier(tier: Tier) -> None:
    for row in [*ROWS.values(), *ablation_rows(tuple(ABLATIONS))]:
        if row.plan is not None:
            assert row.plan(tier).settings.steps > 0
    assert set(tier.rows) <= set(ROWS)


def test_the_rivals_train_on_the_published_source_and_on_ours(smoke: Tier) -> None:
    for name in ("source-only", "dann", "asc"):
        published = plan_of(ROWS[f"{name}-A"], smoke)
        ours = plan_of(ROWS[name], smoke)
        assert published.source is not None
        assert ours.source is not None
        assert (published.source.variety, published.source.group) == ("fixed", "A")
        assert ours.source.variety == "random"
        assert published.settings == ours.settings
    assert plan_of(ROWS["supervised"], smoke).source is None


@pytest.mark.parametrize("name", ["source-only-A", "dann-A", "asc-A", "supervised"])
def test_a_calibrated_rival_differs_in_its_threshold_alone(name: str, smoke: Tier) -> None:
    rival, calibrated = plan_of(ROWS[name], smoke), plan_of(ROWS[f"{name}-calibrated"], smoke)
    assert calibrated.source == rival.source
    assert not rival.settings.calibrate
    assert calibrated.settings == replace(rival.settings, calibrate=True)


def test_all_rivals_train_as_long_as_ours() -> None:
    cpu = TIERS["cpu"]
    ours = AdaptSettings.preset("default")
    for row in ROWS.values():
        if row.plan is not None and row.name != "fast":
            settings = row.plan(cpu).settings
            assert (settings.steps, settings.batch) == (ours.steps, ours.batch)
            assert settings.network == ours.network


def test_the_presets_are_taken_as_they_are_when_they_run(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned = AdaptSettings.preset("fast", ema_decay=0.5)
    monkeypatch.setitem(PRESETS, "fast", tuned)
    assert plan_of(ROWS["fast"], TIERS["cpu"]).settings == tuned


@pytest.mark.parametrize(("row", "method"), [("ngm", "ngm"), ("bf", "bilateral"), ("ibf", "ibf")])
def test_vox_uda_has_every_component(row: str, method: str, smoke: Tier) -> None:
    settings = plan_of(ROWS[f"voxuda-{row}"], smoke).settings
    assert settings.denoise.method == method
    assert settings.teacher_input == "denoised"
    assert settings.noise != "none"
    assert settings.pseudo_labels != "none"
    assert settings.consistency_weight == settings.discriminator_weight == 1


def test_the_paper_row_is_the_literal_preset_in_the_size_of_the_tier(smoke: Tier) -> None:
    settings, paper = plan_of(ROWS["paper"], smoke).settings, AdaptSettings.preset("paper")
    differing = {k for k, v in to_dict(settings).items() if v != to_dict(paper)[k]}
    assert differing == {"steps", "batch", "network", "checkpoint_every"}


def test_each_component_is_switched_off_alone(smoke: Tier) -> None:
    rows = list(ablation_rows(("components",)))
    everything = to_dict(plan_of(rows[0], smoke).settings)
    changed = [
        {k for k, v in to_dict(plan_of(row, smoke).settings).items() if v != everything[k]}
        for row in rows[1:]
    ]
    assert changed == [
        {"noise"},
        {"pseudo_labels"},
        {"consistency_weight"},
        {"discriminator_weight"},
        {"calibrate"},
        {"augment"},
    ]


def test_the_ablations_hold_the_values_of_the_paper(smoke: Tier) -> None:
    def values(table: str, name: str) -> list[object]:
        made = (to_dict(plan_of(row, smoke).settings) for row in ablation_rows((table,)))
        group, _, inner = name.partition(".")
        return [settings[group][inner] if inner else settings[group] for settings in made]

    assert values("samples", "noise_samples") == [5, 10, 15, 20]
    assert values("rho", "noise_pass_fraction") == [0.084, 0.178, 0.244, 0.422]
    assert values("rho", "denoise.pass_fraction") == [0.084, 0.178, 0.244, 0.422]
    assert values("sigma-d", "denoise.sigma_domain") == [100, 120, 140, 160]
    assert values("sigma-r", "denoise.sigma_range") == [0.8, 1.0, 1.2, 1.4]
    assert [0.2, 0.2, 0.3, 0.3] in values("lambda", "consistency_lambda")
    kinds = ["ngm", "poisson", "speckle", "calibrated", "spectrum"]
    assert values("noise", "noise") == kinds


def test_settings_of_the_source_are_changed_by_name(smoke: Tier) -> None:
    changes = ["source.gold_fraction=0.25", "steps=7"]
    made, before = (
        plan_of(changed_row(ROWS["default"], changes), smoke),
        plan_of(ROWS["default"], smoke),
    )
    assert made.settings.steps == 7
    assert before.source is not None
    assert made.source == replace(before.source, gold_fraction=0.25)
    with pytest.raises(InputError, match="supervised: this row has no simulated source"):
        plan_of(changed_row(ROWS["supervised"], changes), smoke)


def test_settings_of_the_masks_are_changed_by_name_and_make_another_result(smoke: Tier) -> None:
    row = changed_row(ROWS["default"], ["segment.roundness=0.25"])
    made, before = plan_of(row, smoke), plan_of(ROWS["default"], smoke)
    assert made == replace(before, segment=SegmentSettings(roundness=0.25))
    assert before.segment == SegmentSettings()


def test_single_settings_are_changed_by_name(smoke: Tier) -> None:
    changes = ["steps=7", "noise=calibrated", "denoise.method=ngm"]
    row = changed_row(ROWS["fast"], changes)
    settings = plan_of(row, smoke).settings
    assert (settings.steps, settings.noise, settings.denoise.method) == (7, "calibrated", "ngm")
    assert row.name == "fast, steps=7, noise=calibrated, denoise.method=ngm"
    assert changed_row(ROWS["otsu"], changes) is ROWS["otsu"]
    with pytest.raises(InputError, match="unknown setting 'step'"):
        plan_of(changed_row(ROWS["fast"], ["step=7"]), smoke)

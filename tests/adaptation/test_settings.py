"""Presets say what they promise; baselines switch everything off."""

from __future__ import annotations

import pytest

from napari_voxuda._params import from_dict, parameters, to_dict
from napari_voxuda.adaptation.settings import PRESETS, AdaptSettings
from napari_voxuda.errors import InputError


def test_paper_preset_is_literal() -> None:
    paper = AdaptSettings.preset("paper")
    assert (paper.batch, paper.learning_rate, paper.schedule) == (16, 1e-3, "step")
    assert paper.steps == 300 * 3000 // 16 + 150  # 188 steps an epoch, the last one not full
    assert (paper.network.stem, paper.network.body) == (32, 64)
    assert (paper.noise, paper.noise_samples, paper.noise_pass_fraction) == ("ngm", 10, 0.244)
    assert (paper.pseudo_labels, paper.confidence) == ("confident", 0.85)
    assert (paper.denoise.method, paper.denoise.sigma_domain, paper.denoise.sigma_range) == (
        "ibf",
        120.0,
        1.2,
    )
    assert paper.consistency_lambda == (0.2, 0.2, 0.3, 0.3)
    assert not paper.calibrate


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_their_json(name: str) -> None:
    preset = AdaptSettings.preset(name)
    assert from_dict(AdaptSettings, to_dict(preset)) == preset


def test_a_preset_takes_changes_and_refuses_unknown_names() -> None:
    assert AdaptSettings.preset("fast", steps=7).steps == 7
    with pytest.raises(InputError, match="one of fast, default, paper was wanted, got 'slow'"):
        AdaptSettings.preset("slow")


def test_source_only_looks_at_no_target() -> None:
    only = AdaptSettings.preset("default").source_only()
    assert (only.noise, only.pseudo_labels, only.calibrate) == ("none", "none", False)
    assert only.consistency_weight == only.discriminator_weight == 0
    dann = AdaptSettings.preset("default").dann()
    assert dann.discriminator_weight == 1
    assert (dann.noise, dann.pseudo_labels, dann.calibrate) == ("none", "none", False)


def test_asc_exchanges_appearances_and_does_nothing_else() -> None:
    asc = AdaptSettings.preset("default").asc()
    assert (asc.noise, asc.consistency, asc.consistency_weight) == ("exchange", "appearance", 1.0)
    assert (asc.discriminator_weight, asc.pseudo_labels, asc.calibrate) == (0.0, "none", False)


def test_snr_bounds_must_be_in_order() -> None:
    with pytest.raises(InputError, match="low, high was wanted"):
        AdaptSettings(snr=(0.3, 0.1))


def test_every_setting_explains_itself() -> None:
    assert all(len(p.help) > 15 for p in parameters(AdaptSettings).values())

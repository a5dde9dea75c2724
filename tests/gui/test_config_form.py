from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from napari_voxuda._params import param, parameters, validate
from napari_voxuda.adaptation.settings import PRESETS, AdaptSettings
from napari_voxuda.errors import InputError
from napari_voxuda.gui.config_form import ConfigForm
from napari_voxuda.gui.field import label_of
from napari_voxuda.method.denoising import DenoiseSettings
from napari_voxuda.networks.settings import NetworkSettings
from napari_voxuda.segmentation.settings import SegmentSettings
from napari_voxuda.simulation.scene import SceneSettings
from napari_voxuda.simulation.settings import SourceSettings

_CLASSES = [
    AdaptSettings,
    DenoiseSettings,
    NetworkSettings,
    SceneSettings,
    SegmentSettings,
    SourceSettings,
]


@dataclass(frozen=True, kw_only=True)
class Odd:
    """Every kind of setting."""

    tiny: float = param(1e-7, "Small.", minimum=0.0, maximum=1.0, step=0.1)
    maybe: float | None = param(None, "May be left out.", unit="Å", minimum=0.0)
    several: tuple[int, ...] = param((1, 2), "Any number.")
    names: tuple[str, ...] = param((), "Names.")
    switch: bool = param(True, "On.")
    text: str = param("a", "Text.", advanced=True)

    def __post_init__(self) -> None:
        validate(self)


@pytest.mark.parametrize("cls", _CLASSES, ids=lambda c: c.__name__)
def test_defaults_survive_the_form(qtbot, cls):
    form = ConfigForm(cls())
    qtbot.addWidget(form)
    assert form.value() == cls()


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_the_form(qtbot, name):
    form = ConfigForm(AdaptSettings())
    qtbot.addWidget(form)
    form.setValue(PRESETS[name])
    assert form.value() == PRESETS[name]


@pytest.mark.parametrize("cls", _CLASSES, ids=lambda c: c.__name__)
def test_values_that_need_all_their_decimals_survive(qtbot, cls):
    changes = {}
    for name, declared in parameters(cls).items():
        if declared.type is float:
            low = declared.minimum if declared.minimum is not None else 0.0
            high = declared.maximum if declared.maximum is not None else low + 1.0
            changes[name] = round(low + 0.6180339887 * min(high - low, 1.0), 7)
    config = replace(cls(), **changes)
    form = ConfigForm(cls())
    qtbot.addWidget(form)
    form.setValue(config)
    assert form.value() == config


def test_every_kind_of_setting_survives(qtbot):
    form = ConfigForm(Odd())
    qtbot.addWidget(form)
    config = Odd(tiny=2.5e-9, maybe=0.0, several=(3,), names=("a b", "c"), switch=False, text="x")
    form.setValue(config)
    assert form.value() == config
    form.setValue(Odd())
    assert form.value() == Odd()


def test_sliders_keep_values_beyond_their_reach(qtbot):
    form = ConfigForm(DenoiseSettings(), sliders=("sigma_range",))
    qtbot.addWidget(form)
    form.setValue(DenoiseSettings(sigma_range=99.37))
    assert form.value().sigma_range == 99.37
    slider = form.fields["sigma_range"]
    slider._slider.setValue(slider._slider.minimum())
    assert form.value().sigma_range == pytest.approx(1.2 / 8, rel=0.01)
    slider._reset.click()
    assert form.value().sigma_range == 1.2


def test_a_change_is_reported_once(qtbot):
    form = ConfigForm(DenoiseSettings(), sliders=("sigma_range",))
    qtbot.addWidget(form)
    changes = []
    form.valueChanged.connect(lambda: changes.append(form.value()))
    form.fields["sigma_range"].setValue(0.7)
    assert [c.sigma_range for c in changes] == [0.7]
    form.setValue(DenoiseSettings(sigma_range=0.9, pass_fraction=0.1))
    assert len(changes) == 2


def test_text_that_is_no_number_is_refused_in_words(qtbot):
    form = ConfigForm(SourceSettings())
    qtbot.addWidget(form)
    form.fields["snr"].setValue(("much",))
    with pytest.raises(InputError, match="much"):
        form.value()


def test_fields_say_what_they_are(qtbot):
    form = ConfigForm(DenoiseSettings(), sliders=("sigma_range",))
    qtbot.addWidget(form)
    for field in form.fields.values():
        assert field.declared.help in field.toolTip()
        assert field.focusProxy().accessibleName() == label_of(field.declared)
    assert "Default: 1.2." in form.fields["sigma_range"].toolTip()


def test_advanced_settings_are_folded_away(qtbot):
    form = ConfigForm(SegmentSettings())
    qtbot.addWidget(form)
    form.show()
    assert form.fields["threshold"].isVisible()
    assert not form.fields["halo"].isVisible()

from __future__ import annotations

import pytest

from napari_voxuda._params import from_dict, to_dict
from napari_voxuda.adaptation.refine_settings import RefineSettings
from napari_voxuda.errors import InputError


def test_settings_survive_json():
    settings = RefineSettings(steps=7, keep_weight=0.5)
    assert from_dict(RefineSettings, to_dict(settings)) == settings


def test_values_out_of_bounds_are_refused():
    with pytest.raises(InputError, match=r"RefineSettings.batch"):
        RefineSettings(batch=1)

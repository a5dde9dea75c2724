from __future__ import annotations

import pytest

from napari_voxuda._params import from_dict, parameters, to_dict
from napari_voxuda.errors import InputError
from napari_voxuda.segmentation.settings import SegmentSettings


def test_settings_survive_a_round_trip() -> None:
    settings = SegmentSettings(threshold=0.37, core=64, merge="blend", window="linear")
    assert from_dict(SegmentSettings, to_dict(settings)) == settings


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 1}, "batch: at least 2 was wanted, got 1"),
        ({"threshold": 1.5}, "threshold: at most 1 was wanted"),
        ({"merge": "max"}, "one of cores, blend was wanted, got 'max'"),
        ({"min_size_angstrom3": -1.0}, "at least 0 Å³ was wanted"),
    ],
)
def test_refused_settings(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SegmentSettings(**changes)


def test_every_setting_is_declared() -> None:
    assert set(parameters(SegmentSettings)) == set(to_dict(SegmentSettings()))

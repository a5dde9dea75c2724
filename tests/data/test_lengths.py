from __future__ import annotations

import pytest

from napari_voxuda.data.lengths import angstrom_per_unit


@pytest.mark.parametrize(
    ("unit", "angstrom"),
    [
        ("angstrom", 1.0),
        ("Å", 1.0),
        ("\u212b", 1.0),
        ("nm", 10.0),
        ("nanometer", 10.0),
        ("micrometer", 1e4),
        ("µm", 1e4),
        ("\u03bcm", 1e4),
        ("\\u00B5m", 1e4),
        ("micron", 1e4),
        ("millimeter", 1e7),
        ("meter", 1e10),
        ("inch", 2.54e8),
        (" Picometer ", 0.01),
    ],
)
def test_lengths_in_angstrom(unit, angstrom):
    assert angstrom_per_unit(unit) == pytest.approx(angstrom, rel=1e-12)


@pytest.mark.parametrize("unit", ["", "pixel", "second", "furlong"])
def test_what_is_no_length_that_is_known(unit):
    assert angstrom_per_unit(unit) is None

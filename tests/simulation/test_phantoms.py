from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.errors import InputError
from napari_voxuda.simulation.phantoms import GROUPS, PHANTOMS, phantom

KILODALTON = {
    "rubisco": 550,
    "atcase": 310,
    "clpp": 300,
    "shsp": 192,
    "citrate-synthase": 288,
    "ldh": 140,
    "ribosome": 3200,
    "proteasome": 2500,
    "chaperonin": 940,
}


@pytest.mark.parametrize("name", PHANTOMS)
def test_every_phantom_says_that_it_is_one(name: str) -> None:
    molecule = phantom(name)
    assert "phantom" in molecule.name
    assert "like" in molecule.name
    per_dalton = molecule.volume_angstrom3 / molecule.mass_dalton
    assert 1.0 < per_dalton <= 1.2101


@pytest.mark.parametrize(("name", "mass"), KILODALTON.items())
def test_masses_are_those_of_the_imitated_complexes(name: str, mass: float) -> None:
    assert phantom(name).mass_dalton == mass * 1000


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("rubisco", (110, 110, 110)),
        ("clpp", (95, 95, 95)),
        ("ribosome", (250, 240, 230)),
        ("proteasome-core", (150, 115, 115)),
        ("chaperonin", (160, 160, 160)),
        ("ferritin", (120, 120, 120)),
    ],
)
def test_sizes_are_those_of_the_imitated_complexes(
    name: str, size: tuple[float, float, float]
) -> None:
    points = phantom(name).points
    np.testing.assert_allclose(np.ptp(points, axis=0), size, rtol=0.15)


def test_a_name_always_gives_the_same_points() -> None:
    again = PHANTOMS["clpp"]
    first = phantom("clpp")
    phantom.cache_clear()
    np.testing.assert_array_equal(phantom("clpp").points, first.points)
    assert again is PHANTOMS["clpp"]


def test_the_groups_are_disjoint_and_leave_out_the_targets() -> None:
    assert len(GROUPS["A"]) == len(GROUPS["B"]) == 3
    assert not set(GROUPS["A"]) & set(GROUPS["B"])
    assert not {"ribosome", "proteasome", "chaperonin"} & {*GROUPS["A"], *GROUPS["B"]}


def test_an_unknown_phantom_is_refused_with_the_names_of_all() -> None:
    with pytest.raises(InputError, match=r"rubisco.*got 'unicorn'"):
        phantom("unicorn")

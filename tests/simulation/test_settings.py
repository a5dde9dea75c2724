from __future__ import annotations

import pytest

from napari_voxuda._params import from_dict, to_dict
from napari_voxuda.errors import InputError
from napari_voxuda.simulation.settings import SourceSettings


def test_settings_survive_json() -> None:
    settings = SourceSettings.paper(snr=(0.1,), group="B")
    assert from_dict(SourceSettings, to_dict(settings)) == settings


def test_the_published_source_is_the_papers() -> None:
    paper = SourceSettings.paper()
    assert (paper.kind, paper.variety, paper.group) == ("phantom", "fixed", "A")
    assert paper.snr == (0.03, 0.05)
    assert paper.snr_of == "box"
    assert paper.defocus_um == (5.0, 5.0)
    assert (paper.voltage_kv, paper.spherical_aberration_mm) == (300.0, 2.0)
    assert paper.tilt_range_deg == 60.0
    assert paper.neighbours == paper.fewest_neighbours == 4
    assert (paper.offset_voxels, paper.empty_fraction) == (8.0, 0.0)
    assert (paper.filament_fraction, paper.small_proteins) == (0.0, 0)
    assert (paper.gold_fraction, paper.membrane_fraction) == (0.0, 0.0)
    assert (paper.box, paper.voxel_size_angstrom, paper.count) == (32, 10.0, 3000)


def test_single_values_of_the_published_source_can_be_changed() -> None:
    assert SourceSettings.paper(snr=(0.1,), voxel_size_angstrom=13.6).snr == (0.1,)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"snr": ()}, "snr: at least one value"),
        ({"defocus_um": (6.0, 4.0)}, "defocus_um: .smallest, largest."),
        ({"files": ("a.mrc",)}, "none were wanted with kind 'phantom', got 'a.mrc'"),
        ({"kind": "maps"}, "at least one was wanted with kind 'maps'"),
        ({"kind": "dreams"}, "one of phantom, structures, pdb, maps, folder"),
        ({"box": 8}, "at least 16 voxels"),
        ({"snr": (0.0,)}, "at least 0.0001"),
    ],
)
def test_contradictions_are_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        SourceSettings(**values)  # type: ignore[arg-type]

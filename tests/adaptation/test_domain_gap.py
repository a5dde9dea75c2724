from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.adaptation.domain_gap import Domain, DomainGap
from napari_voxuda.adaptation.settings import AdaptSettings


def domain(power: list[float], density: list[float]) -> Domain:
    return Domain(
        power=np.array(power),
        density=np.array(density),
        spread=1.0,
        noise=1.0,
        image=np.zeros((4, 4), np.float32),
    )


def gap(source: Domain) -> DomainGap:
    return DomainGap(
        frequencies=np.array([0.1, 0.2, 0.4]),
        voxel_size_angstrom=8.0,
        edges=np.array([-1.0, 0.0, 1.0]),
        target=domain([100.0, 4.0, 1.0], [0.5, 0.5]),
        source=source,
        matched=None,
        signal=np.array([50.0, 0.0, 0.0]),
        noisy=np.array([False, True, True]),
        has_noisy_band=True,
        sigma_t=(0.1,),
        residual=np.zeros((4, 4), np.float32),
        settings=AdaptSettings(),
        contrast="bright",
        target_boxes=10,
        source_boxes=6,
    )


def test_amplitudes_are_compared_where_noise_dominates() -> None:
    source = domain([1.0, 1.0, 4.0], [0.5, 0.5])
    found = gap(source).compare(source)
    assert (found.lowest, found.highest) == (0.5, 2.0)
    assert (found.lowest_angstrom, found.highest_angstrom) == (40.0, 20.0)
    # Shells hold coefficients as the square of their frequency: 1 of power 4, 4 of power 1.
    assert found.level == pytest.approx(((1 + 4 * 4) / (4 + 4 * 1)) ** 0.5)
    assert found.deviation == 1.0


def test_equal_intensities_overlap_wholly() -> None:
    assert gap(domain([1.0] * 3, [0.5, 0.5])).overlap(domain([1.0] * 3, [0.5, 0.5])) == 1.0
    assert gap(domain([1.0] * 3, [1.0, 0.0])).overlap(domain([1.0] * 3, [1.0, 0.0])) == 0.5

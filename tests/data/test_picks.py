from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.data.picks import Picks
from napari_voxuda.errors import InputError


def test_length_and_values():
    picks = Picks(positions=np.ones((4, 3)), scores=np.linspace(0, 1, 4))
    assert len(picks) == 4
    assert len(Picks(positions=np.zeros((0, 3)))) == 0


@pytest.mark.parametrize("shape", [(3,), (2, 2), (1, 3, 3)])
def test_positions_have_three_columns(shape):
    with pytest.raises(InputError, match=r"positions of shape \(n, 3\) were wanted, got"):
        Picks(positions=np.zeros(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_positions_and_scores_are_finite(value):
    with pytest.raises(InputError, match="finite positions were wanted"):
        Picks(positions=np.array([[0, value, 0]]))
    with pytest.raises(InputError, match=r"scores in \[0, 1\] were wanted"):
        Picks(positions=np.zeros((1, 3)), scores=np.array([value]))


def test_scores_fit_the_positions():
    with pytest.raises(InputError, match=r"2 scores were wanted, got \(1,\)"):
        Picks(positions=np.zeros((2, 3)), scores=np.ones(1))
    with pytest.raises(InputError, match=r"scores in \[0, 1\] were wanted, got 0 to 1.5"):
        Picks(positions=np.zeros((2, 3)), scores=np.array([0, 1.5]))

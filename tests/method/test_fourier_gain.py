from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_voxuda.errors import InputError
from napari_voxuda.method.fourier import high_pass_mask, high_pass_spectrum
from napari_voxuda.method.fourier_gain import HighPassGain

EDGES = st.integers(1, 12)


@settings(max_examples=120, deadline=None)
@given(
    shape=st.tuples(EDGES, EDGES, EDGES),
    fraction=st.sampled_from([1e-6, 0.05, 0.244, 0.5, 0.9, 1.0]),
    form=st.sampled_from(["cube", "radial"]),
    step=st.integers(1, 13),
)
def test_parts_are_the_gain_of_the_whole_spectrum(shape, fraction, form, step):
    d, h, w = shape
    whole = high_pass_spectrum(torch.ones(d, h, w // 2 + 1), w, fraction, shape=form)
    gain = HighPassGain(shape, fraction, form=form)
    parts = [gain.rows(slice(start, min(start + step, h))) for start in range(0, h, step)]
    assert torch.equal(torch.cat(parts, dim=1), whole)


def test_a_published_rate_keeps_its_number_of_coefficients():
    kept = high_pass_mask((32, 32, 32), 0.244, form="cube")
    assert int(kept.sum()) == 8000
    assert HighPassGain((32, 32, 32), 0.244).rows(slice(0, 32)).shape == (32, 32, 17)


@pytest.mark.parametrize(
    ("shape", "fraction", "form"),
    [
        ((4, 4), 0.5, "cube"),
        ((4, 0, 4), 0.5, "cube"),
        ((4, 4, 4), 0.0, "cube"),
        ((4, 4, 4), 0.5, "x"),
    ],
)
def test_wrong_settings_are_refused(shape, fraction, form):
    with pytest.raises(InputError, match=r"high-pass gain: .* wanted"):
        HighPassGain(shape, fraction, form=form)

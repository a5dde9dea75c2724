from __future__ import annotations

import numpy as np

from napari_voxuda.app.mask.choice_history import ChoiceHistory
from napari_voxuda.app.mask.refinement import MaskChoice


def _labels(value):
    return np.full((2, 3, 4), value, np.uint16)


def test_labels_are_known_by_their_values():
    history = ChoiceHistory()
    history.made(_labels(1), MaskChoice(threshold=0.1))
    history.made(_labels(2), MaskChoice(threshold=0.2))
    assert history.find(_labels(1)) == MaskChoice(threshold=0.1)
    assert history.find(_labels(2)[:, ::-1]) == MaskChoice(threshold=0.2)
    assert history.find(_labels(3)) is None


def test_the_last_choice_counts_and_old_ones_are_dropped():
    history = ChoiceHistory()
    for threshold in (0.3, 0.4):
        history.made(_labels(0), MaskChoice(threshold=threshold))
    assert history.find(_labels(0)) == MaskChoice(threshold=0.4)
    for value in range(1, 101):
        history.made(_labels(value), MaskChoice(threshold=0.5))
    assert history.find(_labels(0)) is None
    assert history.find(_labels(100)) is not None

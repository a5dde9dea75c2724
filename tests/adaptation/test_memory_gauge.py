from __future__ import annotations

import time

import numpy as np
import torch

from napari_voxuda.adaptation.memory_gauge import MemoryGauge


def test_memory_that_is_let_go_again_was_seen() -> None:
    with MemoryGauge(torch.device("cpu")) as gauge:
        values = np.ones(40_000_000, np.uint8)
        time.sleep(0.1)
        del values
    assert gauge.peak_bytes is None or gauge.peak_bytes > 30_000_000


def test_nothing_is_told_before_the_end_of_the_work() -> None:
    assert MemoryGauge(torch.device("cpu")).peak_bytes is None

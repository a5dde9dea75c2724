"""Damage is the same for the same seed, and is damage."""

from __future__ import annotations

import json

import numpy as np
import pytest
from benchmarks.reliability.mutations import (
    damaged_bytes,
    damaged_json,
    damaged_text,
    random_fields,
)

RAW = bytes(range(256)) * 8
TEXT = b"loop_\n_rlnCoordinateX #1\n1.0 2.0\n3.0 4.0\n"
JSON = json.dumps({"a": [1, 2.5, {"b": None}], "c": "d", "e": {"f": 10**400}}).encode()


@pytest.mark.parametrize(
    ("damage", "raw"),
    [
        (lambda raw, rng: damaged_bytes(raw, raw, rng), RAW),
        (lambda raw, rng: damaged_text(raw, raw, rng), TEXT),
        (lambda raw, rng: damaged_json(raw, raw, rng), JSON),
        (random_fields, RAW),
    ],
    ids=["bytes", "text", "json", "fields"],
)
def test_damage_depends_on_the_seed_alone(damage, raw):
    made = [damage(raw, np.random.default_rng(seed)) for seed in range(200)]
    assert made == [damage(raw, np.random.default_rng(seed)) for seed in range(200)]
    assert len(set(made)) > 100
    assert sum(one == raw for one in made) < 60
    assert all(isinstance(one, bytes) for one in made)

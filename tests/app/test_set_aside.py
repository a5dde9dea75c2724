"""What is set aside during a run is left out of garbage collections, and taken back."""

from __future__ import annotations

import gc
import weakref

import pytest

from napari_voxuda.app.set_aside import SetAside


class Ring:
    def __init__(self) -> None:
        self.me = self


def ring():
    made = Ring()
    return made, weakref.ref(made)


@pytest.fixture
def aside():
    made = SetAside()
    yield made
    made.end()
    assert gc.get_freeze_count() == 0


def test_old_objects_are_left_out_and_new_ones_and_garbage_are_not(aside) -> None:
    garbage, old = ring()[1], ring()
    kept = old[1]
    aside.begin()
    assert garbage() is None, "what was no longer needed is not kept for a run"
    fresh = ring()[1]
    del old
    gc.collect()
    assert kept() is not None
    assert fresh() is None
    aside.end()
    gc.collect()
    assert kept() is None


def test_the_first_of_two_holds_and_a_program_that_does_so_itself_is_left_alone(aside) -> None:
    aside.begin()
    aside.begin()
    second = SetAside()
    second.begin()
    second.end()
    assert gc.get_freeze_count() > 0
    aside.end()
    gc.freeze()
    try:
        aside.begin()
        aside.end()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()

from __future__ import annotations

from napari_voxuda.app.tour import STEPS, Tour


def test_the_steps_lead_from_a_tomogram_to_an_exported_mask():
    assert [step.key for step in STEPS] == ["open", "denoise", "adapt", "mask", "refine", "export"]
    assert all(step.text.endswith((".", "?")) for step in STEPS)


def test_next_and_back_stay_within_the_steps():
    tour = Tour()
    tour.back()
    assert (tour.number, tour.can_go_back, tour.can_go_on) == (1, False, True)
    for _ in range(20):
        tour.next()
    assert (tour.step.key, tour.can_go_back, tour.can_go_on) == ("export", True, False)
    tour.back()
    assert tour.step.key == "refine"


def test_a_step_ticks_itself_off_once_and_stays_done():
    tour = Tour()
    assert tour.tick({"open", "something else"})
    assert not tour.tick({"open"})
    assert not tour.tick(set())
    assert tour.is_done(STEPS[0])
    assert not tour.is_done(STEPS[1])
    assert tour.number == 1  # the user goes on when it suits them


def test_the_tour_is_finished_when_all_is_done_in_any_order():
    tour = Tour()
    for step in reversed(STEPS):
        assert not tour.finished
        tour.tick({step.key})
    assert tour.finished

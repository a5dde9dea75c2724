from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_voxuda.app.denoise.compare import CompareChoice
from napari_voxuda.app.denoise.controller import DenoiseController
from napari_voxuda.app.job import JobState
from napari_voxuda.app.scene import SliceView
from napari_voxuda.data.volume import Volume
from napari_voxuda.method.denoising import DenoiseSettings


class FakeView:
    def __init__(self) -> None:
        self.chosen = None
        self.preview = True
        self.invert = False
        self.current = DenoiseSettings()
        self.compared = CompareChoice(divider=0.0)
        self.part = "volume"
        self.states: list[JobState] = []
        self.lines, self.said, self.listed = [], [], []

    def settings(self):
        return self.current

    def settings_of(self, side):
        return None if side == "raw" else replace(self.current, method=side)

    def comparison(self):
        return self.compared

    def show_divider(self, place):
        self.compared = replace(self.compared, divider=place)

    def show_suggestion(self, settings, words):
        self.current = settings

    def apply_to(self):
        return self.part

    def layer(self):
        return self.chosen

    def device(self):
        return "cpu"

    def invert_wanted(self):
        return self.invert

    def preview_wanted(self):
        return self.preview

    def switch_preview_off(self):
        self.preview = False

    def show_layers(self, choices):
        self.listed = [c.name for c in choices]

    def show_state(self, state):
        self.states.append(state)

    def show_progress(self, line):
        self.lines.append(line)

    def say(self, text, level="info"):
        self.said.append((text, level))


@pytest.fixture
def view():
    return FakeView()


@pytest.fixture
def controller(view, scene, divider, executor, tomogram):
    view.chosen = scene.add_volume(tomogram)
    return DenoiseController(view, scene, divider, executor)


def _preview(scene):
    return next((f for f in scene.layers.values() if f["name"] == "Denoise preview"), None)


def test_the_preview_is_what_the_whole_volume_will_be(controller, view, scene, executor):
    for method in ("ibf", "bilateral", "ngm"):
        view.current = DenoiseSettings(method=method)
        view.compared = CompareChoice(right=method, divider=0.0)
        view.preview = True
        controller.preview.refresh()
        executor.run_all()
        shown = _preview(scene)
        assert shown["offset"] == (2, 0, 0)
        controller.apply()
        executor.run_all()
        applied = list(scene.layers.values())[-1]["volume"]
        assert applied.name.startswith("tomo ")
        np.testing.assert_allclose(shown["volume"].data[0], applied.data[2], atol=1e-5)
        assert _preview(scene) is None  # applying takes the preview away


def test_the_contrast_of_the_result_can_be_inverted(controller, view, scene, executor):
    controller.apply()
    executor.run_all()
    plain = list(scene.layers.values())[-1]["volume"]
    view.invert = True
    controller.apply()
    executor.run_all()
    inverted = list(scene.layers.values())[-1]["volume"]
    assert inverted.name == f"{plain.name} inverted"
    np.testing.assert_array_equal(inverted.data, -plain.data)


def test_only_the_visible_region_is_shown(controller, scene, executor):
    scene.view = SliceView(axis=1, index=3, start=(1, 3, 2), stop=(5, 4, 7))
    controller.preview.refresh()
    executor.run_all()
    assert _preview(scene)["offset"] == (1, 3, 2)
    assert _preview(scene)["volume"].data.shape == (4, 1, 5)


def test_stale_previews_are_dropped(controller, view, executor):
    for sigma in (0.5, 0.6, 0.7, 0.8):
        view.current = DenoiseSettings(sigma_range=sigma)
        controller.preview.refresh()
    assert len(executor.waiting) == 1
    executor.run_all()
    assert len(executor.jobs) == 2


def test_switching_off_removes_the_preview_and_its_late_result(controller, view, scene, executor):
    controller.preview.refresh()
    executor.run_all()
    controller.preview.refresh()
    view.preview = False
    controller.preview.refresh()
    executor.run_all()
    assert _preview(scene) is None


def test_a_preview_that_the_user_removed_stays_away(controller, view, scene, executor):
    controller.preview.refresh()
    executor.run_all()
    key = next(k for k, f in scene.layers.items() if f["name"] == "Denoise preview")
    scene.remove(key)
    controller.layers_changed()
    assert not view.preview
    assert view.listed == ["tomo"]


def test_the_preview_is_not_offered_as_input(controller, view, executor):
    controller.preview.refresh()
    executor.run_all()
    controller.layers_changed()
    assert view.listed == ["tomo"]


def test_a_layer_removed_while_its_preview_is_computed_leaves_nothing(
    controller, view, scene, executor
):
    controller.preview.refresh()
    scene.remove(view.chosen)
    executor.run_all()
    assert scene.layers == {}


def test_three_dimensional_display_asks_for_a_slice(controller, view, scene, executor):
    scene.view = None
    controller.preview.refresh()
    assert not executor.waiting
    assert "2-D" in view.said[-1][0]


def test_applying_reports_states_progress_and_the_new_layer(controller, view, scene, executor):
    controller.apply()
    assert controller.busy  # already, although it waits for its thread
    executor.run_all()
    assert not controller.busy
    assert view.states == [JobState.RUNNING, JobState.DONE]
    assert view.lines
    assert view.said[-1] == ("Added the layer “tomo IBF”.", "info")
    assert list(scene.layers.values())[-1]["volume"].grid == scene.volume(view.chosen).grid


def test_a_cancelled_job_adds_nothing(controller, view, scene, executor):
    controller.apply()
    controller.work.cancel()
    executor.run_all()
    assert view.states == [JobState.CANCELLED]
    assert len(scene.layers) == 1
    assert "no layer was added" in view.said[-1][0]


@pytest.mark.parametrize("text", ["CUDA out of memory.", "DefaultCPUAllocator: can't allocate"])
def test_running_out_of_memory_is_said_and_the_next_try_works(
    controller, view, scene, executor, monkeypatch, text
):
    def broken(job):
        yield from ()
        raise RuntimeError(text)

    with monkeypatch.context() as patch:
        patch.setattr("napari_voxuda.app.denoise.task.denoise_task", broken)
        controller.apply()
        executor.run_all()
    said, level = view.said[-1]
    assert said.startswith("Memory ran out while denoising.")
    assert level == "error"
    controller.apply()
    executor.run_all()
    assert view.states[-1] is JobState.DONE


def test_without_a_layer_the_user_is_told(controller, view, executor):
    view.chosen = None
    controller.apply()
    assert view.said[-1][1] == "error"
    assert not executor.waiting


def test_values_that_cannot_be_filtered_are_named(controller, view, scene, executor):
    values = np.zeros((4, 4, 4), np.float32)
    values[1, 2, 3] = np.nan
    view.chosen = scene.add_volume(Volume(data=values, name="broken"))
    controller.preview.refresh()
    executor.run_all()
    assert "(1, 2, 3)" in view.said[-1][0]
    assert view.said[-1][1] == "error"


def _shown(scene):
    return _preview(scene)["volume"].data[0]


def test_both_sides_of_the_divider_and_their_contrast(controller, view, scene, divider, executor):
    raw = scene.volume(view.chosen).data[2]
    view.compared = CompareChoice(left="ibf", right="bilateral", divider=0.25)
    controller.preview.refresh()
    executor.run_all()
    mixed = _shown(scene)
    sides = []
    for place in (1.0, 0.0):
        view.compared = replace(view.compared, divider=place)
        controller.preview.rearrange()
        sides.append(_shown(scene))
    np.testing.assert_array_equal(mixed[:, :2], sides[0][:, :2])
    np.testing.assert_array_equal(mixed[:, 2:], sides[1][:, 2:])
    assert not np.allclose(sides[0], sides[1])
    assert not np.allclose(sides[0], raw)
    assert not executor.waiting  # the divider computes nothing
    assert _preview(scene)["contrast"] == (view.chosen, 0.0)
    assert "IBF" in view.said[-1][0]
    assert divider.place.names == ("IBF", "bilateral")
    assert divider.place.voxel == 0


def test_dragging_the_divider_moves_the_picture_and_the_dock(
    controller, view, scene, divider, executor
):
    controller.preview.refresh()
    executor.run_all()
    raw = scene.volume(view.chosen).data[2]
    divider.drag(0.5)
    assert view.compared.divider == 0.5
    assert divider.place.voxel == 4
    np.testing.assert_array_equal(_shown(scene)[:, :4], raw[:, :4])
    assert not np.allclose(_shown(scene)[:, 4:], raw[:, 4:])


def test_the_difference_is_what_the_filter_takes_away(controller, view, scene, divider, executor):
    controller.preview.refresh()
    executor.run_all()
    raw = scene.volume(view.chosen).data[2]
    denoised = _shown(scene)
    view.compared = replace(view.compared, divider=0.5, difference=True)
    controller.preview.rearrange()
    mean = float(raw.mean())
    np.testing.assert_allclose(_shown(scene)[:, 4:], (raw - denoised)[:, 4:], atol=1e-6)
    np.testing.assert_allclose(_shown(scene)[:, :4], raw[:, :4] - mean, atol=1e-6)
    assert _preview(scene)["contrast"] == (view.chosen, pytest.approx(-mean))
    assert divider.place.names == ("raw", "raw − IBF")


def test_other_sides_are_computed_and_known_ones_are_not(
    controller, view, scene, executor, monkeypatch
):
    from napari_voxuda.app.denoise import preview as denoise_preview

    calls = []
    true = denoise_preview.preview_slice

    def counted(volume, shown, settings, *rest):
        calls.append(settings and settings.method)
        return true(volume, shown, settings, *rest)

    monkeypatch.setattr(denoise_preview, "preview_slice", counted)
    for left, right in (("raw", "ibf"), ("ngm", "ibf"), ("ibf", "ngm")):
        view.compared = CompareChoice(left=left, right=right)
        controller.preview.refresh() if not calls else controller.preview.rearrange()
        executor.run_all()
    assert sorted(map(str, calls)) == ["None", "ibf", "ngm"]


def test_equal_sides_have_no_divider(controller, view, divider, executor):
    view.compared = CompareChoice(left="ibf", right="ibf")
    controller.preview.refresh()
    executor.run_all()
    assert divider.place is None


def test_a_divider_that_the_user_removed_ends_the_preview(
    controller, view, scene, divider, executor
):
    controller.preview.refresh()
    executor.run_all()
    divider.lost = True
    controller.layers_changed()
    assert not view.preview
    assert _preview(scene) is None


def test_closing_takes_the_preview_away(controller, scene, divider, executor):
    controller.preview.refresh()
    executor.run_all()
    controller.close()
    assert _preview(scene) is None
    assert divider.place is None


@pytest.mark.parametrize("part", ["view", "slice"])
def test_the_visible_part_is_denoised_as_in_the_whole(controller, view, scene, executor, part):
    controller.apply()
    executor.run_all()
    whole = list(scene.layers.values())[-1]["volume"].data
    scene.view = SliceView(axis=0, index=2, start=(2, 3, 1), stop=(3, 7, 6))
    view.part = part
    controller.apply()
    executor.run_all()
    added = list(scene.layers.values())[-1]
    depths = slice(2, 3) if part == "slice" else slice(0, 6)
    assert added["name"] == ("tomo IBF slice 2" if part == "slice" else "tomo IBF part")
    assert added["offset"] == (depths.start, 3, 1)
    np.testing.assert_allclose(added["volume"].data, whole[depths, 3:7, 1:6], atol=1e-5)


def test_a_part_needs_a_visible_slice(controller, view, scene, executor):
    scene.view, view.part = None, "view"
    controller.apply()
    assert "Apply to" in view.said[-1][0]
    assert not executor.waiting


def test_a_suggestion_is_filled_in_and_said(controller, view, executor):
    view.current = DenoiseSettings(method="bilateral", sigma_domain=5.0)
    controller.suggest()
    executor.run_all()
    assert view.current.sigma_range != 1.2
    assert view.current.sigma_domain == 5.0
    assert view.said[-1][0].startswith(f"Sigma range {view.current.sigma_range:g} suits")


def test_what_is_handed_over_is_what_is_chosen(controller, view):
    view.current = DenoiseSettings(method="bilateral", sigma_range=0.7)
    assert controller.hand_over() is view.current
    assert "bilateral, sigma range 0.7" in view.said[-1][0]

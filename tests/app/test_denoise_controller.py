from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.app.denoise_controller import DenoiseController
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
        self.states: list[JobState] = []
        self.lines, self.said, self.listed = [], [], []

    def settings(self):
        return self.current

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
def controller(view, scene, executor, tomogram):
    view.chosen = scene.add_volume(tomogram)
    return DenoiseController(view, scene, executor)


def _preview(scene):
    return next((f for f in scene.layers.values() if f["name"] == "Denoise preview"), None)


def test_the_preview_is_what_the_whole_volume_will_be(controller, view, scene, executor):
    for method in ("ibf", "bilateral", "ngm"):
        view.current = DenoiseSettings(method=method)
        view.preview = True
        controller.preview_changed()
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
    controller.preview_changed()
    executor.run_all()
    assert _preview(scene)["offset"] == (1, 3, 2)
    assert _preview(scene)["volume"].data.shape == (4, 1, 5)


def test_stale_previews_are_dropped(controller, view, executor):
    for sigma in (0.5, 0.6, 0.7, 0.8):
        view.current = DenoiseSettings(sigma_range=sigma)
        controller.preview_changed()
    assert len(executor.waiting) == 1
    executor.run_all()
    assert len(executor.jobs) == 2


def test_switching_off_removes_the_preview_and_its_late_result(controller, view, scene, executor):
    controller.preview_changed()
    executor.run_all()
    controller.preview_changed()
    view.preview = False
    controller.preview_changed()
    executor.run_all()
    assert _preview(scene) is None


def test_a_preview_that_the_user_removed_stays_away(controller, view, scene, executor):
    controller.preview_changed()
    executor.run_all()
    key = next(k for k, f in scene.layers.items() if f["name"] == "Denoise preview")
    scene.remove(key)
    controller.layers_changed()
    assert not view.preview
    assert view.listed == ["tomo"]


def test_the_preview_is_not_offered_as_input(controller, view, executor):
    controller.preview_changed()
    executor.run_all()
    controller.layers_changed()
    assert view.listed == ["tomo"]


def test_a_layer_removed_while_its_preview_is_computed_leaves_nothing(
    controller, view, scene, executor
):
    controller.preview_changed()
    scene.remove(view.chosen)
    executor.run_all()
    assert scene.layers == {}


def test_three_dimensional_display_asks_for_a_slice(controller, view, scene, executor):
    scene.view = None
    controller.preview_changed()
    assert not executor.waiting
    assert "2-D" in view.said[-1][0]


def test_applying_reports_states_progress_and_the_new_layer(controller, view, scene, executor):
    controller.apply()
    assert controller.busy is False  # the waiting executor has not begun
    executor.run_all()
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
        patch.setattr("napari_voxuda.app.denoise.denoise_task", broken)
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
    controller.preview_changed()
    executor.run_all()
    assert "(1, 2, 3)" in view.said[-1][0]
    assert view.said[-1][1] == "error"

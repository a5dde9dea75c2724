"""*Getting started* through the real docks, from the button to the exported mask."""

from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.gui.export.window import ExportWindow
from napari_voxuda.gui.refine.dock import RefineDock

_TIMEOUT = 120_000  # milliseconds; a bound for a broken test


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1366, 768)
    return viewer


@pytest.fixture
def adapt(viewer, tmp_path):
    dock = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA adapt")[1]
    dock.tour_button.click()
    return dock


def _make_small(adapt, run):
    training = adapt.training
    training.run_row.set_paths([run])
    training.place_box.setCurrentIndex(training.place_box.findData("thread"))
    for name, value in {"steps": 2, "batch": 2}.items():
        training.form.fields[name].setValue(value)
    for name, value in {"stem": 2, "body": 4, "head": 1}.items():
        training.form.nested["network"].fields[name].setValue(value)
    for name, value in {"count": 4, "box": 16, "neighbours": 0}.items():
        adapt.source.form.fields[name].setValue(value)


def test_the_tour_leads_from_the_sample_to_an_exported_mask(viewer, adapt, qtbot, tmp_path):
    def done(key):
        def ticked():
            adapt.tour.look()
            return any(step.key == key and tour.is_done(step) for step in tour.steps)

        qtbot.waitUntil(ticked, timeout=_TIMEOUT)

    panel, spotlight = adapt.tour.panel, adapt.tour.spotlight
    tour = panel.tour
    done("open")
    assert adapt.target.layer() == viewer.layers[0].unique_id
    assert "✓" in panel.steps.text()
    qtbot.waitUntil(spotlight.isVisible)
    assert viewer.window._qt_window.height() <= 768  # it fits a small screen
    panel.next_button.click()
    denoise = spotlight.target().window().findChild(type(adapt.tour._docks["Denoise (IBF)"]))
    assert spotlight.target() is denoise.preview_box
    denoise.preview_box.setChecked(True)
    done("denoise")
    denoise.preview_box.setChecked(False)
    panel.next_button.click()
    assert spotlight.target() is adapt.bar.start_button
    assert adapt.training.preset_box.currentData() == "fast"
    _make_small(adapt, tmp_path / "run")
    adapt.bar.start_button.click()
    done("adapt")
    panel.next_button.click()
    assert adapt.result.isExpanded()
    slider = adapt.result.threshold_slider
    slider.setValue(slider.value() - 0.1)
    done("mask")
    panel.next_button.click()
    spotlight.target().click()  # correct and refine
    refine = viewer.window._qt_window.findChild(RefineDock)
    qtbot.waitUntil(refine.corrections.particle_button.isEnabled, timeout=_TIMEOUT)
    adapt.tour.look()
    assert spotlight.target() is refine.corrections.particle_button
    spotlight.target().click()
    viewer.layers.selection.active.data_setitem(tuple(np.array([[20, 20], [40, 41], [40, 40]])), 1)
    qtbot.waitUntil(lambda: "Nothing" not in refine.corrections.count.text(), timeout=_TIMEOUT)
    adapt.tour.look()
    assert spotlight.target() is refine.bar.start_button
    refine.form.fields["steps"].setValue(1)
    spotlight.target().click()
    done("refine")
    panel.next_button.click()
    assert spotlight.target() is refine.mask_group.export_button
    qtbot.waitUntil(refine.mask_group.export_button.isEnabled, timeout=_TIMEOUT)
    spotlight.target().click()
    window = viewer.window._qt_window.findChild(ExportWindow)
    (tmp_path / "out").mkdir()
    window.options.folder_row.set_paths([tmp_path / "out"])
    qtbot.waitUntil(window.bar.start_button.isEnabled, timeout=_TIMEOUT)
    window.bar.start_button.click()
    done("export")
    assert tour.finished
    assert not panel.next_button.isEnabled()
    assert "seen everything" in panel.text.text()


def test_next_goes_on_without_doing_and_close_ends_the_tour(adapt, qtbot):
    panel, spotlight = adapt.tour.panel, adapt.tour.spotlight
    panel.next_button.click()
    panel.next_button.click()
    assert not panel.tour.is_done(panel.tour.step)
    panel.back_button.click()
    assert panel.tour.step.key == "denoise"
    panel.close_button.click()
    assert not spotlight.isVisible()
    assert spotlight.target() is None
    adapt.tour_button.click()  # and it can be begun again
    assert adapt.tour.panel is not panel
    adapt.tour.close()


def test_closing_the_viewer_in_the_tour_raises_nothing(viewer, adapt):
    adapt.tour.panel.next_button.click()
    viewer.close()

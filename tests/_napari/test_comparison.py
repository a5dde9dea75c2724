"""The group *Compare* of both docks in a real viewer."""

from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.app.adapt.request import TargetLayer
from napari_voxuda.app.compare.comparison import FALSE_NEGATIVE, FALSE_POSITIVE
from napari_voxuda.app.jobs import Segmentation
from napari_voxuda.app.mask.handover import RefineStart
from napari_voxuda.app.mask.refinement import MaskChoice
from napari_voxuda.scores.overlap import dice


@pytest.fixture
def truth(viewer):
    """What lies in the tomogram's first blob."""
    image = viewer.layers[0]
    z, y, x = np.indices(image.data.shape)
    inside = (z - 10) ** 2 + (y - 12) ** 2 + (x - 12) ** 2 < 25
    place = {"scale": image.scale, "translate": image.translate, "units": image.units}
    return viewer.add_labels(inside.astype(np.uint8), name="truth", **place)


@pytest.fixture(params=["adapt", "refine"])
def dock(request, viewer, truth):
    """A dock with the mask of a probability that falls off around the first blob's centre."""
    dock = viewer.window.add_plugin_dock_widget("napari-voxuda", f"Vox-UDA {request.param}")[1]
    scene = dock.controller._scene
    key = viewer.layers[0].unique_id
    volume, placement = scene.volume(key), scene.placement(key)
    z, y, x = np.indices(volume.shape)
    away = np.sqrt((z - 10) ** 2 + (y - 12) ** 2 + (x - 13) ** 2)
    probability = volume.with_data(np.clip(1 - away / 10, 0, 1).astype(np.float32))
    choice = MaskChoice(threshold=0.5, numbered=True)
    if request.param == "adapt":
        found = Segmentation(probability=probability, mask=volume, particles=[])
        layer = TargetLayer(key=key, volume=volume, placement=placement)
        dock.controller._segmented([layer], [found])
        dock.mask_sliders = dock.result.sliders
    else:
        start = RefineStart(
            layer=key,
            run=None,
            probability=probability,
            placement=placement,
            mask_key=None,
            choice=choice,
        )
        dock.controller.take_over(start)
        dock.mask_sliders = dock.mask_group.sliders
    return dock


def _wanted(mask, truth):
    mask, truth = mask.data > 0, truth.data > 0
    return np.where(mask & ~truth, FALSE_POSITIVE, np.where(truth & ~mask, FALSE_NEGATIVE, 0))


def test_scores_and_errors_follow_threshold_brush_and_undo(viewer, dock, truth, until):
    until(lambda: "tomo mask" in viewer.layers)
    mask = viewer.layers["tomo mask"]
    group = dock.comparison
    assert not group.errors_check.isEnabled()
    group.reference_box.set_key(truth.unique_id)
    until(lambda: group.values["dice"].text())
    assert group.values["dice"].text() == f"{dice(mask.data, truth.data):.3f}"
    viewer.layers.selection.active = mask
    group.errors_check.setChecked(True)
    errors = viewer.layers["tomo mask errors"]
    assert viewer.layers.selection.active is mask  # the next stroke is meant for the mask
    np.testing.assert_array_equal(errors.data, _wanted(mask, truth))
    np.testing.assert_allclose(errors.translate, mask.translate)
    assert errors.units == mask.units
    before = mask.data.copy()
    dock.mask_sliders.threshold.setValue(0.7)
    until(lambda: not np.array_equal(mask.data, before))
    until(lambda: np.array_equal(errors.data, _wanted(mask, truth)))
    mask.undo()
    np.testing.assert_array_equal(mask.data, before)
    until(lambda: np.array_equal(errors.data, _wanted(mask, truth)))
    mask.paint((10, 30, 30), 1)
    until(lambda: errors.data[10, 30, 30] == FALSE_POSITIVE)
    assert group.values["dice"].text() == f"{dice(mask.data, truth.data):.3f}"
    group.agreement_check.setChecked(True)
    assert (errors.data > 0).sum() == ((mask.data > 0) | (truth.data > 0)).sum()
    offered = [group.reference_box.itemText(i) for i in range(group.reference_box.count())]
    assert offered == ["nothing", "truth"]
    group.errors_check.setChecked(False)
    assert "tomo mask errors" not in viewer.layers


def test_labels_of_another_size_are_refused(viewer, dock, until):
    until(lambda: "tomo mask" in viewer.layers)
    other = viewer.add_labels(np.ones((3, 4, 5), np.uint8), name="other")
    dock.comparison.reference_box.set_key(other.unique_id)
    until(lambda: "got 3 x 4 x 5" in dock.comparison.notice.text())
    assert dock.comparison.table.isHidden()
    viewer.layers.remove(other)
    assert dock.comparison.notice.text() == ""

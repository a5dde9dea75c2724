"""The export window in a real viewer."""

from __future__ import annotations

import csv

import mrcfile
import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_voxuda._napari.export import export_masks, open_export_window
from napari_voxuda._napari.layers import mark_as_aid
from napari_voxuda.app.export.choice import ExportOffer
from napari_voxuda.gui.export.window import ExportWindow
from napari_voxuda.io.mrc import read_header, read_mrc
from napari_voxuda.io.picks_file import read_picks
from napari_voxuda.io.provenance import read_sidecar


@pytest.fixture
def shown(monkeypatch):
    texts = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", texts.append)
    return texts


def _add(viewer, name):
    image = viewer.layers[0]
    mask = np.zeros(image.data.shape, np.uint8)
    mask[1:4, 2:5, 3:6] = 1
    mask[10, 30, 20] = 2
    return viewer.add_labels(
        mask,
        name=name,
        scale=image.scale,
        translate=image.translate,
        units=image.units,
        metadata=dict(image.metadata),
    )


def _window(viewer):
    return viewer.window._qt_window.findChild(ExportWindow)


def _export(window, until):
    until(window.bar.start_button.isEnabled)
    window.bar.start_button.click()
    until(lambda: "Saved" in window.notice.text())


def test_the_menu_s_command_writes_mrc_as_it_says(viewer, until, tmp_path, tomogram_file):
    from napari._app_model import get_app_model

    mask = _add(viewer, "tomo mask")
    app = get_app_model()
    for menu in ("napari/layers/segment", "napari/file/io_utilities"):
        ids = [item.command.id for item in app.menus.get_menu(menu) if hasattr(item, "command")]
        assert "napari-voxuda.export_masks" in ids
    app.commands.execute_command("napari-voxuda.export_masks").result()
    window = _window(viewer)
    assert window.isVisible()
    assert [f for f, box in window.options.format_boxes.items() if box.isChecked()] == ["mrc"]
    assert window.options.folder_row.path() == tmp_path  # beside the tomogram
    until(lambda: window.table.rowCount() == 1)
    assert window.table.item(0, 0).text() == "tomo mask.mrc"
    assert window.table.item(0, 1).text() == "39.4 kB"
    assert "origin      24, -36, 120 Å (x, y, z)" in window.details.toPlainText()
    assert "nstart      3, 2, 1 voxels (x, y, z)" in window.details.toPlainText()
    _export(window, until)
    path = tmp_path / "tomo mask.mrc"
    with mrcfile.open(path) as written, mrcfile.open(tomogram_file) as source:
        np.testing.assert_array_equal(written.data, mask.data)
        assert written.data.dtype == np.int8
        assert written.header.origin.tobytes() == source.header.origin.tobytes()
        assert written.header.cella.tobytes() == source.header.cella.tobytes()
        assert written.header.nxstart == source.header.nxstart
    assert read_header(path).grid == read_header(tomogram_file).grid
    assert read_sidecar(path)["output"]["kind"] == "labels"
    until(lambda: window.table.item(0, 2).text() == "exists")
    assert not window.bar.start_button.isEnabled()
    window.options.overwrite_box.setChecked(True)
    until(window.bar.start_button.isEnabled)


def test_positions_are_previewed_as_they_are_written(viewer, until, tmp_path):
    mask = _add(viewer, "tomo mask")
    window = open_export_window(viewer, ExportOffer(layers=(mask.unique_id,), formats=("mrc",)))
    options = window.options
    assert options.run_line.isHidden()
    options.format_boxes["mrc"].setChecked(False)
    for chosen in ("relion5", "relion4", "csv"):
        options.format_boxes[chosen].setChecked(True)
    options.name_line.setText("TS_01")
    until(lambda: window.table.rowCount() == 3)
    until(lambda: "TS_01.star" in window.table.item(0, 0).text())
    assert not options.run_line.isHidden()
    assert options.user_line.isHidden()
    options.run_line.setText("my tomo")
    options.pixel_box.setValue(3.0)
    until(lambda: "my_tomo" in window.details.toPlainText())
    until(lambda: "pixels of 3 Å" in window.table.item(1, 3).text())
    assert window.table.item(1, 3).text() == "16, 12, 8 pixels of 3 Å"
    texts = []
    for row in range(3):
        window.table.selectRow(row)
        texts.append(window.details.toPlainText())
    _export(window, until)
    names = ("TS_01.star", "TS_01_relion4.star", "TS_01.csv")
    for name, text in zip(names, texts, strict=True):
        assert (tmp_path / name).read_text().rstrip("\n") == text.rstrip("\n")
    for name in names:
        picks = read_picks(tmp_path / name, voxel_size_angstrom=12.0, shape=(20, 40, 48))
        np.testing.assert_allclose(picks.positions, [[2, 3, 4], [10, 30, 20]], atol=1e-3)
    with (tmp_path / "TS_01.csv").open() as stream:
        assert float(next(csv.DictReader(stream))["x_angstrom"]) == 4 * 12 + 24


def test_the_preview_follows_the_brush_and_the_layers(viewer, until):
    mask = _add(viewer, "a")
    window = open_export_window(viewer, ExportOffer(layers=(mask.unique_id,), formats=("ndjson",)))
    until(lambda: "2 particles" in window.summary.text())
    mask.paint((15, 5, 5), 9)
    until(lambda: "3 particles" in window.summary.text())
    mask.undo()
    until(lambda: "2 particles" in window.summary.text())
    _add(viewer, "b")
    item = window.options.mask_list.item(0)
    assert (item.text(), item.checkState()) == ("b", Qt.CheckState.Unchecked)
    item.setCheckState(Qt.CheckState.Checked)
    until(lambda: window.table.rowCount() == 2)
    viewer.layers.clear()
    until(lambda: "at least one mask" in window.summary.text())
    assert not window.bar.start_button.isEnabled()


def test_the_selected_masks_are_chosen_and_aids_never(viewer, shown):
    export_masks(viewer)
    assert "no labels layer" in shown[0]
    errors = _add(viewer, "errors")
    mark_as_aid(errors)
    export_masks(viewer)
    assert "no labels layer" in shown[1]
    first, second = _add(viewer, "a"), _add(viewer, "b")
    viewer.layers.selection = {second}
    export_masks(viewer)
    window = _window(viewer)
    assert window.options.masks() == (second.unique_id,)
    assert window.options.mask_list.count() == 2
    viewer.layers.selection = {viewer.layers[0]}
    export_masks(viewer)
    assert set(_last(viewer).options.masks()) == {first.unique_id, second.unique_id}


def _last(viewer):
    return viewer.window._qt_window.findChildren(ExportWindow)[-1]


def test_names_of_layers_do_not_lead_out_of_the_folder(viewer, until, tmp_path):
    (tmp_path / "out").mkdir()
    layers = (_add(viewer, "../a"), _add(viewer, "/elsewhere/b"))
    window = open_export_window(viewer, ExportOffer(layers=tuple(x.unique_id for x in layers)))
    window.options.folder_row.set_paths([tmp_path / "out"])
    until(
        lambda: window.table.rowCount() == 2 and window._files[0].planned.path.parent.name == "out"
    )
    _export(window, until)
    assert sorted(p.name for p in (tmp_path / "out").glob("*.mrc")) == [
        "_a.mrc",
        "_elsewhere_b.mrc",
    ]
    assert not (tmp_path / "a.mrc").exists()
    assert read_mrc(tmp_path / "out" / "_a.mrc").data.sum() == 29


def test_closing_the_window_or_the_viewer_at_work_leaves_nothing_half_written(
    viewer, until, tmp_path
):
    mask = _add(viewer, "tomo mask")
    window = open_export_window(viewer, ExportOffer(layers=(mask.unique_id,)))
    until(window.bar.start_button.isEnabled)
    window.bar.start_button.click()
    window.close()
    window = open_export_window(viewer, ExportOffer(layers=(mask.unique_id,)))
    viewer.close()
    assert not list(tmp_path.glob(".*part*"))

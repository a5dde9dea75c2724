from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda._napari.export import export_masks
from napari_voxuda.gui import path_row
from napari_voxuda.io.mrc import read_mrc
from napari_voxuda.io.provenance import read_sidecar


@pytest.fixture
def viewer(make_napari_viewer, tomogram_file):
    viewer = make_napari_viewer()
    viewer.open(tomogram_file, plugin="napari-voxuda")
    return viewer


@pytest.fixture
def shown(monkeypatch):
    texts = []
    for name in ("show_info", "show_warning"):
        monkeypatch.setattr(f"napari.utils.notifications.{name}", texts.append)
    return texts


def _add(viewer, name):
    image = viewer.layers[0]
    mask = np.zeros(image.data.shape, np.uint8)
    mask[1, 2, 3] = 1
    return viewer.add_labels(
        mask, name=name, scale=image.scale, translate=image.translate, units=image.units
    )


def test_one_mask_is_saved_to_a_file(viewer, shown, tmp_path, monkeypatch):
    _add(viewer, "mask")
    monkeypatch.setattr(path_row, "ask_save_path", lambda *args: tmp_path / "out")
    export_masks(viewer)
    saved = read_mrc(tmp_path / "out.mrc")
    assert saved.data.sum() == 1
    assert saved.grid.origin_angstrom == (120.0, -36.0, 24.0)
    assert "out.mrc" in shown[0]
    record = read_sidecar(tmp_path / "out.mrc")
    assert record["output"]["kind"] == "mask"
    assert record["settings"] == {"layer": "mask"}


def test_several_masks_are_saved_into_a_folder_and_nothing_is_overwritten(
    viewer, shown, tmp_path, monkeypatch
):
    layers = {_add(viewer, "a"), _add(viewer, "b")}
    viewer.layers.selection = layers
    monkeypatch.setattr(path_row, "ask_folder", lambda *args: [tmp_path])
    export_masks(viewer)
    assert (tmp_path / "a.mrc").exists()
    assert (tmp_path / "b.mrc").exists()
    before = (tmp_path / "a.mrc").stat().st_mtime_ns
    export_masks(viewer)
    assert "already holds" in shown[-1]
    assert (tmp_path / "a.mrc").stat().st_mtime_ns == before


def test_without_labels_the_user_is_told(viewer, shown):
    export_masks(viewer)
    assert "no labels layer" in shown[0]


def test_giving_up_saves_nothing(viewer, shown, monkeypatch):
    _add(viewer, "mask")
    monkeypatch.setattr(path_row, "ask_save_path", lambda *args: None)
    export_masks(viewer)
    assert shown == []


def test_the_command_is_offered_in_the_layers_menu(viewer, shown):
    from napari._app_model import get_app_model

    app = get_app_model()
    for menu in ("napari/layers/segment", "napari/file/io_utilities"):
        ids = [item.command.id for item in app.menus.get_menu(menu) if hasattr(item, "command")]
        assert "napari-voxuda.export_masks" in ids
    app.commands.execute_command("napari-voxuda.export_masks").result()
    assert "no labels layer" in shown[0]


def test_names_of_layers_do_not_lead_out_of_the_folder(viewer, shown, tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    viewer.layers.selection = {_add(viewer, "../a"), _add(viewer, "/tmp/b")}
    monkeypatch.setattr(path_row, "ask_folder", lambda *args: [tmp_path / "out"])
    export_masks(viewer)
    assert sorted(p.name for p in (tmp_path / "out").glob("*.mrc")) == ["_a.mrc", "_tmp_b.mrc"]
    assert not (tmp_path / "a.mrc").exists()

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from npe2 import PluginManifest

import napari_voxuda

_FILE = Path(napari_voxuda.__file__).with_name("napari.yaml")


def test_npe2_validates_the_manifest():
    result = subprocess.run(
        [sys.executable, "-m", "npe2", "validate", str(_FILE)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_command_leads_to_something_callable():
    manifest = PluginManifest.from_file(_FILE)
    for command in manifest.contributions.commands:
        module, _, name = command.python_name.partition(":")
        __import__(module)
        assert callable(getattr(sys.modules[module], name))


def test_the_widgets_have_the_names_that_users_know():
    widgets = PluginManifest.from_file(_FILE).contributions.widgets
    names = [
        "Vox-UDA adapt",
        "Denoise (IBF)",
        "Vox-UDA refine",
        "Vox-UDA 3-D",
        "Vox-UDA domain gap",
    ]
    assert [w.display_name for w in widgets] == names


def test_the_reader_claims_every_suffix_that_it_reads():
    from fnmatch import fnmatch

    from napari_voxuda.io.mrc import MRC_SUFFIXES

    reader, zarr_reader = PluginManifest.from_file(_FILE).contributions.readers
    for suffix in MRC_SUFFIXES:
        for packed in ("", ".gz", ".bz2"):
            name = f"a{suffix}{packed}"
            assert any(fnmatch(name, pattern) for pattern in reader.filename_patterns), name
    assert "*.em" in reader.filename_patterns
    assert zarr_reader.filename_patterns == ["*.zarr"]
    assert zarr_reader.accepts_directories


def test_the_commands_stand_in_the_layers_and_file_menus():
    menus = PluginManifest.from_file(_FILE).contributions.menus
    placed = {menu: [item.command for item in items] for menu, items in menus.items()}
    assert placed == {
        "napari/layers/segment": [
            "napari-voxuda.adapt_dock",
            "napari-voxuda.refine_dock",
            "napari-voxuda.space_dock",
            "napari-voxuda.export_masks",
        ],
        "napari/layers/filter": ["napari-voxuda.denoise_dock"],
        "napari/layers/measure": ["napari-voxuda.gap_dock"],
        "napari/file/io_utilities": ["napari-voxuda.export_masks"],
    }

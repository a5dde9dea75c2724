from __future__ import annotations

from pathlib import Path

import pytest

from napari_voxuda.errors import InputError
from napari_voxuda.simulation.words import source_settings_from_words


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name in ("a.pdb", "b.cif", "c.PDB.gz", "d.mmcif.gz", "m.mrc", "n.map.gz", "x.txt", "noise"):
        (tmp_path / name).touch()
    return tmp_path


def test_phantom_means_the_built_in_molecules() -> None:
    settings = source_settings_from_words(["phantom"], snr=(0.1,))
    assert (settings.kind, settings.files, settings.snr) == ("phantom", (), (0.1,))


def test_structure_files_and_maps_are_told_by_their_suffixes(files: Path) -> None:
    structures = [str(files / n) for n in ("a.pdb", "b.cif", "c.PDB.gz", "d.mmcif.gz")]
    assert source_settings_from_words(structures).kind == "structures"
    maps = [str(files / n) for n in ("m.mrc", "n.map.gz")]
    settings = source_settings_from_words(maps, box=64)
    assert (settings.kind, settings.files, settings.box) == ("maps", tuple(maps), 64)


def test_a_folder_is_a_folder_of_pairs(files: Path) -> None:
    settings = source_settings_from_words([str(files)])
    assert (settings.kind, settings.files) == ("folder", (str(files),))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "got nothing"),
        (["fantom"], "'fantom' is none of 'phantom', one folder"),
        (["phantom", "phantom"], "one phantom was wanted, got 2"),
        (["{}/a.pdb", "{}/m.mrc"], "one kind were wanted.*a.pdb.*structures.*m.mrc.*maps"),
        (["{}/a.pdb", "phantom"], "one kind were wanted"),
        (["{}", "{}"], "one folder was wanted, got 2"),
        (["{}/x.txt"], "x.txt' is none of"),
        (["{}/noise"], "noise' is none of"),
        (["{}/missing.pdb"], "missing.pdb' does not exist"),
    ],
)
def test_other_words_are_refused(files: Path, words: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        source_settings_from_words([word.format(files) for word in words])

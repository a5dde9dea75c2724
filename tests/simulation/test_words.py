from __future__ import annotations

from pathlib import Path

import pytest

from napari_voxuda.errors import InputError
from napari_voxuda.simulation.settings import SourceSettings
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
        (["1bxn", "{}/a.pdb"], r"one kind were wanted.*1bxn' \(pdb\).*a.pdb.*structures"),
        (["paper-A", "1bxn"], "one kind were wanted"),
        (["paper-A", "paper-B"], "one paper's group was wanted, got 2"),
        (["paper-C"], "'paper-C' is none of"),
    ],
)
def test_other_words_are_refused(files: Path, words: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        source_settings_from_words([word.format(files) for word in words])


def test_identifiers_name_entries_of_the_protein_data_bank() -> None:
    settings = source_settings_from_words(["1BXN", "pdb_00003j9i"], box=64)
    assert (settings.kind, settings.files, settings.box) == ("pdb", ("1bxn", "3j9i"), 64)
    assert settings.count == SourceSettings().count


def test_a_file_or_folder_wins_over_an_identifier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert source_settings_from_words(["1bxn"]).kind == "pdb"
    (tmp_path / "1bxn").mkdir()
    assert source_settings_from_words(["1bxn"]).kind == "folder"
    assert source_settings_from_words(["pdb_00001bxn"]).kind == "pdb"
    (tmp_path / "1f1b").touch()
    with pytest.raises(InputError, match=r"'1f1b' is a file here.*is pdb_00001f1b\."):
        source_settings_from_words(["1f1b"])


@pytest.mark.parametrize("word", ["paper-A", "paper-a"])
def test_a_group_of_the_paper_is_imaged_as_published(word: str) -> None:
    settings = source_settings_from_words([word], voxel_size_angstrom=13.6)
    assert settings == SourceSettings.paper(
        kind="pdb", files=("1bxn", "1f1b", "1yg6"), voxel_size_angstrom=13.6
    )
    other = source_settings_from_words(["paper-B"], snr=(0.1,), group="A")
    assert (other.files, other.snr) == (("2byu", "2h12", "2ldb"), (0.1,))

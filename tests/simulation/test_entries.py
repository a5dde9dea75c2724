from __future__ import annotations

import pytest
import torch

from napari_voxuda.errors import DownloadError, InputError
from napari_voxuda.io import pdb_entries
from napari_voxuda.simulation.entries import PAPER_ENTRIES, molecule_from_entry
from napari_voxuda.simulation.phantoms import GROUPS
from napari_voxuda.simulation.settings import SourceSettings
from napari_voxuda.simulation.source import make_source


@pytest.fixture
def offline(pdb_sites, monkeypatch):
    """Sites that answer nothing but errors, as a network without the outside does."""
    for path in ("/rcsb/{}.cif.gz", "/pdbe/{}/{}.cif.gz"):
        for entry in ("1bxn", "2h12", "9xyz"):
            middle = (entry[1:3], entry) if path.count("{}") == 2 else (entry,)
            pdb_sites.put(path.format(*middle), status=504)


def test_the_paper_has_two_groups_of_three():
    assert PAPER_ENTRIES == {"A": ("1bxn", "1f1b", "1yg6"), "B": ("2byu", "2h12", "2ldb")}
    assert list(PAPER_ENTRIES) == list(GROUPS)


def test_a_molecule_is_named_after_its_identifier(pdb_sites, pdb_file):
    pdb_sites.put("/rcsb/1abc.cif.gz", pdb_file("1abc"))
    molecule = molecule_from_entry("1ABC")
    assert molecule.name == "1abc"
    assert molecule.mass_dalton == pytest.approx(400 * 113.16, rel=0.001)


def test_a_source_of_entries_is_drawn_from(pdb_sites, pdb_file):
    for entry in ("1abc", "1abd"):
        pdb_sites.put(f"/rcsb/{entry}.cif.gz", pdb_file(entry))
    settings = SourceSettings(
        kind="pdb", files=("1ABC", "pdb_00001abd"), box=16, neighbours=0, empty_fraction=0.0
    )
    assert settings.files == ("1abc", "1abd")
    source = make_source(settings)
    assert source.description["molecules"] == ["1abc (45 kDa)", "1abd (45 kDa)"]
    assert source.draw(2, torch.Generator().manual_seed(0)).masks.any()


def test_settings_refuse_what_is_no_identifier():
    with pytest.raises(InputError, match="a PDB identifier was wanted"):
        SourceSettings(kind="pdb", files=("rubisco",))


@pytest.mark.parametrize(
    ("entry", "advice"),
    [
        ("1bxn", "--source phantom --source-variety fixed --source-group A"),
        ("2h12", "--source phantom --source-variety fixed --source-group B"),
        ("9xyz", "The built-in phantoms need no network (--source phantom)."),
    ],
)
def test_without_a_network_the_phantoms_are_offered(offline, entry, advice):
    with pytest.raises(DownloadError, match=f"^{entry}: the structure is not in the cache") as told:
        molecule_from_entry(entry)
    assert advice in str(told.value)


def test_an_entry_read_from_the_cache_is_the_structure_file(shared_data, monkeypatch, tmp_path):
    import gzip

    import gemmi

    from napari_voxuda.simulation.structures import read_structure

    monkeypatch.setenv(pdb_entries.CACHE_VARIABLE, str(tmp_path))
    pdb = shared_data / "structures" / "1bxn.pdb"
    document = gemmi.read_structure(str(pdb)).make_mmcif_document()
    path = pdb_entries.entry_path("1bxn")
    path.parent.mkdir()
    path.write_bytes(gzip.compress(document.as_string().encode()))
    molecule, wanted = molecule_from_entry("1bxn"), read_structure(pdb)
    assert molecule.mass_dalton == pytest.approx(wanted.mass_dalton)
    assert len(molecule.points) == len(wanted.points)

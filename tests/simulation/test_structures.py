from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_voxuda.errors import FileFormatError, InputError
from napari_voxuda.simulation.settings import SourceSettings
from napari_voxuda.simulation.source import SimulatedSource, make_source
from napari_voxuda.simulation.structures import read_structure

DIMER = """\
REMARK 350 BIOMOLECULE: 1
REMARK 350 APPLY THE FOLLOWING TO CHAINS: A
REMARK 350   BIOMT1   1  1.000000  0.000000  0.000000        0.00000
REMARK 350   BIOMT2   1  0.000000  1.000000  0.000000        0.00000
REMARK 350   BIOMT3   1  0.000000  0.000000  1.000000        0.00000
REMARK 350   BIOMT1   2 -1.000000  0.000000  0.000000        0.00000
REMARK 350   BIOMT2   2  0.000000 -1.000000  0.000000        0.00000
REMARK 350   BIOMT3   2  0.000000  0.000000  1.000000        0.00000
"""


def atom(number: int, name: str, residue: str, x: float, y: float, z: float, **more: str) -> str:
    chain, seq, alt = more.get("chain", "A"), more.get("seq", "1"), more.get("alt", " ")
    return (
        f"ATOM  {number:5d}  {name:<3s}{alt}{residue:>3s} {chain}{seq:>4s}    "
        f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00          {more.get('element', 'C'):>2s}\n"
    )


@pytest.fixture
def dimer(tmp_path: Path) -> Path:
    """One glycine 10 Å from a twofold axis along z, with a water and a second conformation."""
    lines = [
        DIMER,
        atom(1, "N", "GLY", 10, 0, 5, element="N"),
        atom(2, "CA", "GLY", 11, 0, 5),
        atom(3, "C", "GLY", 12, 0, 5),
        atom(4, "O", "GLY", 13, 0, 5, element="O", alt="A"),
        atom(5, "O", "GLY", 13, 1, 5, element="O", alt="B"),
        atom(6, "O", "HOH", 90, 90, 90, element="O", seq="2"),
        "END\n",
    ]
    path = tmp_path / "dimer.pdb"
    path.write_text("".join(lines))
    return path


def test_the_biological_assembly_is_built_without_water(dimer: Path) -> None:
    molecule = read_structure(dimer)
    assert len(molecule.points) == 8
    # Glycine weighs 75.07 Da, 57.05 as a residue.
    assert molecule.mass_dalton == pytest.approx(2 * 57.05, rel=0.001)
    assert molecule.volume_angstrom3 == pytest.approx(2 * 57.05 * 1.21, rel=0.001)
    # Coordinates are (z, y, x): the two copies differ along the last.
    np.testing.assert_allclose(np.ptp(molecule.points, axis=0), [0, 0, 26], atol=1e-4)


def test_zipped_files_and_files_without_an_assembly_are_read(dimer: Path, tmp_path: Path) -> None:
    zipped = tmp_path / "dimer.pdb.gz"
    zipped.write_bytes(gzip.compress(dimer.read_bytes()))
    assert len(read_structure(zipped).points) == 8
    plain = tmp_path / "plain.pdb"
    plain.write_text(dimer.read_text().replace(DIMER, ""))
    assert len(read_structure(plain).points) == 4


def test_nucleic_acid_is_denser(tmp_path: Path) -> None:
    path = tmp_path / "rna.pdb"
    path.write_text(atom(1, "P", "A", 0, 0, 0, element="P") + atom(2, "C1'", "A", 5, 0, 0))
    molecule = read_structure(path)
    assert molecule.mass_dalton == pytest.approx(329, abs=2)
    assert molecule.volume_angstrom3 / molecule.mass_dalton == pytest.approx(0.92, rel=1e-3)
    assert molecule.contrast == pytest.approx(1.5)


def test_a_trace_of_alpha_carbons_has_the_mass_of_its_residues(tmp_path: Path) -> None:
    path = tmp_path / "trace.pdb"
    path.write_text("".join(atom(i, "CA", "LEU", 3.8 * i, 0, 0, seq=str(i)) for i in range(1, 11)))
    assert read_structure(path).mass_dalton == pytest.approx(10 * 113.16, rel=0.001)


def test_rubisco_is_assembled_to_twice_the_deposited_half(shared_data: Path) -> None:
    import gemmi

    path = shared_data / "structures" / "1bxn.pdb"
    deposited = gemmi.read_structure(str(path))
    assert len(deposited[0]) == 8
    molecule = read_structure(path)
    deposited.remove_waters()
    deposited.remove_alternative_conformations()
    assert len(molecule.points) == 2 * deposited[0].count_atom_sites()
    assert molecule.mass_dalton == pytest.approx(520_000, rel=0.03)
    np.testing.assert_allclose(np.ptp(molecule.points, axis=0), 115, rtol=0.2)


def test_the_mask_of_a_structure_encloses_its_volume(shared_data: Path) -> None:
    path = str(shared_data / "structures" / "3j9i.pdb")
    settings = SourceSettings(
        kind="structures",
        files=(path,),
        neighbours=0,
        offset_voxels=1.0,
        empty_fraction=0.0,
    )
    source = make_source(settings)
    assert isinstance(source, SimulatedSource)
    masks = source.draw(6, torch.Generator().manual_seed(0)).masks
    wanted = source.molecules[0].mass_dalton * 1.21
    assert masks.float().sum().item() / 6 * 1000 == pytest.approx(wanted, rel=0.05)
    assert "3j9i.pdb (659 kDa)" in str(source.description)


def test_other_files_are_refused(tmp_path: Path, dimer: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_structure(tmp_path / "missing.pdb")
    text = tmp_path / "text.pdb"
    text.write_text("no structure\n")
    with pytest.raises(InputError, match=r"text\.pdb: a (PDB|structure)"):
        read_structure(text)
    broken = tmp_path / "broken.cif"
    broken.write_text("data_x\nloop_\n_a\n_b\n1\n")
    with pytest.raises(FileFormatError, match=r"broken\.cif: a PDB or mmCIF file was wanted"):
        read_structure(broken)
    water = tmp_path / "water.pdb"
    water.write_text(atom(1, "O", "HOH", 0, 0, 0, element="O"))
    with pytest.raises(InputError, match="with atoms was wanted"):
        read_structure(water)
    name = tmp_path / "name.pdb"
    name.write_bytes(atom(1, "CA", "GLY", 0, 0, 0).encode().replace(b"GLY", b"G\xffY"))
    with pytest.raises(FileFormatError, match=r"name\.pdb: the name of a residue is no text"):
        read_structure(name)

"""Molecules from structure files: PDB and mmCIF, as biological assemblies."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_voxuda.errors import DependencyError, FileFormatError, InputError, one_line
from napari_voxuda.simulation.molecules import PROTEIN_ANGSTROM3_PER_DALTON, Molecule

if TYPE_CHECKING:
    import gemmi

__all__ = ["read_structure"]

_NUCLEIC_ANGSTROM3_PER_DALTON = 0.92
_NUCLEIC_CONTRAST = 1.5
_HYDROGEN_SHARE = 1.07  # mass with hydrogens over mass of the other atoms, for protein
_WATER_DALTON = 18.015
_MOST_BYTES = 1 << 30
_BLOCK_BYTES = 1 << 20


def read_structure(path: str | Path) -> Molecule:
    """Read the first biological assembly of a structure file.

    Parameters
    ----------
    path : str or pathlib.Path
        PDB or mmCIF file, may be gzipped. Without a stated assembly its first model is taken.

    Returns
    -------
    Molecule
        One point per atom; waters and alternative conformations are left out, the mass of missing
        hydrogens and side chains is put on the atoms of their residue.

    Raises
    ------
    InputError
        When the file cannot be read or holds no atoms.
    FileFormatError
        When it is no structure file.

    Notes
    -----
    Volumes are 1.21 Å³/Da for protein and 0.92 Å³/Da for nucleic acid, whose scattering per volume
    is 1.5 times that of protein.
    """
    path = Path(path).expanduser()
    model = _assembly(_parsed(path), path)
    try:
        points, masses, nucleic = _atoms(model)
    except UnicodeDecodeError as error:  # gemmi makes text of a name when it is asked for
        raise FileFormatError(
            f"{path}: the name of a residue is no text ({one_line(error)}); the file is damaged."
        ) from error
    if len(points) == 0:
        raise InputError(
            f"{path}: a structure with atoms was wanted, found none; is this a PDB or mmCIF file?"
        )
    per_dalton = np.where(nucleic, _NUCLEIC_ANGSTROM3_PER_DALTON, PROTEIN_ANGSTROM3_PER_DALTON)
    volumes = masses * per_dalton
    contrast = np.average(np.where(nucleic, _NUCLEIC_CONTRAST, 1.0), weights=volumes)
    return Molecule(
        name=path.name,
        points=points.astype(np.float32),
        volumes=volumes.astype(np.float32),
        contrast=float(contrast),
        mass_dalton=float(masses.sum()),
    )


def _parsed(path: Path) -> gemmi.Structure:
    try:
        import gemmi
    except ImportError as error:
        raise DependencyError(
            "reading structure files needs the package gemmi; install it with `pip install gemmi`."
        ) from error
    if not path.is_file():
        raise InputError(f"{path}: a structure file was wanted, but there is no such file.")
    _check_size(path)
    try:
        structure = gemmi.read_structure(str(path))
    except (IndexError, RuntimeError, ValueError, OSError) as error:
        raise FileFormatError(
            f"{path}: a PDB or mmCIF file was wanted, but it cannot be read ({one_line(error)})."
        ) from error
    if len(structure) == 0:
        raise FileFormatError(f"{path}: a PDB or mmCIF file was wanted, but it holds no model.")
    structure.setup_entities()
    structure.remove_waters()
    structure.remove_alternative_conformations()
    return structure


def _check_size(path: Path) -> None:
    """Refuse a file that is too large, unpacked too: it is read into memory as a whole."""
    size = path.stat().st_size
    try:
        if path.suffix.lower() == ".gz" and size <= _MOST_BYTES:
            size = 0
            with gzip.open(path) as stream:
                while size <= _MOST_BYTES and (block := stream.read(_BLOCK_BYTES)):
                    size += len(block)
    except (OSError, EOFError, zlib.error) as error:
        raise FileFormatError(
            f"{path}: the compressed file is damaged ({one_line(error)})."
        ) from error
    if size > _MOST_BYTES:
        raise FileFormatError(
            f"{path}: a structure file of up to {_MOST_BYTES >> 20} MiB was wanted; it is larger."
        )


def _assembly(structure: gemmi.Structure, path: Path) -> gemmi.Model:
    """Return the first biological assembly, or the first model where none is stated."""
    import gemmi

    model = structure[0]
    if len(structure.assemblies) == 0:
        return model
    try:
        assembly = structure.assemblies[0]
        return gemmi.make_assembly(assembly, model, gemmi.HowToNameCopiedChain.AddNumber)
    except (IndexError, RuntimeError, ValueError) as error:
        raise FileFormatError(
            f"{path}: its biological assembly cannot be built ({one_line(error)}); remove the statement of "
            "the assembly from the file to use the deposited model."
        ) from error


def _atoms(
    model: gemmi.Model,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return positions (n, 3) as (z, y, x), masses (n,) in Da, and which are nucleic acid (n,)."""
    import gemmi

    points: list[tuple[float, float, float]] = []
    masses: list[float] = []
    nucleic: list[bool] = []
    for chain in model:
        for residue in chain:
            known = gemmi.find_tabulated_residue(residue.name)
            atoms = [a for a in residue if a.occ > 0 or len(residue) == 1]
            own = np.array([a.element.weight for a in atoms])
            if not atoms or own.sum() <= 0:
                continue
            if known.is_amino_acid() or known.is_nucleic_acid():
                whole = max(known.weight - _WATER_DALTON, own.sum())
            else:
                hydrogens = any(a.is_hydrogen() for a in atoms)
                whole = own.sum() * (1.0 if hydrogens else _HYDROGEN_SHARE)
            points.extend((a.pos.z, a.pos.y, a.pos.x) for a in atoms)
            masses.extend(own * (whole / own.sum()))
            nucleic.extend([known.is_nucleic_acid()] * len(atoms))
    return np.array(points).reshape(-1, 3), np.array(masses), np.array(nucleic, dtype=bool)

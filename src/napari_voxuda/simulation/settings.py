"""What a simulated source is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from napari_voxuda._params import param, validate
from napari_voxuda.errors import InputError
from napari_voxuda.io.pdb_entries import entry_identifier

__all__ = ["SourceSettings"]


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """Settings of a source of labelled subtomograms.

    Raises
    ------
    InputError
        When a value is outside its bounds or two values contradict each other.
    """

    kind: Literal["phantom", "structures", "pdb", "maps", "folder", "pair"] = param(
        "phantom",
        "Built-in phantoms, structure files (PDB/mmCIF), entries of the Protein Data Bank, density "
        "maps (MRC), a folder of pairs, or one tomogram and its labels.",
    )
    files: tuple[str, ...] = param(
        (),
        "Structure files, PDB identifiers, maps, one folder, or tomogram and labels; empty for phantoms.",
    )
    variety: Literal["random", "fixed"] = param(
        "random",
        "Phantoms of random symmetry, mass and shape, or the fixed phantoms of one group.",
    )
    group: Literal["A", "B"] = param(
        "A",
        "Fixed phantoms: A is like 1bxn, 1f1b and 1yg6, B is like 2byu, 2h12 and 2ldb.",
    )
    count: int = param(500, "Subtomograms simulated in all.", minimum=1, maximum=1_000_000, step=1)
    box: int = param(32, "Edge of a subtomogram.", unit="voxels", minimum=16, maximum=256, step=8)
    voxel_size_angstrom: float = param(
        10.0,
        "Voxel size; that of the target when adapting.",
        unit="Å",
        minimum=1.0,
        maximum=100.0,
        step=0.01,
    )
    snr: tuple[float, ...] = param(
        (0.03, 0.05),
        "Signal-to-noise ratios (variance ratios over the box); each box takes one at random.",
        minimum=0.0001,
        maximum=1000.0,
    )
    snr_of: Literal["box", "molecule"] = param(
        "box",
        "The SNR's signal: what the box holds, or the box's one molecule as if alone and whole, so "
        "that crowded and cut boxes keep the same noise.",
        advanced=True,
    )
    snr_spread: float = param(
        1.0,
        "Largest random factor (log-uniform) by which a box's SNR is multiplied or divided.",
        minimum=1.0,
        maximum=100.0,
        step=0.1,
        advanced=True,
    )
    noise_model: Literal["white", "coloured", "published"] = param(
        "white",
        "White noise, noise with a reconstruction's spectrum, or half before and half after the CTF.",
        advanced=True,
    )
    resolution_angstrom: float = param(
        10.0,
        "Resolution of the density: a Gaussian whose sigma is half of it.",
        unit="Å",
        minimum=1.0,
        maximum=100.0,
        step=0.5,
        advanced=True,
    )
    defocus_um: tuple[float, float] = param(
        (4.0, 6.0),
        "Range of the defocus (underfocus positive).",
        unit="µm",
        minimum=0.0,
        maximum=20.0,
        step=0.1,
    )
    ctf: Literal["raw", "flipped", "mixed"] = param(
        "raw",
        "Contrast transfer as it is, with phases flipped (CTF-corrected), or either at random.",
        advanced=True,
    )
    voltage_kv: float = param(
        300.0,
        "Acceleration voltage.",
        unit="kV",
        minimum=60.0,
        maximum=1000.0,
        step=10.0,
        advanced=True,
    )
    spherical_aberration_mm: float = param(
        2.7,
        "Spherical aberration.",
        unit="mm",
        minimum=0.0,
        maximum=10.0,
        step=0.1,
        advanced=True,
    )
    amplitude_contrast: float = param(
        0.1,
        "Fraction of amplitude contrast; what remains of the lowest frequencies.",
        minimum=0.0,
        maximum=1.0,
        step=0.01,
        advanced=True,
    )
    envelope_nyquist: float = param(
        0.4,
        "Sigma of the Gaussian envelope as a fraction of the Nyquist frequency.",
        minimum=0.05,
        maximum=10.0,
        step=0.05,
        advanced=True,
    )
    tilt_range_deg: float = param(
        60.0,
        "Largest tilt; 60 leaves a missing wedge of 30° at each side.",
        unit="°",
        minimum=10.0,
        maximum=90.0,
        step=1.0,
    )
    tilt_jitter_deg: float = param(
        0.0,
        "Largest random change of each end of the tilt range.",
        unit="°",
        minimum=0.0,
        maximum=30.0,
        step=1.0,
        advanced=True,
    )
    neighbours: int = param(
        4, "Largest number of other molecules in the box.", minimum=0, maximum=32, step=1
    )
    fewest_neighbours: int = param(
        0,
        "Smallest number of other molecules that are tried.",
        minimum=0,
        maximum=32,
        step=1,
        advanced=True,
    )
    offset_voxels: float = param(
        8.0,
        "Largest random offset of the molecule from the box centre along each axis.",
        unit="voxels",
        minimum=0.0,
        maximum=128.0,
        step=0.5,
    )
    empty_fraction: float = param(
        0.1, "Fraction of boxes that hold no molecule.", minimum=0.0, maximum=0.9, step=0.01
    )
    filament_fraction: float = param(
        0.08,
        "Fraction of boxes of random phantoms that a labelled filament or tube crosses.",
        minimum=0.0,
        maximum=1.0,
        step=0.01,
    )
    small_proteins: int = param(
        8,
        "Largest number of unlabelled proteins of 15 to 70 kDa in a box.",
        minimum=0,
        maximum=1000,
        step=1,
    )
    gold_fraction: float = param(
        0.05,
        "Fraction of boxes with an unlabelled gold bead.",
        minimum=0.0,
        maximum=1.0,
        step=0.01,
    )
    membrane_fraction: float = param(
        0.1,
        "Fraction of boxes with an unlabelled piece of membrane.",
        minimum=0.0,
        maximum=1.0,
        step=0.01,
    )

    def __post_init__(self) -> None:
        validate(self)
        if not self.snr:
            raise InputError("SourceSettings.snr: at least one value was wanted, got none.")
        if self.defocus_um[0] > self.defocus_um[1]:
            raise InputError(
                f"SourceSettings.defocus_um: (smallest, largest) was wanted, got {self.defocus_um}."
            )
        if self.kind == "phantom" and self.files:
            raise InputError(
                "SourceSettings.files: none were wanted with kind 'phantom', "
                f"got {self.files[0]!r}; choose another kind or leave the files out."
            )
        if self.kind != "phantom" and not self.files:
            raise InputError(
                f"SourceSettings.files: at least one was wanted with kind {self.kind!r}, got none."
            )
        if self.kind == "pdb":
            object.__setattr__(self, "files", tuple(entry_identifier(f) for f in self.files))

    @classmethod
    def paper(cls, **changes: Any) -> SourceSettings:
        """Return the published source, with single settings changed by name.

        Group A or B, one molecule and four neighbours in each box, offset up to 8 voxels, 32³ at
        10 Å, SNR 0.03 and 0.05, -5 µm, 300 kV, Cs 2.0 mm, tilts ±60°, no empty boxes, and nothing
        that is not labelled.

        Raises
        ------
        InputError
            When a changed value is not allowed.
        """
        published: dict[str, Any] = {
            "variety": "fixed",
            "group": "A",
            "count": 3000,
            "snr": (0.03, 0.05),
            "snr_of": "box",
            "noise_model": "published",
            "defocus_um": (5.0, 5.0),
            "spherical_aberration_mm": 2.0,
            "neighbours": 4,
            "fewest_neighbours": 4,
            "offset_voxels": 8.0,
            "empty_fraction": 0.0,
            "filament_fraction": 0.0,
            "small_proteins": 0,
            "gold_fraction": 0.0,
            "membrane_fraction": 0.0,
        }
        return cls(**{**published, **changes})

"""A whole synthetic tomogram with its truth, for the demo, the sample data and tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from napari_voxuda._types import Triple, TripleInt
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.method.fourier import inverse_dft
from napari_voxuda.simulation.density import MASK_LEVEL, fast_length, splat
from napari_voxuda.simulation.distractors import Distractor
from napari_voxuda.simulation.imaging import wedge
from napari_voxuda.simulation.noise import reconstruction_noise
from napari_voxuda.simulation.optics import Optics
from napari_voxuda.simulation.scene_content import (
    PlacedMolecule,
    place_molecules,
    place_unlabelled,
    place_vesicles,
)
from napari_voxuda.simulation.scene_settings import SceneSettings

__all__ = ["Scene", "SceneParticle", "SceneSettings", "make_scene"]

_MARGIN = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneParticle:
    """A labelled molecule of a scene.

    Parameters
    ----------
    label : int
        Its value in `Scene.instances`.
    kind : str
        Short name of the phantom, or of the file without its suffix.
    number : int
        Number of its class: its value in `Scene.classes`.
    centre : tuple of float
        (z, y, x) in voxels, 0-based.
    rotation : numpy.ndarray
        (3, 3) matrix that acts on (z, y, x) columns.
    """

    label: int
    kind: str
    number: int
    centre: Triple
    rotation: npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """A synthetic tomogram and what is in it.

    Parameters
    ----------
    volume : Volume
        (d, h, w) float32 values as drawn, with the stated contrast; not normalised.
    mask : Volume
        (d, h, w) uint8, 1 inside a labelled molecule.
    instances : Volume
        (d, h, w) uint16, the label of each molecule.
    classes : Volume
        (d, h, w) uint16, the class of the molecule in each voxel: 1 for the first of `kinds`.
    kinds : tuple of str
        Names of the classes.
    particles : tuple of SceneParticle
        The labelled molecules.
    """

    volume: Volume
    mask: Volume
    instances: Volume
    classes: Volume
    kinds: tuple[str, ...]
    particles: tuple[SceneParticle, ...]


def make_scene(settings: SceneSettings, generator: torch.Generator) -> Scene:
    """Simulate a whole tomogram of phantoms, or of molecules from files.

    Parameters
    ----------
    settings : SceneSettings
        Size, content and imaging.
    generator : torch.Generator
        Source of randomness on the CPU; one number is drawn from it.

    Returns
    -------
    Scene
        Tomogram and truth.

    Raises
    ------
    InputError
        When a file cannot be used.

    Notes
    -----
    Molecules do not overlap; those near the border are cut. Vesicles, small proteins and gold
    beads are imaged but not labelled. The noise has a reconstruction's spectrum, see
    `reconstruction_noise`.
    """
    rng = np.random.default_rng(int(torch.randint(0, 2**62, (1,), generator=generator).item()))
    # A generator of their own, so that vesicles change nothing where there are none.
    vesicles, shells = place_vesicles(settings, _MARGIN, rng.spawn(1)[0])
    placed = place_molecules(settings, shells, rng)
    others = place_unlabelled(settings, [*shells, *(item.body for item in placed)], rng)
    labels = _label(settings, placed)
    numbers = np.array([0, *(item.number for item in placed)], np.uint16)
    clean, noise = _image(settings, [*placed, *others, *vesicles], rng)
    values = clean + noise * _noise_sigma(clean, labels > 0, settings.signal)
    if settings.contrast == "dark":
        values = -values
    grid = Grid().with_voxel_size(settings.voxel_size_angstrom)
    volume = Volume(data=np.ascontiguousarray(values), grid=grid, name="scene")
    return Scene(
        volume=volume,
        mask=volume.with_data((labels > 0).astype(np.uint8), name="scene_mask"),
        instances=volume.with_data(labels, name="scene_instances"),
        classes=volume.with_data(numbers[labels], name="scene_classes"),
        kinds=settings.names,
        particles=tuple(
            SceneParticle(
                label=number,
                kind=item.kind,
                number=item.number,
                centre=(float(item.centre[0]), float(item.centre[1]), float(item.centre[2])),
                rotation=item.rotation,
            )
            for number, item in enumerate(placed, start=1)
        ),
    )


def _label(settings: SceneSettings, placed: list[PlacedMolecule]) -> npt.NDArray[np.uint16]:
    """Threshold each molecule's own density in a box around it."""
    labels = np.zeros(settings.shape, np.uint16)
    best = np.zeros(settings.shape, np.float32)
    for number, item in enumerate(placed, start=1):
        half = int(np.ceil(item.molecule.radius)) + 3
        edge = fast_length(2 * half + 1)
        corner = np.round(item.centre).astype(int) - half
        shape: TripleInt = (edge, edge, edge)
        optics = _optics(settings, shape)
        grid = torch.from_numpy(splat(item.points - corner, item.molecule.weights[1], shape))
        own = inverse_dft(torch.fft.rfftn(grid) * optics.to_mask, shape).numpy()
        low = np.maximum(corner, 0)
        high = np.minimum(corner + edge, settings.shape)
        there = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        here = tuple(slice(a - c, b - c) for a, b, c in zip(low, high, corner, strict=True))
        wins = (own[here] >= MASK_LEVEL) & (own[here] > best[there])
        labels[there][wins] = number
        best[there][wins] = own[here][wins]
    return labels


def _image(
    settings: SceneSettings, items: list[PlacedMolecule | Distractor], rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the noise-free protein-bright tomogram, and noise of variance 1."""
    d, h, w = (fast_length(n + 2 * _MARGIN) for n in settings.shape)
    optics = _optics(settings, (d, h, w))
    transfer = optics.transfer(
        defocus_um=settings.defocus_um,
        tilt_min_deg=-settings.tilt_range_deg,
        tilt_max_deg=settings.tilt_range_deg,
        ctf="raw",
    )
    inner = tuple(slice(_MARGIN, _MARGIN + n) for n in settings.shape)
    measured = wedge(optics.shape, -settings.tilt_range_deg, settings.tilt_range_deg)
    noise = reconstruction_noise(transfer, optics.band, measured, optics.shape, rng)[inner].numpy()
    noise = (noise - noise.mean()) / noise.std()
    if not items:
        return np.zeros(settings.shape, np.float32), noise
    points = np.concatenate([item.points for item in items]) + _MARGIN
    weights = np.concatenate([item.weights for item in items])
    spectrum = torch.fft.rfftn(torch.from_numpy(splat(points, weights, optics.shape)))
    clean = inverse_dft(spectrum * transfer * optics.unsplat, optics.shape)
    return clean[inner].numpy(), noise


def _noise_sigma(
    clean: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_], signal: float
) -> float:
    """Return the noise that makes the mean z-score inside the mask equal to `signal`.

    Gold beads and other unlabelled density limit what can be reached; then almost no noise is left.
    """
    if not mask.any():
        return 1.0
    step = float(clean[mask].mean() - clean.mean())
    spare = (step / signal) ** 2 - float(clean.var())
    return float(np.sqrt(max(spare, 1e-4 * float(clean.var()))))


def _optics(settings: SceneSettings, shape: TripleInt) -> Optics:
    return Optics(
        shape,
        voxel_size_angstrom=settings.voxel_size_angstrom,
        resolution_angstrom=12.0,
        envelope_nyquist=0.6,
        voltage_kv=300.0,
        spherical_aberration_mm=2.7,
        amplitude_contrast=0.1,
    )

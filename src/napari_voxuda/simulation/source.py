"""A source of labelled subtomograms: draw, render, add noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_voxuda._params import to_dict
from napari_voxuda.errors import InputError
from napari_voxuda.simulation import noise
from napari_voxuda.simulation.batch import Source, SourceBatch
from napari_voxuda.simulation.catalogue import POWER_BINS, make_catalogue, power_bins
from napari_voxuda.simulation.density import MASK_LEVEL, fast_length, splat
from napari_voxuda.simulation.labelled_volume import read_labelled
from napari_voxuda.simulation.optics import Optics, margin_of
from napari_voxuda.simulation.pairs import PairSource
from napari_voxuda.simulation.placement import Draw, Molecules, draw_box
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["Rendered", "SimulatedSource", "Source", "SourceBatch", "make_source"]


_LEAST_SIGNAL = 0.1
"""Boxes with a smaller share of a whole molecule's variance take the noise of a whole one."""


def make_source(settings: SourceSettings) -> Source:
    """Return the source that the settings describe.

    Parameters
    ----------
    settings : SourceSettings
        Kind of molecules and how they are imaged.

    Returns
    -------
    Source
        Ready to draw from.

    Raises
    ------
    InputError
        When a file cannot be used.
    DownloadError
        When a PDB entry is not in the cache and cannot be fetched.
    """
    if settings.kind == "folder":
        return PairSource(settings)
    if settings.kind == "pair":
        return read_labelled(settings)
    return SimulatedSource(settings, make_catalogue(settings))


@dataclass(frozen=True, kw_only=True, eq=False)
class Rendered:
    """One box without noise.

    Parameters
    ----------
    labelled : torch.Tensor
        (d, h, w) image of the labelled molecules alone.
    clean : torch.Tensor
        (d, h, w) image of everything.
    mask : torch.Tensor
        (d, h, w) bool, where labelled molecules are.
    transfer : torch.Tensor
        Half-spectrum transfer function of the padded box.
    """

    labelled: torch.Tensor
    clean: torch.Tensor
    mask: torch.Tensor
    transfer: torch.Tensor


class SimulatedSource:
    """Boxes of simulated molecules.

    Parameters
    ----------
    settings : SourceSettings
        How boxes are filled and imaged.
    molecules : Molecules
        The catalogue that molecules are drawn from.
    """

    def __init__(self, settings: SourceSettings, molecules: Molecules) -> None:
        self.settings = settings
        self.molecules = molecules
        self.margin = margin_of(settings)
        edge = fast_length(settings.box + 2 * self.margin)
        self.optics = Optics(
            (edge, edge, edge),
            voxel_size_angstrom=settings.voxel_size_angstrom,
            resolution_angstrom=settings.resolution_angstrom,
            envelope_nyquist=settings.envelope_nyquist,
            voltage_kv=settings.voltage_kv,
            spherical_aberration_mm=settings.spherical_aberration_mm,
            amplitude_contrast=settings.amplitude_contrast,
        )
        self._inner = slice(self.margin, self.margin + settings.box)
        self._mask_rows = self.optics.mask_rows(0, self._inner)
        self._bins = power_bins(self.optics.frequency, POWER_BINS)
        self._twice = torch.full((edge // 2 + 1,), 2.0)  # the half spectrum counts twice
        self._twice[0] = 1.0
        if edge % 2 == 0:
            self._twice[-1] = 1.0

    @property
    def description(self) -> dict[str, Any]:
        """What the source is made of, as plain JSON-able values."""
        return {"settings": to_dict(self.settings), "molecules": self.molecules.names}

    def draw(self, count: int, generator: torch.Generator) -> SourceBatch:
        """Draw labelled subtomograms.

        Parameters
        ----------
        count : int
            How many, at least 1.
        generator : torch.Generator
            Source of randomness on the CPU; one number is taken for each box, so ``draw(2)`` and
            ``draw(3)`` give the same five boxes as ``draw(5)``.

        Returns
        -------
        SourceBatch
            On the CPU.

        Raises
        ------
        InputError
            When `count` is below 1.
        """
        if count < 1:
            raise InputError(f"Source.draw: at least 1 box was wanted, got {count}.")
        seeds = torch.randint(0, 2**62, (count,), generator=generator).tolist()
        boxes = [self._box(np.random.default_rng(seed)) for seed in seeds]
        images, clean, masks, signal, noise = (list(part) for part in zip(*boxes, strict=True))
        variance = torch.tensor(signal, dtype=torch.float32)
        return SourceBatch(
            images=torch.stack(images),
            clean=torch.stack(clean),
            masks=torch.stack(masks),
            signal_variance=variance,
            snr=variance / torch.tensor(noise, dtype=torch.float32),
        )

    def render(self, draw: Draw) -> Rendered:
        """Image what was drawn, without noise.

        Parameters
        ----------
        draw : Draw
            Content and imaging conditions of one box.

        Returns
        -------
        Rendered
            Images, mask, and the transfer function.
        """
        transfer = self._transfer(draw)
        passed = transfer * self.optics.unsplat
        box = self.settings.box
        labelled = torch.zeros((box, box, box))
        mask = labelled > 0
        if draw.placements:
            points, weights = [], []
            for placement in draw.placements:
                molecule = self.molecules[placement.molecule]
                points.append(placement.apply(molecule.points))
                weights.append(molecule.weights)
            seen, occupied = self._splat(points, np.concatenate(weights, axis=1))
            labelled = self._imaged(seen, passed)
            mask = self._occupancy(occupied) >= MASK_LEVEL
        clean = labelled
        if draw.distractors:
            others = np.concatenate([d.weights for d in draw.distractors])
            grid = self._splat([d.points for d in draw.distractors], others[None])[0]
            clean = labelled + self._imaged(grid, passed)
        return Rendered(labelled=labelled, clean=clean, mask=mask, transfer=transfer)

    def _splat(
        self, points: list[npt.NDArray[np.float32]], weights: npt.NDArray[np.float32]
    ) -> torch.Tensor:
        moved = np.concatenate(points) + np.float32(self.margin)
        return torch.from_numpy(splat(moved, weights, self.optics.shape))

    def _imaged(self, grid: torch.Tensor, transfer: torch.Tensor) -> torch.Tensor:
        """Apply a transfer function; axes are cropped as they are transformed back, for speed."""
        spectrum = torch.fft.rfftn(grid) * transfer
        spectrum = torch.fft.ifft(spectrum, dim=1)[:, self._inner]
        spectrum = torch.fft.ifft(spectrum, dim=0)[self._inner]
        field: torch.Tensor = torch.fft.irfft(spectrum, n=len(grid), dim=2)
        return field[..., self._inner].contiguous()

    def _occupancy(self, grid: torch.Tensor) -> torch.Tensor:
        """Blur a splatted grid for the mask; only the box is computed."""
        rows, box = self._mask_rows, self.settings.box
        edge = len(grid)
        part = (grid.reshape(edge * edge, edge) @ rows.T).reshape(edge, edge * box)
        return rows @ (rows @ part).reshape(box, edge, box)

    def _box(
        self, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, float, float]:
        draw = draw_box(self.settings, self.molecules, rng)
        made = self.render(draw)
        signal = float(made.labelled.var(correction=0))
        reference = self._whole_variance(draw, made.transfer)
        if self.settings.snr_of == "molecule" or signal < _LEAST_SIGNAL * reference:
            wanted = reference / draw.snr
        else:
            wanted = signal / draw.snr
        added = self._noise(made.transfer, rng)
        added = added * (wanted / float(added.var(correction=0))) ** 0.5
        return made.clean + added, made.clean, made.mask, signal, wanted

    def _noise(self, transfer: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        if self.settings.noise_model == "white":
            box = self.settings.box
            return noise.white_noise((box, box, box), rng)
        if self.settings.noise_model == "published":
            return self._crop(
                noise.published_noise(transfer, self.optics.band, self.optics.shape, rng)
            )
        return self._crop(noise.coloured_noise(transfer, self.optics.shape, rng))

    def _transfer(self, draw: Draw) -> torch.Tensor:
        return self.optics.transfer(
            defocus_um=draw.defocus_um,
            tilt_min_deg=draw.tilt_min_deg,
            tilt_max_deg=draw.tilt_max_deg,
            ctf=draw.ctf,
        )

    def _whole_variance(self, draw: Draw, transfer: torch.Tensor) -> float:
        """Return the variance over the box of the reference molecule, alone and whole.

        Averaged over orientations: the sum of its power times the squared transfer (Parseval).
        """
        power = self.molecules[draw.reference].power
        passed = (power[self._bins] * transfer**2 * self._twice).sum()
        return float(passed) / self.optics.shape[0] ** 3 / self.settings.box**3

    def _crop(self, field: torch.Tensor) -> torch.Tensor:
        inner = self._inner
        return field[inner, inner, inner].contiguous()

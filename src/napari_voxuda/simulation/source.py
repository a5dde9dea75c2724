"""A source of labelled subtomograms: draw, render, add noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from napari_voxuda._params import to_dict
from napari_voxuda.errors import InputError
from napari_voxuda.simulation import noise
from napari_voxuda.simulation.batch import Source, SourceBatch
from napari_voxuda.simulation.catalogue import make_catalogue, power_bins
from napari_voxuda.simulation.density import MASK_LEVEL, fast_length, splat
from napari_voxuda.simulation.optics import Optics, fringe_margin
from napari_voxuda.simulation.pairs import PairSource
from napari_voxuda.simulation.placement import Draw, Molecules, draw_box
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["SimulatedSource", "Source", "SourceBatch", "make_source"]


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
    return SimulatedSource(settings, make_catalogue(settings))


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
        fringes = fringe_margin(
            voxel_size_angstrom=settings.voxel_size_angstrom,
            defocus_um=settings.defocus_um[1],
            voltage_kv=settings.voltage_kv,
            envelope_nyquist=settings.envelope_nyquist,
        )
        self.margin = min(fringes, max(8, settings.box // 2))
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
        images, clean, masks, snr = (list(part) for part in zip(*boxes, strict=True))
        return SourceBatch(
            images=torch.stack(images),
            clean=torch.stack(clean),
            masks=torch.stack(masks),
            snr=torch.tensor(snr, dtype=torch.float32),
        )

    def render(self, draw: Draw) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Image what was drawn, without noise.

        Parameters
        ----------
        draw : Draw
            Content and imaging conditions of one box.

        Returns
        -------
        tuple of torch.Tensor
            Clean image (d, h, w) and mask (d, h, w) of the box, and the half-spectrum transfer
            function of the padded box.
        """
        transfer = self._transfer(draw)
        box = self.settings.box
        if not draw.placements:
            empty = torch.zeros((box, box, box))
            return empty, empty > 0, transfer
        points, weights = [], []
        for placement in draw.placements:
            molecule = self.molecules[placement.molecule]
            points.append(placement.apply(molecule.points) + self.margin)
            weights.append(molecule.weights)
        grids = torch.from_numpy(
            splat(np.concatenate(points), np.concatenate(weights, axis=1), self.optics.shape)
        )
        spectra = torch.fft.rfftn(grids, dim=(1, 2, 3))
        spectra[0] *= transfer * self.optics.unsplat
        spectra[1] *= self.optics.to_mask
        fields = torch.fft.irfftn(spectra, s=self.optics.shape, dim=(1, 2, 3))
        return self._crop(fields[0]), self._crop(fields[1]) >= MASK_LEVEL, transfer

    def _box(
        self, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, float]:
        draw = draw_box(self.settings, self.molecules, rng)
        clean, mask, transfer = self.render(draw)
        signal = float(clean.var(correction=0))
        reference = self._whole_variance(draw, transfer)
        if self.settings.snr_of == "molecule" or signal < _LEAST_SIGNAL * reference:
            wanted = reference / draw.snr
        else:
            wanted = signal / draw.snr
        added = self._noise(transfer, rng)
        added = added * (wanted / float(added.var(correction=0))) ** 0.5
        return clean + added, clean, mask, signal / wanted

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
        passed = power[power_bins(self.optics.frequency, len(power))] * transfer**2
        full = 2.0 * passed.sum() - passed[..., 0].sum()  # the half spectrum counts twice
        edge = self.optics.shape[0]
        if edge % 2 == 0:
            full = full - passed[..., -1].sum()
        return float(full) / edge**3 / self.settings.box**3

    def _crop(self, field: torch.Tensor) -> torch.Tensor:
        inner = slice(self.margin, self.margin + self.settings.box)
        return field[inner, inner, inner].contiguous()

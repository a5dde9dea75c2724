"""Where the results of a segmentation go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_voxuda.app.jobs import Segmentation

__all__ = ["Outputs", "mask_name"]


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Files for the results of one volume, or folders for those of a folder of volumes.

    Parameters
    ----------
    mask, probability : Path
        MRC; the probability may be None, as all that follow.
    picks : Path or None
        Centres of the particles (STAR).
    table : Path or None
        The particles (CSV).
    """

    mask: Path
    probability: Path | None = None
    picks: Path | None = None
    table: Path | None = None

    @property
    def given(self) -> list[Path]:
        """Return the paths that are asked for."""
        paths = (self.mask, self.probability, self.picks, self.table)
        return [path for path in paths if path is not None]

    def of(self, volume: Path) -> Outputs:
        """Return the files of `volume` in these folders."""
        from napari_voxuda.io.mrc import mrc_stem

        stem = mrc_stem(volume) or volume.stem
        return Outputs(
            mask=self.mask / mask_name(volume),
            probability=self.probability and self.probability / f"{stem}.mrc",
            picks=self.picks and self.picks / f"{stem}.star",
            table=self.table and self.table / f"{stem}.csv",
        )

    def write(self, segmentation: Segmentation, *, tomogram_name: str) -> None:
        """Write what is asked for, each file whole or not at all.

        Parameters
        ----------
        segmentation : Segmentation
            The results.
        tomogram_name : str
            Goes into the picks.

        Raises
        ------
        OutputError
            When a file cannot be written.
        """
        from napari_voxuda.io.mrc import write_mask, write_mrc
        from napari_voxuda.io.table import write_particles_csv

        for path in self.given:
            path.parent.mkdir(parents=True, exist_ok=True)
        if self.probability is not None:
            write_mrc(self.probability, segmentation.probability, label="probability")
        if self.table is not None:
            write_particles_csv(self.table, segmentation.particles, segmentation.mask.grid)
        if self.picks is not None:
            _write_picks(self.picks, segmentation, tomogram_name)
        write_mask(self.mask, segmentation.mask)


def mask_name(volume: Path) -> str:
    """Return the file name of the mask of `volume`: NAME_subtomo.mrc gives NAME_mask.mrc."""
    from napari_voxuda.io.mrc import mrc_stem

    stem = mrc_stem(volume) or volume.stem
    if stem.endswith("_subtomo"):
        stem = stem.removesuffix("_subtomo") + "_mask"
    return f"{stem}.mrc"


def _write_picks(path: Path, segmentation: Segmentation, tomogram_name: str) -> None:
    import numpy as np

    from napari_voxuda.data.picks import Picks
    from napari_voxuda.io.star import write_star_picks

    particles, volume = segmentation.particles, segmentation.mask
    picks = Picks(
        positions=np.array([p.centroid for p in particles], dtype=np.float64).reshape(-1, 3),
        scores=np.array([p.mean_probability for p in particles], dtype=np.float64),
    )
    write_star_picks(
        path,
        picks,
        tomogram_name=tomogram_name,
        voxel_size_angstrom=volume.grid.voxel_size_angstrom,
        shape=volume.shape,
    )

"""A source that cuts its boxes from one tomogram whose labels are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_voxuda._params import to_dict
from napari_voxuda._types import TripleInt
from napari_voxuda.data.boxes import cut_box
from napari_voxuda.data.masks import as_mask
from napari_voxuda.data.normalise import volume_statistics
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError
from napari_voxuda.simulation.batch import SourceBatch
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["LabelledVolume", "check_labelled", "read_labelled"]

_VOXEL_SIZE_TOLERANCE = 0.02
_REACH = 0.25  # of a box, from a labelled voxel to the box centre


class LabelledVolume:
    """Boxes of a tomogram with labels, mostly at labelled places.

    Every box has its centre within a quarter box of a labelled voxel, but for the share
    ``empty_fraction``, which lies anywhere. What is not labelled counts as background.

    Parameters
    ----------
    settings : SourceSettings
        `box`, `voxel_size_angstrom` and `empty_fraction` are used.
    image : Volume
        (d, h, w) values, protein bright; thinner volumes than a box are mirrored at their borders.
    labels : Volume
        (d, h, w) labels, 0 where there is nothing.

    Raises
    ------
    InputError
        When the two do not fit together; see `check_labelled`.
    """

    def __init__(self, settings: SourceSettings, image: Volume, labels: Volume) -> None:
        self._mask = check_labelled(image, labels, settings.voxel_size_angstrom)
        self.settings = settings
        self._name = image.name
        self._image = image.data
        self._mean, self._std = volume_statistics(image.data, name=image.name)
        self._labelled = np.flatnonzero(self._mask)

    @property
    def description(self) -> dict[str, Any]:
        """What the source is made of, as plain JSON-able values."""
        share = len(self._labelled) / self._mask.size
        return {
            "settings": to_dict(self.settings),
            "shape": list(self._mask.shape),
            "labelled_fraction": share,
        }

    def draw(self, count: int, generator: torch.Generator) -> SourceBatch:
        """Draw labelled subtomograms; see `Source.draw`. `clean` and the signal are the image itself."""
        if count < 1:
            raise InputError(f"Source.draw: at least 1 box was wanted, got {count}.")
        seeds = torch.randint(0, 2**62, (count,), generator=generator).tolist()
        starts = [self._start(np.random.default_rng(seed)) for seed in seeds]
        box = self.settings.box
        images = np.stack([cut_box(self._image, s, box).astype(np.float32) for s in starts])
        masks = np.stack([cut_box(self._mask, s, box) for s in starts])
        stacked = (torch.from_numpy(images) - self._mean) / self._std
        return SourceBatch(
            images=stacked,
            clean=stacked.clone(),
            masks=torch.from_numpy(masks),
            signal_variance=stacked.var(dim=(1, 2, 3), correction=0),
            snr=torch.full((count,), torch.nan),
        )

    def _start(self, rng: np.random.Generator) -> TripleInt:
        box, shape = self.settings.box, np.array(self._mask.shape)
        room = shape - box
        anywhere, unit = rng.random() < self.settings.empty_fraction, rng.random(3)
        chosen = self._labelled[rng.integers(len(self._labelled))]
        if anywhere:
            start = np.floor(unit * (room + 1))
        else:
            centre = np.array(np.unravel_index(chosen, self._mask.shape))
            start = np.floor(centre + (unit - 0.5) * 2 * _REACH * box - box / 2 + 0.5)
        start = np.where(room > 0, np.clip(start, 0, np.maximum(room, 0)), room // 2)
        z, y, x = (int(value) for value in start)
        return z, y, x


def check_labelled(
    image: Volume, labels: Volume, voxel_size_angstrom: float | None
) -> npt.NDArray[np.bool_]:
    """Return where there are labels, after checking that a pair can teach a network.

    Parameters
    ----------
    image, labels : Volume
        The tomogram and its labels.
    voxel_size_angstrom : float or None
        The target's voxel size in Å, which the image must have; not checked without, or where the image does
        not tell its own.

    Returns
    -------
    numpy.ndarray
        (d, h, w) bool.

    Raises
    ------
    InputError
        When shapes or voxel sizes differ, the labels are no labels, or nothing or everything is
        labelled.
    """
    if image.shape != labels.shape:
        raise InputError(
            f"Source: labels of the shape {image.shape} of {image.name} were wanted, got {labels.shape} "
            f"in {labels.name}. Choose the labels that were drawn on this tomogram."
        )
    size = image.grid.voxel_size_angstrom
    if size is not None and voxel_size_angstrom is not None:
        wanted = voxel_size_angstrom
        if any(abs(s - wanted) > _VOXEL_SIZE_TOLERANCE * wanted for s in size):
            raise InputError(
                f"Source: {image.name} has voxels of {size[0]:.4g} Å, but the target's are "
                f"{wanted:.4g} Å, and nothing is resampled. Bring both to one voxel size."
            )
    mask: npt.NDArray[np.bool_] = as_mask(labels).data > 0
    if not mask.any():
        raise InputError(
            f"Source: labels were wanted, but {labels.name} is empty. Paint every particle of a tomogram "
            "or of a part that is cut out of it."
        )
    if mask.all():
        raise InputError(
            f"Source: background was wanted beside the labels, but {labels.name} covers everything."
        )
    return mask


def read_labelled(settings: SourceSettings) -> LabelledVolume:
    """Return the source of kind ``pair`` whose two files the settings name.

    Raises
    ------
    InputError
        When there are not two files or they cannot be used.
    """
    from napari_voxuda.io.volumes import read_volume

    if len(settings.files) != 2:
        raise InputError(
            f"source: a tomogram and its labels were wanted, got {len(settings.files)} files."
        )
    image, labels = (read_volume(Path(file).expanduser()) for file in settings.files)
    return LabelledVolume(settings, image, labels)

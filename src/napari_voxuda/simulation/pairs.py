"""A source that draws from a folder of subtomograms and masks made earlier."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_voxuda._params import to_dict
from napari_voxuda.data.masks import as_mask
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError
from napari_voxuda.io.folders import find_pairs
from napari_voxuda.io.mrc import read_mrc
from napari_voxuda.simulation.batch import SourceBatch
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["PairSource"]

_VOXEL_SIZE_TOLERANCE = 0.02


class PairSource:
    """Labelled subtomograms read from a folder, in random order, with replacement.

    Parameters
    ----------
    settings : SourceSettings
        Of kind ``folder``; `box` and `voxel_size_angstrom` must fit the files.

    Raises
    ------
    InputError
        When the folder holds no pairs, or a pair does not fit: another shape, a smaller box,
        another voxel size. Nothing is resampled; larger boxes are cropped at their centre.
    """

    def __init__(self, settings: SourceSettings) -> None:
        if len(settings.files) != 1:
            raise InputError(f"source: one folder was wanted, got {len(settings.files)} paths.")
        self.settings = settings
        self.folder = Path(settings.files[0]).expanduser()
        self.pairs = find_pairs(self.folder)
        self._read = lru_cache(maxsize=4096)(self._pair)
        for number in range(len(self.pairs)):
            self._check(number)

    @property
    def description(self) -> dict[str, Any]:
        """What the source is made of, as plain JSON-able values."""
        names = [image.name for image, _ in self.pairs]
        return {"settings": to_dict(self.settings), "pairs": names}

    def draw(self, count: int, generator: torch.Generator) -> SourceBatch:
        """Draw labelled subtomograms; see `Source.draw`. `clean` and the signal are the image itself."""
        if count < 1:
            raise InputError(f"Source.draw: at least 1 box was wanted, got {count}.")
        numbers = torch.randint(0, len(self.pairs), (count,), generator=generator).tolist()
        images, masks = zip(*(self._read(n) for n in numbers), strict=True)
        stacked = torch.stack(images)
        return SourceBatch(
            images=stacked,
            clean=stacked.clone(),
            masks=torch.stack(masks),
            signal_variance=stacked.var(dim=(1, 2, 3), correction=0),
            snr=torch.full((count,), torch.nan),
        )

    def _check(self, number: int) -> None:
        """Raise when a pair cannot be used, from the headers alone."""
        path, mask_path = self.pairs[number]
        image, mask = read_mrc(path), read_mrc(mask_path)
        if image.shape != mask.shape:
            raise InputError(
                f"{mask_path}: a mask of shape {image.shape} was wanted, as its subtomogram has, "
                f"got {mask.shape}."
            )
        box, wanted = self.settings.box, self.settings.voxel_size_angstrom
        if min(image.shape) < box:
            raise InputError(
                f"{path}: a box of at least {box} voxels was wanted, got {image.shape}; "
                "choose a smaller box or simulate the source anew."
            )
        size = image.grid.voxel_size_angstrom
        if size is not None and any(abs(s - wanted) > _VOXEL_SIZE_TOLERANCE * wanted for s in size):
            raise InputError(
                f"{path}: a voxel size of {wanted:g} Å was wanted, got {size[0]:g} Å; subtomograms "
                f"are not resampled, so simulate the source anew at {wanted:g} Å."
            )

    def _pair(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        path, mask_path = self.pairs[number]
        image = torch.from_numpy(self._cropped(read_mrc(path)).astype(np.float32))
        if not bool(torch.isfinite(image).all()):
            raise InputError(f"{path}: finite values were wanted, got NaN or infinity.")
        return image, torch.from_numpy(self._cropped(as_mask(read_mrc(mask_path))) > 0)

    def _cropped(self, volume: Volume) -> np.ndarray[Any, np.dtype[Any]]:
        box = self.settings.box
        inner = tuple(slice((n - box) // 2, (n - box) // 2 + box) for n in volume.shape)
        return np.ascontiguousarray(volume.data[inner])

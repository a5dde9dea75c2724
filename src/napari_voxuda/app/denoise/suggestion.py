"""A width of the range kernel that suits the noise of a tomogram."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._params import parameters
from napari_voxuda.app.denoise.task import ValueStatistics
from napari_voxuda.data.reading import read_part
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError
from napari_voxuda.method.denoising import DenoiseSettings

__all__ = ["Suggestion", "suggest_settings"]

_EDGE = 40
_PLACES = 3  # along each axis, as far as the volume is long enough for different ones
_DIGITS = 2


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """Settings that suit the data, and why.

    Parameters
    ----------
    settings : DenoiseSettings
        The given settings with another `sigma_range`.
    words : str
        Where the number comes from.
    """

    settings: DenoiseSettings
    words: str


def suggest_settings(
    volume: Volume, settings: DenoiseSettings, statistics: ValueStatistics
) -> Suggestion:
    """Suggest the range width of the IBF or the bilateral filter from the noise of a volume.

    Parameters
    ----------
    volume : Volume
        The volume; up to 27 cubes of 40³ voxels, spread over it, are read.
    settings : DenoiseSettings
        The denoiser.
    statistics : ValueStatistics
        Of the whole volume: the filters measure the width in units of these.

    Returns
    -------
    Suggestion
        Two significant digits.

    Raises
    ------
    InputError
        When the denoiser has no range kernel, or the values do not vary.

    Notes
    -----
    Both filters compare a voxel with its 26 neighbours, so the noise that counts is that between
    neighbours. It is taken as a median, which edges of structures, gold beads and empty margins
    hardly move, in each cube, and as the median over the cubes that are not empty.

    IBF: 0.65 times the median difference of the gradients of neighbours, in units of the volume
    scaled to [0, 1] by its lowest and highest value; see `suggest_sigma_range`. Bilateral: 1.2
    times the noise's standard deviation, in units of the volume's standard deviation; see
    `suggest_bilateral_sigma_range`. On data that is nearly all noise both give about the paper's
    1.2. Where single voxels stretch the range of values, or structures the deviation, noise is a
    smaller part of it, and so is the suggestion.
    """
    import torch

    from napari_voxuda.method.bilateral import suggest_bilateral_sigma_range
    from napari_voxuda.method.improved_bilateral import suggest_sigma_range

    if settings.method == "ngm":
        raise InputError(
            "suggestion: a denoiser with a range kernel was wanted; NGM has none. Choose the IBF or "
            "the bilateral filter."
        )
    found = []
    for cube in _cubes(volume.data):
        tensor = torch.from_numpy(cube)
        try:
            if settings.method == "ibf":
                limits = (statistics.minimum, statistics.maximum)
                width = suggest_sigma_range(tensor, operator=settings.operator, value_range=limits)
            else:
                width = suggest_bilateral_sigma_range(tensor) / statistics.standard_deviation
        except InputError:  # an empty margin
            continue
        found.append(width)
    if not found:
        raise InputError(
            f"{volume.name}: a volume whose values vary was wanted, but neighbours are equal "
            "everywhere. Choose sigma range by hand."
        )
    width = _rounded(float(np.median(found)))
    bounds = parameters(settings)["sigma_range"]
    width = min(max(width, bounds.minimum or 0.0), bounds.maximum or math.inf)
    source = (
        "0.65 times the median difference of the gradients of neighbours"
        if settings.method == "ibf"
        else f"1.2 times the noise, which is {width / 1.2:.2g} of the tomogram's deviation"
    )
    return Suggestion(
        settings=replace(settings, sigma_range=width),
        words=f"Sigma range {width:g} suits this tomogram: {source}.",
    )


def _cubes(array: npt.NDArray[Any]) -> Iterator[npt.NDArray[np.float32]]:
    starts = []
    for length in array.shape:
        last = max(0, length - _EDGE)
        count = min(_PLACES, 1 + last // _EDGE)
        # Off the borders where there is room: they are often padding.
        places = (last * (2 * n + 1) // (2 * count) for n in range(count))
        starts.append(sorted(set(places)))
    for corner in itertools.product(*starts):
        yield read_part(array, tuple(slice(a, a + _EDGE) for a in corner)).astype(np.float32)


def _rounded(value: float) -> float:
    return round(value, _DIGITS - 1 - math.floor(math.log10(value))) if value > 0 else value

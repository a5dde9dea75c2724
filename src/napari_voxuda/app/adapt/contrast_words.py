"""What the contrast of a target looks like, in words."""

from __future__ import annotations

from collections.abc import Sequence

from napari_voxuda.app.words import names_words
from napari_voxuda.data.volume import Volume

__all__ = ["contrast_words"]


def contrast_words(volumes: Sequence[Volume]) -> str:
    """Say whether protein looks dark or bright in each of some tomograms; called in a worker.

    Parameters
    ----------
    volumes : sequence of Volume
        At least one tomogram.

    Raises
    ------
    InputError
        When values are not finite or all equal.
    """
    from napari_voxuda.data.contrast import detect_contrast

    guesses = [(volume.name, detect_contrast(volume)) for volume in volumes]
    if len(guesses) == 1:
        ((_, guess),) = guesses
        return guess.reason if guess.is_sure else f"⚠ {guess.reason}"
    groups: dict[str, list[str]] = {}
    for name, guess in guesses:
        words = f"Protein is {guess.contrast} in" if guess.is_sure else "Not sure in"
        groups.setdefault(words, []).append(name)
    if len(groups) == 1 and guesses[0][1].is_sure:
        return f"Protein is {guesses[0][1].contrast} in all {len(guesses)} tomograms."
    told = [f"{words} {names_words(names)}." for words, names in groups.items()]
    return f"⚠ {' '.join(told)} Check by eye: a run needs one contrast."

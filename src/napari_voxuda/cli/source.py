"""The simulated source of a run as options of the command line."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from napari_voxuda.cli.options import Given
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["SET_OTHERWISE", "simulated_source"]

SET_OTHERWISE = ("kind", "files", "voxel_size_angstrom")
"""Settings of the source that ``--source`` and the target give."""


def simulated_source(words: Sequence[str] | None, given: Given) -> SourceSettings:
    """Return the source that the words after ``--source`` name, phantoms without.

    Raises
    ------
    InputError
        When the words or a setting cannot be used.
    """
    from napari_voxuda.simulation.words import source_settings_from_words

    return given.make(partial(source_settings_from_words, list(words or ["phantom"])))

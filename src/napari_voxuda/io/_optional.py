"""Import packages that come with an extra."""

from __future__ import annotations

import importlib
from types import ModuleType

from napari_voxuda.errors import DependencyError

__all__ = ["needed"]


def needed(package: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional package.

    Parameters
    ----------
    package : str
        Name to import.
    extra : str
        The extra of napari-voxuda that installs it.
    purpose : str
        What it is needed for, as the subject of a sentence, for example ``"OME-Zarr"``.

    Raises
    ------
    DependencyError
        When it is not installed or cannot be imported; the message names the extra.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise DependencyError(
            f"{purpose} needs the package {package}, which cannot be imported ({error}); run: "
            f'pip install "napari-voxuda[{extra}]"'
        ) from error

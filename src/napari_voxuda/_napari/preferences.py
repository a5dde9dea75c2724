"""The plugin's page in napari's preferences, where the version has one (napari 0.9)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_voxuda.app.preferences import Preferences, set_preferences

__all__ = ["follow_preferences"]

_PLUGIN = "napari-voxuda"
_watched: list[Any] = []


def follow_preferences() -> None:
    """Put in force what napari's preferences say, now and whenever they change."""
    page = _page()
    if page is None:
        return
    _take(page)
    if not any(page is watched for watched in _watched):
        _watched.append(page)
        page.events.connect(lambda event=None: _take(page))


def _page() -> Any:
    try:
        from napari.settings import get_plugin_settings

        return get_plugin_settings(_PLUGIN).docks
    except (
        ImportError,
        KeyError,
        AttributeError,
    ):  # an older napari, or one that left the page out
        return None


def _take(page: Any) -> None:
    folder = str(page.runs_folder).strip()
    set_preferences(
        Preferences(
            runs_folder=Path(folder).expanduser() if folder else None, remember=bool(page.remember)
        )
    )

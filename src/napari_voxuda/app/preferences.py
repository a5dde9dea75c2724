"""What the user sets once for the whole program, and not in a dock."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Preferences", "preferences", "set_preferences"]


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """Preferences of the viewer's plugin.

    Parameters
    ----------
    runs_folder : Path or None
        Where new runs are kept; the user's data folder without.
    remember : bool
        Whether the docks begin with what was chosen last.
    """

    runs_folder: Path | None = None
    remember: bool = True


class _Current:
    value = Preferences()


def preferences() -> Preferences:
    """Return the preferences in force."""
    return _Current.value


def set_preferences(value: Preferences) -> None:
    """Put other preferences in force."""
    _Current.value = value

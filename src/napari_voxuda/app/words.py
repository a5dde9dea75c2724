"""Sentences for people: durations, progress, and what to do about an error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from napari_voxuda.errors import VoxUDAError, is_out_of_memory

__all__ = ["Level", "error_words", "names_words", "time_words"]

Level = Literal["info", "warning", "error"]
"""How a sentence is shown."""


def time_words(seconds: float) -> str:
    """Return a rounded duration such as ``"2 min 10 s"``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60 // 10 * 10} s"
    if whole < 5400:
        return f"{round(whole / 60)} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def names_words(names: Sequence[str]) -> str:
    """Return names in short, such as ``"a"``, ``"a and b"`` or ``"a and 3 more"``."""
    if len(names) > 2:
        return f"{names[0]} and {len(names) - 1} more"
    return " and ".join(names)


def error_words(error: BaseException, *, doing: str, memory_advice: str) -> str:
    """Return one or two sentences: what failed, why, and what to do next.

    Parameters
    ----------
    error : BaseException
        What was raised.
    doing : str
        What was being done, for example ``"adapting"``.
    memory_advice : str
        What to change when memory ran out; a sentence.
    """
    if isinstance(error, VoxUDAError):
        return str(error)
    if is_out_of_memory(error):
        return f"Memory ran out while {doing}. {memory_advice}"
    said = str(error).strip().splitlines()
    cause = f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
    return (
        f"Something unexpected stopped {doing} ({cause}). "
        "Try again; if it comes back, report it with the text of the terminal."
    )

"""The subcommand ``info``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_voxuda.cli.arguments import Json
from napari_voxuda.cli.console import aligned, result, show_json

__all__ = ["info", "rows"]

_ONLY_IN_JSON = ("source_description",)
_UNITS = {"_angstrom": "Å", "_um": "µm", "_deg": "°", "_kv": "kV", "_mm": "mm"}


def info(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            help="A volume, picks, a run folder, a copick project, a folder of subtomograms, or anything "
            "that this program has written.",
        ),
    ],
    json: Json = False,
) -> None:
    """Tell what a file or folder holds."""
    from napari_voxuda.app.info import describe

    facts = describe(path)
    if json:
        show_json(facts)
    else:
        result(aligned(rows({k: v for k, v in facts.items() if k not in _ONLY_IN_JSON})))


def rows(facts: dict[str, Any], heading: str = "") -> list[tuple[str, str]]:
    """Return nested facts as rows of name and value; nested names are joined by colons."""
    found: list[tuple[str, str]] = []
    for key, value in facts.items():
        name = f"{heading}{_words(key)}"
        if isinstance(value, dict):
            found += rows(value, f"{name}: ")
        elif isinstance(value, list) and value and isinstance(value[0], dict | str):
            for item in value:
                text = ", ".join(v for _, v in rows(item)) if isinstance(item, dict) else str(item)
                found.append((name, text))
        else:
            found.append((name, _text(value, unknown="angstrom" in key)))
    return found


def _words(key: str) -> str:
    """Return a key with spaces and its unit in brackets."""
    for suffix, unit in _UNITS.items():
        if key.endswith(suffix):
            return f"{key.removesuffix(suffix).replace('_', ' ')} ({unit})"
    return key.replace("_", " ")


def _text(value: Any, *, unknown: bool = False) -> str:
    if value is None:
        return "unknown" if unknown else "none"
    if isinstance(value, list):
        return " x ".join(_text(item) for item in value) or "none"
    return f"{value:.6g}" if isinstance(value, float) else str(value)

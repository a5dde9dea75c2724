"""The subcommand ``info``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_voxuda.cli.arguments import Json
from napari_voxuda.cli.console import aligned, result, show_json

__all__ = ["info", "rows"]


def info(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            help="A volume, picks (STAR), a run folder, or a folder of subtomograms.",
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
        result(aligned(rows(facts)))


def rows(facts: dict[str, Any], heading: str = "") -> list[tuple[str, str]]:
    """Return nested facts as rows of name and value; nested names are joined by spaces."""
    found: list[tuple[str, str]] = []
    for key, value in facts.items():
        name = f"{heading}{key.replace('_', ' ').replace('angstrom', '(Å)')}"
        if isinstance(value, dict):
            found += rows(value, f"{name}: ")
        elif isinstance(value, list) and value and isinstance(value[0], dict | str):
            for item in value:
                text = ", ".join(v for _, v in rows(item)) if isinstance(item, dict) else str(item)
                found.append((name, text))
        else:
            found.append((name, _text(value)))
    return found


def _text(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, list):
        return " x ".join(_text(item) for item in value) or "none"
    return f"{value:.6g}" if isinstance(value, float) else str(value)

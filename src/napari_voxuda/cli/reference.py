"""Keep the options in the documentation equal to the program's.

``python -m napari_voxuda.cli.reference docs/command_line.md`` rewrites what stands between
``% options of NAME`` and ``% end`` in that page; a test fails when that is out of date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer
from rich.text import Text

from napari_voxuda.cli.main import app

__all__ = ["options", "refreshed"]

_BLOCK = re.compile(r"(?P<head>% options of (?P<name>\w+)\n).*?(?=% end\n)", re.DOTALL)
_NOT_SHOWN = ("help",)


def refreshed(page: str) -> str:
    """Return a page with the options of each command that it marks brought up to date."""
    return _BLOCK.sub(lambda found: found["head"] + options(found["name"]), page)


def options(name: str) -> str:
    """Return the arguments and options of a subcommand as MyST definition lists by heading."""
    command: Any = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    context = command.make_context(name, [], resilient_parsing=True)
    panels: dict[str, list[str]] = {}
    for parameter in command.get_params(context):
        if parameter.name not in _NOT_SHOWN:
            heading = getattr(parameter, "rich_help_panel", None) or "Options"
            panels.setdefault(heading, []).append(_entry(parameter, context))
    return "\n" + "".join(_panel(heading, entries) for heading, entries in panels.items())


def _panel(heading: str, entries: Iterable[str]) -> str:
    return f"**{heading}**\n\n" + "".join(entries)


def _entry(parameter: Any, context: Any) -> str:
    text = Text.from_markup(parameter.help or "").plain
    if parameter.required:
        text += " Required."
    elif _is_told(parameter.default):
        text += f" (default {parameter.default})"
    return f"`{_name(parameter, context)}`\n: {text}\n\n"


def _name(parameter: Any, context: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar)
    name: str = parameter.get_help_record(context)[0]
    return name


def _is_told(default: Any) -> bool:
    return isinstance(default, int | float | str | Path) and not isinstance(default, bool)


def main() -> None:
    """Bring the pages named on the command line up to date."""
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(refreshed(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

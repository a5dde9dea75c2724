"""The program ``napari-voxuda``."""

from __future__ import annotations

from typing import Annotated

import typer

from napari_voxuda import __version__
from napari_voxuda.cli.adapt import adapt
from napari_voxuda.cli.command import Commands, command
from napari_voxuda.cli.console import result
from napari_voxuda.cli.demo import demo
from napari_voxuda.cli.denoise import denoise
from napari_voxuda.cli.evaluate import evaluate
from napari_voxuda.cli.export import export
from napari_voxuda.cli.gap import gap
from napari_voxuda.cli.info import info
from napari_voxuda.cli.refine import refine
from napari_voxuda.cli.segment import segment
from napari_voxuda.cli.simulate import simulate

__all__ = ["app", "main"]

app = typer.Typer(
    name="napari-voxuda",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for function in (demo, simulate, denoise, gap, adapt, segment, refine, evaluate, export, info):
    command(app, function.__name__)(function)


def _show_version(wanted: bool) -> None:
    if wanted:
        result(f"napari-voxuda {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Segment macromolecules in cryo-electron tomograms without manual labels (Vox-UDA)."""


def main() -> None:
    """Run the command line."""
    app(prog_name="napari-voxuda")


if __name__ == "__main__":
    main()

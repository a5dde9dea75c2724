"""Register a function as a subcommand: many-word options, errors, signals, ``--debug``."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from napari_voxuda.cli.console import message
from napari_voxuda.cli.signals import Terminated, terminable
from napari_voxuda.errors import VoxUDAError

__all__ = ["Command", "Commands", "command", "repeated"]

INTERRUPTED, TERMINATED, UNEXPECTED, USAGE = 130, 143, 1, 2


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as the subcommand `name` of `app`."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def run(*, debug: bool, **values: Any) -> None:
            with _ended_in_words(debug):
                function(**values)

        signature = inspect.signature(function, eval_str=True)
        shown = [
            p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in signature.parameters.values()
        ]
        run.__doc__ = function.__doc__
        run.__signature__ = signature.replace(parameters=[*shown, _DEBUG])  # type: ignore[attr-defined]
        app.command(name, cls=Command)(run)
        return function

    return decorate


class Command(TyperCommand):
    """A subcommand whose repeatable options take several words: ``--snr 0.03 0.05``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse `args` after repeating the options that take several words."""
        many = {name for p in self.params if getattr(p, "multiple", False) for name in p.opts}
        return super().parse_args(ctx, repeated(args, many))


class Commands(TyperGroup):
    """The group of subcommands; a usage error is one line on stderr."""

    def invoke(self, ctx: Any) -> Any:
        """Run the subcommand."""
        try:
            return super().invoke(ctx)
        except _USAGE_ERROR as error:
            context = error.ctx or ctx
            hint = f"See '{context.command_path} --help'."
            message(f"{error.format_message()} {hint}", "error")
            raise typer.Exit(USAGE) from error


def repeated(args: list[str], many: set[str]) -> list[str]:
    """Return `args` with each option in `many` repeated before each of its words.

    ``--snr 0.03 0.05`` becomes ``--snr 0.03 --snr 0.05``. A word that begins with ``-`` ends the
    list.
    """
    out: list[str] = []
    option: str | None = None
    for word in args:
        if word.startswith("-"):
            option = word if word in many else None
            out.append(word)
        elif option is not None and out[-1] != option:
            out += [option, word]
        else:
            out.append(word)
    return out


@contextmanager
def _ended_in_words(debug: bool) -> Iterator[None]:
    """Turn errors and signals into one sentence on stderr and an exit code."""
    try:
        with terminable():
            yield
    except VoxUDAError as error:
        _tell(str(error), debug)
        raise typer.Exit(error.exit_code) from error
    except KeyboardInterrupt as error:
        message("Interrupted.")
        raise typer.Exit(INTERRUPTED) from error
    except Terminated as error:
        message("Terminated.")
        raise typer.Exit(TERMINATED) from error
    except (typer.Exit, typer.Abort, _USAGE_ERROR, BrokenPipeError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or "no reason given"
        hint = "" if debug else "; run the command again with --debug to see where"
        _tell(f"unexpected {type(error).__name__}: {reason.rstrip('.')}{hint}.", debug)
        raise typer.Exit(UNEXPECTED) from error


def _tell(sentence: str, debug: bool) -> None:
    if debug:
        message(traceback.format_exc())
    message(sentence, "error")


_USAGE_ERROR: Any = typer.BadParameter.__mro__[1]
_DEBUG = inspect.Parameter(
    "debug",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")],
)

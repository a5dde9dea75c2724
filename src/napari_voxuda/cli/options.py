"""Make command-line options from a settings class, so that a setting is declared once."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import typer
from rich.markup import escape

from napari_voxuda._params import Parameter, parameters
from napari_voxuda.errors import InputError

__all__ = ["Given", "help_text", "option_name", "option_type", "with_settings"]

_Made = TypeVar("_Made")

_UNIT_SUFFIXES = ("_angstrom3", "_angstrom", "_um", "_deg", "_voxels", "_kv", "_mm")


@dataclass(frozen=True, kw_only=True)
class Given:
    """The settings of one class that the user gave on the command line.

    Parameters
    ----------
    settings : type
        The settings class.
    values : Mapping
        Field name to value, only for options that were given.
    prefix : str
        What the option names begin with after the dashes.
    """

    settings: type[Any]
    values: Mapping[str, Any]
    prefix: str = ""

    def make(self, factory: Callable[..., _Made], **others: Any) -> _Made:
        """Return ``factory(**values, **others)``; `others` win.

        Raises
        ------
        InputError
            When the factory refuses a value; the message names the option, not the field.
        """
        try:
            return factory(**{**self.values, **others})
        except InputError as error:
            raise InputError(self._in_words_of_options(str(error))) from error

    def _in_words_of_options(self, text: str) -> str:
        for name, declared in parameters(self.settings).items():
            field = f"{self.settings.__name__}.{name}:"
            if text.startswith(field):
                return f"{option_name(declared, self.prefix)}:{text.removeprefix(field)}"
        return text


def with_settings(
    argument: str,
    settings: type[Any],
    *,
    panel: str,
    prefix: str = "",
    leave_out: tuple[str, ...] = (),
    presets: Mapping[str, Any] | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Replace a command's parameter by one option for each declared setting.

    Parameters
    ----------
    argument : str
        Name of the parameter; the command receives a `Given` there.
    settings : type
        A settings class declared with `_params.param`.
    panel : str
        Heading of the options in ``--help``.
    prefix : str
        What the option names begin with after the dashes, for example ``"denoise"``.
    leave_out : tuple of str
        Fields that the command sets in another way.
    presets : Mapping or None
        Name to settings object; their values are shown as defaults instead of the class's.
    """
    declared = {n: p for n, p in parameters(settings).items() if n not in leave_out}

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def command(**values: Any) -> None:
            taken = {name: values.pop(_key(argument, name)) for name in declared}
            # Of an option with several words, some versions of typer give an empty list.
            given = {name: value for name, value in taken.items() if value not in (None, [])}
            values[argument] = Given(settings=settings, values=given, prefix=prefix)
            function(**values)

        options = [_option(argument, p, prefix, panel, presets) for p in declared.values()]
        _take_over(command, function, replaced=argument, added=options)
        return command

    return decorate


def option_name(declared: Parameter, prefix: str = "") -> str:
    """Return the option of a setting: its name without the unit, which the help text shows."""
    name = declared.name
    if declared.unit is not None:
        for suffix in _UNIT_SUFFIXES:
            name = name.removesuffix(suffix)
    return "--" + "-".join(part for part in (prefix, *name.split("_")) if part)


def option_type(declared: Parameter) -> Any:
    """Return the type that typer reads from the words of an option; None when it is not given."""
    if declared.choices is not None:
        return Literal[declared.choices] | None
    if typing.get_origin(declared.type) is not tuple:
        return declared.type | None
    kinds = typing.get_args(declared.type)
    if kinds[-1] is Ellipsis:
        return list[kinds[0]] | None  # type: ignore[valid-type]
    return declared.type | None


def help_text(declared: Parameter, presets: Mapping[str, Any] | None = None) -> str:
    """Return the help of a setting with its unit, bounds and default in brackets."""
    low, high = declared.minimum, declared.maximum
    if low is not None and high is not None:
        bounds = f"{low:g} to {high:.10g}"
    else:
        bounds = f"at least {low:g}" if low is not None else ""
    notes = [declared.unit or "", bounds, _default(declared, presets)]
    return f"{declared.help} ({', '.join(note for note in notes if note)})"


def _option(
    argument: str,
    declared: Parameter,
    prefix: str,
    panel: str,
    presets: Mapping[str, Any] | None,
) -> inspect.Parameter:
    name = option_name(declared, prefix)
    if declared.type is bool:
        name = f"{name}/--no-{name.removeprefix('--')}"
    option = typer.Option(
        name,
        metavar=_metavar(declared),
        help=escape(help_text(declared, presets)),
        show_default=False,
        rich_help_panel=panel,
    )
    return inspect.Parameter(
        _key(argument, declared.name),
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[option_type(declared), option],
    )


def _take_over(
    command: Callable[..., None],
    function: Callable[..., None],
    *,
    replaced: str,
    added: list[inspect.Parameter],
) -> None:
    """Give `command` the name, help and parameters of `function`, `replaced` by `added`."""
    signature = inspect.signature(function, eval_str=True)
    kept = [
        p.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for p in signature.parameters.values()
        if p.name != replaced
    ]
    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__module__ = function.__module__
    command.__signature__ = signature.replace(parameters=kept + added)  # type: ignore[attr-defined]


def _key(argument: str, field: str) -> str:
    return f"{argument}__{field}"


def _metavar(declared: Parameter) -> str | None:
    """Return how many words the option takes, for tuples; typer knows the rest."""
    if typing.get_origin(declared.type) is not tuple:
        return None
    kinds = typing.get_args(declared.type)
    word = "TEXT" if kinds[0] is str else "NUMBER"
    return f"{word}..." if kinds[-1] is Ellipsis else " ".join([word] * len(kinds))


def _default(declared: Parameter, presets: Mapping[str, Any] | None) -> str:
    """Return the default in words: one value, or one for each preset where they differ."""
    if presets is None:
        return f"default {_written(declared.default)}"
    values = {name: _written(getattr(preset, declared.name)) for name, preset in presets.items()}
    if len(set(values.values())) == 1:
        return f"default {next(iter(values.values()))}"
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _written(value: Any) -> str:
    """Return a default as one would type it."""
    if isinstance(value, tuple):
        return " ".join(_written(v) for v in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    return f"{value:.10g}" if isinstance(value, float) else str(value)

"""One declaration of a setting, from which everything else about it is made.

A settings class is a frozen, keyword-only dataclass whose fields are declared with `param`.
The declaration carries default, help, unit, bounds, step and choices; `validate` checks values
against it, and the command line, the forms of the docks and the documentation read it through
`parameters`.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from napari_voxuda.errors import InputError

__all__ = ["Parameter", "from_dict", "param", "parameters", "to_dict", "validate"]

_KEY = "napari_voxuda"
_BEYOND = 10**300  # cannot be compared with bounds, which needs floats
_Config = TypeVar("_Config")


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What is known of one setting.

    Parameters
    ----------
    name : str
        Field name.
    type : type
        ``int``, ``float``, ``bool``, ``str`` or a tuple type such as ``tuple[float, ...]``.
    default : object
        Default value.
    help : str
        What it does, one sentence; shown as tooltip and in ``--help``.
    unit : str or None
        Unit such as ``"Å"``, or None for a pure number.
    minimum, maximum : float or None
        Inclusive bounds; for tuples they hold for each element.
    step : float or None
        Step of a spin box or slider; it also fixes the decimals shown.
    choices : tuple of str or None
        Allowed values of a string.
    optional : bool
        Whether None is allowed.
    advanced : bool
        Whether a form hides it in a collapsed group.
    """

    name: str
    type: Any
    default: Any
    help: str
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] | None = None
    optional: bool = False
    advanced: bool = False

    @property
    def decimals(self) -> int:
        """Decimals that show `default` and `step` without rounding."""
        defaults = self.default if isinstance(self.default, tuple) else (self.default,)
        values = [v for v in (self.step, *defaults) if isinstance(v, float)]
        texts = [f"{v:.10f}".rstrip("0") for v in values]
        return max((len(t.partition(".")[2]) for t in texts), default=0)


def param(
    default: Any,
    help: str,
    *,
    unit: str | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    step: float | None = None,
    advanced: bool = False,
) -> Any:
    """Declare a field of a settings class; see `Parameter` for the meaning of each value."""
    metadata = {
        _KEY: {
            "help": help,
            "unit": unit,
            "minimum": minimum,
            "maximum": maximum,
            "step": step,
            "advanced": advanced,
        }
    }
    return dataclasses.field(default=default, metadata=metadata)


def parameters(config: Any) -> dict[str, Parameter]:
    """Return the declared settings of a settings class or instance, by field name."""
    cls = config if isinstance(config, type) else type(config)
    fields = [field for field in dataclasses.fields(cls) if _KEY in field.metadata]
    hints = typing.get_type_hints(cls) if fields else {}
    found = {}
    for field in fields:
        kind, optional = _strip_none(hints[field.name])
        choices = None
        if typing.get_origin(kind) is Literal:
            choices, kind = typing.get_args(kind), str
        found[field.name] = Parameter(
            name=field.name,
            type=kind,
            default=field.default,
            choices=choices,
            optional=optional,
            **field.metadata[_KEY],
        )
    return found


def validate(config: Any) -> None:
    """Check every declared field of `config`; call it from ``__post_init__``.

    Whole numbers given for real fields and lists given for tuples are converted.

    Raises
    ------
    InputError
        When a value has the wrong type, is not finite, or lies outside its bounds or choices.
    """
    for name, declared in parameters(config).items():
        value = _converted(declared, getattr(config, name), type(config).__name__)
        object.__setattr__(config, name, value)


def to_dict(config: Any) -> dict[str, Any]:
    """Return a settings object as plain JSON-able values, nested settings included."""
    out: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            value = to_dict(value)
        out[field.name] = list(value) if isinstance(value, tuple) else value
    return out


def from_dict(cls: type[_Config], values: dict[str, Any]) -> _Config:
    """Make a settings object from `to_dict`'s output.

    Raises
    ------
    InputError
        When `values` is not a dictionary, names an unknown setting, or a value is not allowed.
    """
    if not isinstance(values, dict):
        raise InputError(
            f"{cls.__name__}: a dictionary of settings was wanted, got {type(values).__name__}."
        )
    fields = {f.name for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - fields):
        raise InputError(
            f"{cls.__name__}: unknown setting {unknown[0]!r}; known are {', '.join(sorted(fields))}."
        )
    hints = typing.get_type_hints(cls)
    nested = {
        name: from_dict(hints[name], value) if dataclasses.is_dataclass(hints[name]) else value
        for name, value in values.items()
    }
    return cls(**nested)


def _strip_none(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        kinds = [a for a in typing.get_args(hint) if a is not type(None)]
        return kinds[0], len(kinds) < len(typing.get_args(hint))
    return hint, False


def _converted(declared: Parameter, value: Any, owner: str) -> Any:
    where = f"{owner}.{declared.name}"
    if value is None:
        if declared.optional:
            return None
        raise InputError(f"{where}: a value was wanted, got None.")
    if typing.get_origin(declared.type) is tuple:
        return _converted_tuple(declared, value, where)
    return _converted_scalar(declared, declared.type, value, where)


def _converted_tuple(declared: Parameter, value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, tuple | list):
        raise InputError(f"{where}: a sequence was wanted, got {value!r}.")
    kinds = typing.get_args(declared.type)
    if kinds[-1] is not Ellipsis and len(kinds) != len(value):
        raise InputError(f"{where}: {len(kinds)} values were wanted, got {len(value)}.")
    return tuple(_converted_scalar(declared, kinds[0], v, where) for v in value)


def _converted_scalar(declared: Parameter, kind: Any, value: Any, where: str) -> Any:
    unit = f" {declared.unit}" if declared.unit else ""
    if isinstance(value, int) and abs(value) >= _BEYOND:
        raise InputError(f"{where}: a number below 1e300 was wanted, got a far larger one.")
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InputError(f"{where}: {kind.__name__} was wanted, got {value!r}.")
    if declared.choices is not None and value not in declared.choices:
        raise InputError(
            f"{where}: one of {', '.join(declared.choices)} was wanted, got {value!r}."
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{where}: a finite number was wanted, got {value}.")
    if isinstance(value, int | float):
        if declared.minimum is not None and value < declared.minimum:
            raise InputError(
                f"{where}: at least {declared.minimum:g}{unit} was wanted, got {value:g}{unit}."
            )
        if declared.maximum is not None and value > declared.maximum:
            raise InputError(
                f"{where}: at most {declared.maximum:g}{unit} was wanted, got {value:g}{unit}."
            )
    return value

"""Units of length, as file formats write them, in ångström."""

from __future__ import annotations

__all__ = ["angstrom_per_unit"]

_METRES = {
    "angstrom": 1e-10,
    "picometer": 1e-12,
    "nanometer": 1e-9,
    "micrometer": 1e-6,
    "millimeter": 1e-3,
    "centimeter": 1e-2,
    "meter": 1.0,
    "inch": 0.0254,
}
_OTHER_NAMES = {
    "a": "angstrom",
    "å": "angstrom",
    "ångström": "angstrom",
    "ångstrom": "angstrom",
    "angström": "angstrom",
    "angstroms": "angstrom",
    "pm": "picometer",
    "picometre": "picometer",
    "nm": "nanometer",
    "nanometre": "nanometer",
    "nanometers": "nanometer",
    "um": "micrometer",
    "\u00b5m": "micrometer",  # micro sign
    "\u03bcm": "micrometer",  # Greek mu
    "\\u00b5m": "micrometer",  # as ImageJ escapes it
    "micron": "micrometer",
    "microns": "micrometer",
    "micrometre": "micrometer",
    "micrometers": "micrometer",
    "mm": "millimeter",
    "millimetre": "millimeter",
    "cm": "centimeter",
    "centimetre": "centimeter",
    "m": "meter",
    "metre": "meter",
    "in": "inch",
}


def angstrom_per_unit(unit: str) -> float | None:
    """Return how many Å a unit of length is; None when the name is none that is known.

    Parameters
    ----------
    unit : str
        A name or symbol, in any case: ``"angstrom"``, ``"nm"``, ``"micrometer"``, ``"µm"`` …
    """
    name = unit.strip().lower().replace("\u212b", "å")  # the ångström sign
    metres = _METRES.get(_OTHER_NAMES.get(name, name))
    return None if metres is None else metres / 1e-10

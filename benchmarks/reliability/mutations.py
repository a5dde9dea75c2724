"""Damage to files, drawn from a seed: bytes, whole numbers of a header, text, and the values of JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

__all__ = ["damaged_bytes", "damaged_json", "damaged_text", "random_fields"]

Rng = np.random.Generator

_WORDS = (0, 1, 2, -1, 3, 7, 255, 256, 65535, 1 << 16, 1 << 24, (1 << 31) - 1, -(1 << 31))
_FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e38, -1e38, float("inf"), float("-inf"), float("nan"))
_SNIPPETS = (
    *(b"", b"\0", b"\n", b"\r", b" ", b"\t", b"_", b"#", b'"', b"'", b";", b",", b"-", b"."),
    *(b"loop_", b"data_", b"save_", b"nan", b"inf", b"1e999", b"-1e999", b"1" * 400, b"\xff\xfe"),
    *(b"\xed\xa0\x80", b"../", b"/", b"\\", b"\xc3", b"{", b"}", b"[", b"]", b"null", b"_rln"),
    *(b"[" * 3000, b"9" * 5000, b"a" * 20000, b"\x1b[31m", b"\xe2\x80\xae", b"=", b"%s%n"),
)
_STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 1.5, 1e308, -1e308, 1e-320, 10**30, -(10**30), 10**400),
    *(1 << 31, 1 << 63, 1 << 64, float("nan"), float("inf"), float("-inf"), "", " ", "\0", "a\nb"),
    *("\ud800", "x\udfffy", "../../outside", "/", "/etc", "~", "C:\\", "é" * 300, "a" * 70000),
    *("nan", "1e999", "9" * 5000, "\x1b[31m", "‮", "%s%n", "{}", "null", "phantom", "1BXN"),
    *(
        [],
        {},
        [[]],
        [None],
        [{}],
        {"": None},
        {"path": "..", "type": "scale"},
        [0] * 50,
        ["x"] * 50,
    ),
)


def damaged_bytes(raw: bytes, other: bytes, rng: Rng, *, header: int = 1024) -> bytes:
    """Return bytes with one to four places changed.

    Parameters
    ----------
    raw, other : bytes
        A file, and one of the same kind of which pieces are put in.
    rng : numpy.random.Generator
        Chooses what is done.
    header : int
        Bytes at the beginning, in which half of the changes lie.
    """
    out = bytearray(raw)
    for _ in range(int(rng.integers(1, 5))):
        if not out:
            break
        end = min(len(out), header) if rng.random() < 0.6 else len(out)
        at = int(rng.integers(0, end))
        kind = int(rng.integers(0, 10))
        if kind == 0:
            out[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            out[at] = int(rng.integers(0, 256))
        elif kind in (2, 3):
            _put(
                out, at // 4 * 4, _word(rng, ("<i4", ">i4", "<i2", "<i8")[int(rng.integers(0, 4))])
            )
        elif kind == 4:
            _put(out, at // 4 * 4, _float(rng))
        elif kind == 5:
            del out[at:]
        elif kind == 6:
            del out[at : at + int(rng.integers(1, 64))]
        elif kind == 7:
            start = int(rng.integers(0, max(1, len(other))))
            out[at:at] = other[start : start + int(rng.integers(1, 200))]
        elif kind == 8:
            _put(out, at, bytes(int(rng.integers(1, 128))))
        else:
            out += bytes(out[at : at + 256])
    return bytes(out)


def damaged_text(raw: bytes, other: bytes, rng: Rng) -> bytes:
    """Return text with words, lines and characters changed, doubled, moved or left out."""
    out = bytearray(raw)
    for _ in range(int(rng.integers(1, 5))):
        kind = int(rng.integers(0, 8))
        lines = bytes(out).split(b"\n")
        i, j = (int(n) for n in rng.integers(0, len(lines), 2))
        at = int(rng.integers(0, len(out) + 1))
        if kind == 0:
            out[at:at] = _SNIPPETS[int(rng.integers(0, len(_SNIPPETS)))]
        elif kind == 1:
            words = lines[i].split(b" ")
            words[int(rng.integers(0, len(words)))] = _SNIPPETS[
                int(rng.integers(0, len(_SNIPPETS)))
            ]
            lines[i] = b" ".join(words)
            out = bytearray(b"\n".join(lines))
        elif kind == 2:
            del lines[i]
            out = bytearray(b"\n".join(lines))
        elif kind == 3:
            lines.insert(j, lines[i])
            out = bytearray(b"\n".join(lines))
        elif kind == 4:
            lines[i], lines[j] = lines[j], lines[i]
            out = bytearray(b"\n".join(lines))
        elif kind == 5:
            out = bytearray(damaged_bytes(bytes(out), other, rng))
        elif kind == 6:
            out = bytearray(bytes(out).replace(b"\n", (b"\r\n", b"\r", b"\n\n", b" ")[i % 4]))
        else:
            del out[at : at + int(rng.integers(1, 40))]
    return bytes(out)


def damaged_json(raw: bytes, other: bytes, rng: Rng) -> bytes:
    """Return a JSON text with one to three values replaced, left out or nested; sometimes plain text."""
    if rng.random() < 0.2:
        return damaged_text(raw, other, rng)
    value = json.loads(raw)
    for _ in range(int(rng.integers(1, 4))):
        value = _changed(value, rng)
    text = json.dumps(value, ensure_ascii=bool(rng.random() < 0.9))
    return text.encode("utf-8", "surrogatepass")


def random_fields(raw: bytes, rng: Rng) -> bytes:
    """Return a file whose 32-bit fields of the first 256 bytes are drawn anew, each with odds of 1 in 4."""
    out = bytearray(raw)
    for at in range(0, min(256, len(out) - 4), 4):
        if rng.random() < 0.25:
            small = rng.random() < 0.5
            number = int(rng.integers(0, 20)) if small else int(rng.integers(-(1 << 31), 1 << 31))
            _put(out, at, number.to_bytes(4, "little", signed=True))
    return bytes(out)


def _changed(value: Any, rng: Rng) -> Any:
    """Return a JSON value with one change at a place that is drawn on the way down."""
    inside = (
        list(value)
        if isinstance(value, dict)
        else list(range(len(value)))
        if isinstance(value, list)
        else []
    )
    if not inside or rng.random() < 0.12:
        return _strange(value, rng)
    key = inside[int(rng.integers(0, len(inside)))]
    kind = rng.random()
    if kind < 0.08:
        return _without(value, key)
    if kind < 0.12:
        return _with_more(value, key, rng)
    out = dict(value) if isinstance(value, dict) else list(value)
    out[key] = _changed(value[key], rng)
    return out


def _strange(value: Any, rng: Rng) -> Any:
    if rng.random() < 0.1:
        return [value]
    if rng.random() < 0.05:
        deep: Any = value
        for _ in range(int(rng.integers(2, 250))):
            deep = [deep]
        return deep
    small = isinstance(value, int | float) and abs(value) < 1 << 60
    if small and not isinstance(value, bool) and rng.random() < 0.3:
        return value * (-1, 0, 2, 1000, 1 << 40, 1e-9)[int(rng.integers(0, 6))]
    return _STRANGE[int(rng.integers(0, len(_STRANGE)))]


def _without(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        return {k: v for k, v in value.items() if k != key}
    return [v for i, v in enumerate(value) if i != key]


def _with_more(value: Any, key: Any, rng: Rng) -> Any:
    extra = _STRANGE[int(rng.integers(0, len(_STRANGE)))]
    if isinstance(value, dict):
        name = str(_STRANGE[int(rng.integers(0, len(_STRANGE)))])[:60]
        return {**value, name: extra, f"{key}_": value[key]}
    return [*value, extra, value[key]]


def _put(out: bytearray, at: int, piece: bytes) -> None:
    out[at : at + len(piece)] = piece[: max(0, len(out) - at)]


def _word(rng: Rng, kind: str) -> bytes:
    number = _WORDS[int(rng.integers(0, len(_WORDS)))]
    if kind == "<i8" and rng.random() < 0.5:
        number <<= 31
    if kind == "<i2":
        number = (number + (1 << 15)) % (1 << 16) - (1 << 15)
    return np.array(number, dtype=kind).tobytes()


def _float(rng: Rng) -> bytes:
    kind = ("<f4", ">f4", "<f8")[int(rng.integers(0, 3))]
    return np.array(_FLOATS[int(rng.integers(0, len(_FLOATS)))], dtype=kind).tobytes()

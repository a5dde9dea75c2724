"""Damage files at random and open them, in child processes with little memory and little time."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import resource
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability.mutations import (
    damaged_bytes,
    damaged_json,
    damaged_text,
    random_fields,
)
from benchmarks.reliability.openers import OPENERS, open_file
from benchmarks.reliability.seeds import Seed, write_files

__all__ = ["Fault", "Outcome", "damaged", "fuzz_cases", "kind_of", "table"]

MEMORY_BYTES = 1 << 30
"""Address space that a child may take beyond what it has when it starts."""

SECONDS = 10
"""Longest time for one file."""

_ORDER = (
    *("mrc", "mrc fields", "mrc.gz", "mrc.bz2", "em", "star", "run.json", "zarr", "checkpoint"),
    *("mrc", "mrc fields", "tiff", "csv", "ndjson", "copick picks", "star", "run log", "sidecar"),
    *("mrc", "em", "copick project", "structure", "run.json", "checkpoint", "resume"),
)
_BATCH = 400
_OWN_FAULT = 70
_TEXT = (".star", ".csv", ".ndjson", ".jsonl", ".pdb", ".cif")
_JSON = (".json", ".zattrs", ".zarray", ".zgroup")


class _TooSlowError(BaseException):
    pass


@dataclass(frozen=True)
class Fault:
    """A damaged file that the program did not stand.

    Parameters
    ----------
    number : int
        Of the case; with the seed it makes the file again.
    kind : str
        Of the file.
    words : str
        What came out.
    """

    number: int
    kind: str
    words: str


@dataclass(frozen=True)
class Outcome:
    """How many files opened and how many were refused, by kind, and the faults."""

    opened: Counter[str]
    refused: Counter[str]
    faults: list[Fault]
    slowest_s: float
    largest_growth_bytes: int


def kind_of(number: int) -> str:
    """Return which kind of file a case damages."""
    return _ORDER[number % len(_ORDER)]


def damaged(seeds: list[Seed], kind: str, rng: np.random.Generator) -> tuple[str, dict[str, bytes]]:
    """Return what is opened and the files of one case."""
    seed = seeds[int(rng.integers(0, len(seeds)))]
    target = seed.targets[int(rng.integers(0, len(seed.targets)))]
    raw, other = seed.files[target], seeds[int(rng.integers(0, len(seeds)))]
    same = Path(target).suffix == Path(other.targets[0]).suffix
    piece = other.files[other.targets[0]] if same else raw
    return seed.name, {**seed.files, target: _changed(target, kind, raw, piece, rng)}


def fuzz_cases(
    seeds: dict[str, list[Seed]], work: Path, numbers: range, seed: int
) -> tuple[Outcome, float]:
    """Run the cases of a range; return what came out and the seconds that it took.

    Parameters
    ----------
    seeds : dict of list of Seed
        Whole files by kind.
    work : pathlib.Path
        Folder for the damaged files. Those that were not stood are kept in ``faults``.
    numbers : range
        The cases.
    seed : int
        With a case's number it fixes the damage.
    """
    started = time.monotonic()
    opened: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    faults: list[Fault] = []
    slowest, growth = 0.0, 0
    for answer in _answers(seeds, work, numbers, seed):
        kind = kind_of(answer["number"])
        slowest = max(slowest, answer.get("seconds", 0.0))
        growth = max(growth, answer.get("growth", 0))
        if answer["outcome"] == "fault":
            faults.append(Fault(answer["number"], kind, answer["words"]))
        else:
            (opened if answer["outcome"] == "opened" else refused)[kind] += 1
    outcome = Outcome(opened, refused, faults, slowest, growth)
    return outcome, time.monotonic() - started


def table(opened: dict[str, int], refused: dict[str, int], faults: dict[str, int]) -> str:
    """Return counts by kind as a Markdown table."""
    lines = [
        "| files | damaged | opened | refused in one sentence | faults |",
        "|---|---|---|---|---|",
    ]
    kinds = [kind for kind in OPENERS if opened.get(kind) or refused.get(kind) or faults.get(kind)]
    for kind in kinds:
        counts = [group.get(kind, 0) for group in (opened, refused, faults)]
        lines.append(f"| {kind} | {sum(counts)} | {' | '.join(str(n) for n in counts)} |")
    totals = [sum(group.values()) for group in (opened, refused, faults)]
    lines.append(f"| all | {sum(totals)} | {' | '.join(str(n) for n in totals)} |")
    return "\n".join(lines)


def _changed(name: str, kind: str, raw: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    suffix = Path(name).suffix.lower() or Path(name).name
    if kind == "mrc fields":
        return random_fields(raw, rng)
    if suffix in (".gz", ".bz2") and rng.random() < 0.6:
        return _repacked(name, raw, other, rng)
    if suffix == ".safetensors" and rng.random() < 0.6:
        return _with_header(raw, rng)
    if suffix in _JSON:
        return damaged_json(raw, other, rng)
    if suffix in (".jsonl", ".ndjson") and rng.random() < 0.6:
        return _with_line(raw, rng)
    return damaged_text(raw, other, rng) if suffix in _TEXT else damaged_bytes(raw, other, rng)


def _repacked(name: str, raw: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Damage what is packed, and pack it again."""
    module: Any = gzip if name.endswith(".gz") else bz2
    inner, second = module.decompress(raw), module.decompress(other)
    is_text = name.endswith(".cif.gz")
    inner = damaged_text(inner, second, rng) if is_text else damaged_bytes(inner, second, rng)
    packed: bytes = module.compress(inner)
    return packed


def _with_header(raw: bytes, rng: np.random.Generator) -> bytes:
    """Damage the JSON header of a safetensors file, or the metadata in it."""
    end = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:end])
    name = "napari-voxuda"
    if rng.random() < 0.6:
        inner = damaged_json(header["__metadata__"][name].encode(), b"{}", rng)
        header["__metadata__"][name] = inner.decode("utf-8", "replace")
        header["__metadata__"].pop("sha256", None)  # else nothing behind it is reached
        text = json.dumps(header).encode()
    else:
        text = damaged_json(raw[8:end], b"{}", rng)
    return len(text).to_bytes(8, "little") + text + raw[end:]


def _with_line(raw: bytes, rng: np.random.Generator) -> bytes:
    lines = raw.split(b"\n")
    full = [i for i, line in enumerate(lines) if line.strip()]
    at = full[int(rng.integers(0, len(full)))]
    lines[at] = damaged_json(lines[at], b"{}", rng)
    return b"\n".join(lines)


def _answers(
    seeds: dict[str, list[Seed]], work: Path, numbers: range, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield one answer a case, from children that are begun again where one dies or hangs."""
    work.mkdir(parents=True, exist_ok=True)
    left = list(numbers)
    while left:
        batch, log = left[:_BATCH], work / "answers.jsonl"
        log.write_bytes(b"")
        code = _watched(seeds, batch, work, seed, log)
        answers = [json.loads(line) for line in log.read_text().splitlines()]
        done = [a for a in answers if a["outcome"] != "begun"]
        yield from done
        if code == _OWN_FAULT:
            raise RuntimeError((work / "said.txt").read_text(errors="replace")[-2000:])
        if len(done) < len(batch):
            number = batch[len(done)]
            words = "hangs" if code == -signal.SIGKILL else f"ended the process ({code})"
            _keep(work, number, kind_of(number), words)
            yield {"number": number, "outcome": "fault", "words": words}
            left = left[len(done) + 1 :]
        else:
            left = left[len(batch) :]


def _watched(
    seeds: dict[str, list[Seed]], batch: list[int], work: Path, seed: int, log: Path
) -> int:
    """Run a batch in a child and end it where it falls silent; return its exit code."""
    child = os.fork()
    if child == 0:
        code = _OWN_FAULT
        try:
            _serve(seeds, batch, work, seed, log)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    size, since = 0, time.monotonic()
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if log.stat().st_size != size:
            size, since = log.stat().st_size, time.monotonic()
        if time.monotonic() - since > 3 * SECONDS:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.05)


def _serve(
    seeds: dict[str, list[Seed]], batch: list[int], work: Path, seed: int, log: Path
) -> None:
    """Open each file of a batch, with bounds of memory and time, and write down what came out."""
    said = os.open(work / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(said, 2)
    os.dup2(said, 1)
    limit = _address_space() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGALRM, _too_slow)
    with log.open("a", buffering=1) as stream:
        for number in batch:
            answer = _one(seeds, number, work, seed)
            stream.write(json.dumps(answer) + "\n")


def _one(seeds: dict[str, list[Seed]], number: int, work: Path, seed: int) -> dict[str, Any]:
    kind = kind_of(number)
    rng = np.random.default_rng((seed, number))
    folder = work / "case"
    shutil.rmtree(folder, ignore_errors=True)
    name, files = damaged(seeds[kind], kind, rng)
    write_files(files, folder)
    before, started = _peak(), time.monotonic()
    answer: dict[str, Any] = {"number": number, "outcome": "fault"}
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        answer["outcome"] = "refused" if open_file(kind, folder / name) else "opened"
    except _TooSlowError:
        answer["words"] = f"takes more than {SECONDS} s"
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        words = f"{type(error).__name__} in {place}: {error}"
        answer["words"] = words.encode("utf-8", "backslashreplace").decode()[:900]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    answer |= {"seconds": round(time.monotonic() - started, 3), "growth": _peak() - before}
    if answer["outcome"] == "fault":
        _keep(work, number, kind, answer["words"])
    return answer


def _keep(work: Path, number: int, kind: str, words: str) -> None:
    """Keep the files of a case and what came out of it."""
    place = work / "faults" / f"{number}-{kind.replace(' ', '-')}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    if (work / "case").exists():
        shutil.copytree(work / "case", place, dirs_exist_ok=True)
    (place / "fault.txt").write_text(words + "\n")


def _too_slow(_number: int, _frame: object) -> None:
    raise _TooSlowError


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

"""Tables and bars from results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import fmean, stdev

from .rows import ABLATIONS, ROWS
from .store import Result
from .targets import TARGETS

__all__ = ["Group", "draw_bars", "grouped", "markdown"]

Group = list[Result]
"""The results of one row on one target, over its seeds."""


def grouped(results: Iterable[Result]) -> dict[tuple[str, ...], dict[str, Group]]:
    """Sort results by (tier, split, table, target) and row.

    Where a row was run with several settings, as happens when a preset changes, the newest count.
    """
    newest: dict[tuple[str, ...], str] = {}
    found = list(results)
    for result in found:
        newest[_row_key(result)] = result.fingerprint
    sorted_results: dict[tuple[str, ...], dict[str, Group]] = {}
    for result in sorted(found, key=_order):
        if newest[_row_key(result)] == result.fingerprint:
            key = (result.tier, result.split, result.table, result.target)
            sorted_results.setdefault(key, {}).setdefault(result.row, []).append(result)
    return sorted_results


def markdown(results: Iterable[Result]) -> str:
    """Return a table for each target, and one for each ablation of it."""
    lines: list[str] = []
    for (tier, split, table, target), rows in grouped(results).items():
        what = target if table == "main" else f"{target}, ablation {table}"
        lines += [f"## {what} ({split}, tier {tier})", "", *_table(rows), ""]
        if not _share_truths(rows):
            lines += ["Rows of one seed were scored on different draws of the target.", ""]
    machines = sorted({r.machine for r in results if r.machine})
    return "\n".join([*lines, *(f"Machine: {machine}" for machine in machines)]).strip() + "\n"


def draw_bars(results: Iterable[Result], path: Path) -> bool:
    """Draw the Dice scores of the main tables as bars; return whether there was anything to draw."""
    from matplotlib.figure import Figure

    tables = {k: rows for k, rows in grouped(results).items() if k[2] == "main"}
    if not tables:
        return False
    tallest = max(len(rows) for rows in tables.values())
    columns = min(3, len(tables))
    lines = -(-len(tables) // columns)
    figure = Figure(figsize=(5.2 * columns, lines * (1.1 + 0.3 * tallest)), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for panel, ((tier, split, _, target), rows) in zip(axes, tables.items(), strict=False):
        groups = list(rows.values())
        means = [fmean(r.dice for r in group) for group in groups]
        spreads = [_deviation([r.dice for r in group]) for group in groups]
        places = range(len(groups))
        panel.barh(places, means, xerr=spreads, color="#56b4e9", edgecolor="black", capsize=2)
        for place, mean, spread in zip(places, means, spreads, strict=True):
            panel.text(mean + spread + 0.02, place, f"{mean:.2f}", va="center", fontsize=8)
        panel.set_yticks(places, [group[0].title.replace("`", "") for group in groups], fontsize=8)
        panel.invert_yaxis()
        panel.set_xlim(0, 1)
        panel.set_xlabel("Dice")
        panel.set_title(f"{target} ({split}, {tier})", fontsize=10)
    for panel in axes[len(tables) :]:
        panel.set_axis_off()
    figure.savefig(path, dpi=120)
    return True


def _table(rows: dict[str, Group]) -> Iterator[str]:
    classes = sorted({kind for group in rows.values() for r in group for kind in r.classes})
    heads = ["", "IoU", "Dice", *(f"{kind}, IoU / Dice" for kind in classes), "seeds", "s/step"]
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for group in rows.values():
        cells = [group[0].title, _spread([r.iou for r in group]), _spread([r.dice for r in group])]
        cells += [_class_cell(group, kind) for kind in classes]
        failed = sum(bool(r.failure) for r in group)
        cells.append(f"{len(group)}" + (f" ({failed} failed)" if failed else ""))
        paces = [r.seconds_per_step for r in group if r.seconds_per_step]
        cells.append(f"{fmean(paces):.2g}" if paces else "–")
        yield f"| {' | '.join(cells)} |"


def _share_truths(rows: dict[str, Group]) -> bool:
    """Whether all rows of a seed were scored on the same truth."""
    pairs = {(r.seed, r.truth) for group in rows.values() for r in group}
    return len(pairs) == len({seed for seed, _ in pairs}) and all(truth for _, truth in pairs)


def _class_cell(group: Group, kind: str) -> str:
    scores = [r.classes[kind] for r in group if kind in r.classes]
    if not scores:
        return "–"
    return " / ".join(f"{fmean(column):.3f}" for column in zip(*scores, strict=True))


def _spread(values: list[float]) -> str:
    return f"{fmean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")


def _deviation(values: list[float]) -> float:
    return stdev(values) if len(values) > 1 else 0.0


def _row_key(result: Result) -> tuple[str, ...]:
    return (result.tier, result.split, result.target, result.row)


def _order(result: Result) -> tuple[object, ...]:
    """Sort as the benchmark lists things; what is not listed there comes last, by name."""
    tables = ["main", *ABLATIONS]
    rows = list(ROWS)
    if result.table in ABLATIONS:
        rows = [f"{result.table}: {title}" for title in ABLATIONS[result.table]]
    return (
        result.tier,
        result.split,
        _place(result.target, list(TARGETS)),
        _place(result.table, tables),
        _place(result.row, rows),
        result.seed,
    )


def _place(name: str, names: list[str]) -> tuple[int, str]:
    """Return where `name`, or the name that it extends, stands."""
    base = next((n for n in names if name == n or name.startswith(f"{n}, ")), None)
    return (len(names) if base is None else names.index(base), name)

"""Tables and bars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.transfer.report import draw_bars, grouped, markdown


def test_the_table_has_mean_and_spread_of_all_and_of_each_class(make_result: Any) -> None:
    results = [make_result(seed=seed, dice=0.4 + 0.1 * seed) for seed in range(3)]
    text = markdown(results)
    assert "## subtomograms (final, tier cpu)" in text
    assert "|  | IoU | Dice | ribosome, IoU / Dice | seeds | s/step |" in text
    row = "| preset `fast` | 0.400 ± 0.000 | 0.500 ± 0.100 | 0.500 / 0.600 | 3 | 0.25 |"
    assert row in text


def test_one_seed_has_no_spread_and_a_baseline_no_pace(make_result: Any) -> None:
    text = markdown([make_result(row="otsu", title="Otsu", seconds_per_step=0.0, classes={})])
    assert "| Otsu | 0.400 | 0.500 | 1 | – |" in text


def test_failures_are_counted(make_result: Any) -> None:
    results = [make_result(), make_result(seed=1, failure="got nan", dice=0.0, classes={})]
    assert "| 0.500 / 0.600 | 2 (1 failed) |" in markdown(results)


def test_rows_and_tables_stand_in_the_order_of_the_benchmark(make_result: Any) -> None:
    results = [
        make_result(target="scene"),
        make_result(table="samples", row="samples: N = 10", title="N = 10"),
        make_result(row="fast, steps=7", title="fast, steps=7"),
        make_result(row="supervised", title="fully supervised"),
        make_result(),
        make_result(row="otsu", title="Otsu"),
        make_result(table="samples", row="samples: N = 5", title="N = 5"),
    ]
    tables = {(key[2], key[3]): list(rows) for key, rows in grouped(results).items()}
    assert list(tables.items()) == [
        (("main", "subtomograms"), ["otsu", "fast", "fast, steps=7", "supervised"]),
        (("samples", "subtomograms"), ["samples: N = 5", "samples: N = 10"]),
        (("main", "scene"), ["fast"]),
    ]
    assert "## subtomograms, ablation samples (final, tier cpu)" in markdown(results)


def test_the_newest_settings_of_a_row_count(make_result: Any) -> None:
    results = [
        make_result(seed=0, dice=0.1),
        make_result(seed=1, dice=0.1),
        make_result(seed=0, dice=0.9, fingerprint="b"),
    ]
    assert "| 0.900 |" in markdown(results)
    assert "± " not in markdown(results)


def test_splits_are_never_mixed(make_result: Any) -> None:
    text = markdown([make_result(), make_result(split="dev", fingerprint="b", dice=0.9)])
    assert text.index("(dev, tier cpu)") < text.index("(final, tier cpu)")


def test_the_bars_become_a_picture(tmp_path: Path, make_result: Any) -> None:
    results = [make_result(seed=s, target=t) for s in (0, 1) for t in ("scene", "tomogram")]
    assert draw_bars(results, tmp_path / "bars.png")
    assert (tmp_path / "bars.png").read_bytes().startswith(b"\x89PNG")
    assert not draw_bars([], tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_rows_of_different_draws_are_told(make_result: Any) -> None:
    told = "Rows of one seed were scored on different draws of the target."
    other = {"row": "otsu", "title": "Otsu"}
    assert told not in markdown(
        [make_result(), make_result(seed=1, truth="u"), make_result(**other)]
    )
    assert told in markdown([make_result(), make_result(**other, truth="u")])
    assert told in markdown([make_result(truth=""), make_result(**other, truth="")])

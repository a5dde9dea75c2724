"""Wrong input gives one sentence and an exit code, and nothing is written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from typer.testing import Result

Invoke = Callable[..., Result]

_ADAPT = "adapt --target {f}/tomogram.mrc --out {o}/run "
_SEGMENT = "segment {f}/tomogram.mrc --model {m} --out {o}/mask.mrc "

CASES = [
    # what is wrong, the command, the exit code, a part of the sentence
    ("no MRC", "denoise {f}/text.mrc {o}/out.mrc", 3, "an MRC file was wanted"),
    ("no MRC", "adapt --target {f}/text.mrc --out {o}/run", 3, "an MRC file was wanted"),
    ("no MRC", "segment {f}/text.mrc --model {m} --out {o}/out.mrc", 3, "an MRC file was wanted"),
    ("no MRC", "evaluate {f}/text.mrc {f}/truth.mrc", 3, "an MRC file was wanted"),
    ("no MRC", "info {f}/text.mrc", 3, "an MRC file was wanted"),
    ("truncated", "denoise {f}/truncated.mrc {o}/out.mrc", 3, "truncated"),
    ("truncated", "adapt --target {f}/truncated.mrc --out {o}/run", 3, "truncated"),
    ("truncated", "segment {f}/truncated.mrc --model {m} --out {o}/out.mrc", 3, "truncated"),
    ("truncated", "evaluate {f}/truncated.mrc {f}/truth.mrc", 3, "truncated"),
    ("truncated", "info {f}/truncated.mrc", 3, "truncated"),
    ("NaN", "denoise {f}/nan.mrc {o}/out.mrc", 2, "finite values were wanted"),
    ("NaN", "adapt --target {f}/nan.mrc --contrast dark --out {o}/run", 2, "finite values"),
    ("NaN", "adapt --target {f}/nan.mrc --out {o}/run", 2, "finite values"),
    ("NaN", "segment {f}/nan.mrc --model {m} --out {o}/out.mrc", 2, "finite values were wanted"),
    ("NaN", "segment {f}/one_bad --model {m} --out {o}/masks", 2, "finite values were wanted"),
    (
        "NaN",
        "adapt --target {f}/one_bad --contrast dark --out {o}/run",
        2,
        "b1_subtomo.mrc: finite",
    ),
    ("NaN", "gap --target {f}/nan.mrc --contrast dark", 2, "finite values"),
    ("voxel size 0", "gap --target {f}/voxel0.mrc --contrast dark", 2, "voxel-size"),
    ("no PNG name", "gap --target {f}/tomogram.mrc --out {o}/gap.svg", 4, "ends in .png"),
    ("NaN", "evaluate {f}/nan.mrc {f}/truth.mrc", 2, "a mask of whole numbers was wanted"),
    ("empty folder", "adapt --target {f}/empty --out {o}/run", 2, "found none"),
    ("empty folder", "segment {f}/empty --model {m} --out {o}/masks", 2, "found none"),
    ("empty folder", "evaluate {f}/empty {f}/subtomograms", 2, "found none"),
    ("empty folder", "info {f}/empty", 2, "neither run.json nor volumes"),
    ("empty folder", _ADAPT + "--source {f}/empty", 2, "empty"),
    ("shapes", "evaluate {f}/other_shape.mrc {f}/truth.mrc", 2, "masks of one shape were wanted"),
    ("file and folder", "evaluate {f}/truth.mrc {f}/subtomograms", 2, "two files or two folders"),
    (
        "voxel size 0",
        "adapt --target {f}/voxel0.mrc --contrast dark --out {o}/run",
        2,
        "voxel-size",
    ),
    (
        "voxel size 0",
        "segment {f}/voxel0.mrc --model {m} --out {o}/out.mrc --min-size 9000",
        2,
        "voxel size",
    ),
    (
        "voxel size 0",
        "segment {f}/voxel0.mrc --model {m} --out {o}/out.mrc --picks {o}/p.star",
        2,
        "give it with --voxel-size",
    ),
    ("voxel size 0", _SEGMENT + "--voxel-size 0", 2, "a positive number of Å was wanted, got 0"),
    ("voxel size 0", _ADAPT + "--voxel-size 0", 2, "a positive number of Å was wanted, got 0"),
    ("voxel size nan", _ADAPT + "--voxel-size nan", 2, "a positive number of Å was wanted"),
    ("voxel size 0", "simulate --source phantom --voxel-size 0 --out {o}/s", 2, "--voxel-size: at"),
    ("unknown source", _ADAPT + "--source ribosome", 2, "source: 'ribosome' is none of"),
    ("unknown source", "simulate --source x.pdb --out {o}/s", 2, "file 'x.pdb' does not exist"),
    ("mixed source", "simulate --source phantom {f}/truth.mrc --out {o}/s", 2, "of one kind"),
    ("output in a file", "denoise {f}/tomogram.mrc {f}/text.mrc/out.mrc", 4, "is a file"),
    (
        "output in a file",
        "segment {f}/tomogram.mrc --model {m} --out {f}/text.mrc/o.mrc",
        4,
        "is a file",
    ),
    ("output in a file", "adapt --target {f}/tomogram.mrc --out {f}/text.mrc/run", 4, "is a file"),
    ("output in a file", "simulate --source phantom --out {f}/text.mrc/source", 4, "is a file"),
    ("output in a file", "demo --out {f}/text.mrc/demo", 4, "is a file"),
    (
        "output in a file",
        "segment {f}/subtomograms --model {m} --out {f}/text.mrc/o",
        4,
        "is a file",
    ),
    (
        "missing folder",
        "denoise {f}/tomogram.mrc {o}/no/out.mrc",
        4,
        "does not exist; make it first",
    ),
    ("missing folder", _SEGMENT + "--table {o}/no/t.csv", 4, "does not exist; make it first"),
    ("output is input", "denoise {f}/tomogram.mrc {f}/tomogram.mrc --overwrite", 4, "an input"),
    ("output is input", _SEGMENT + "--probability {f}/tomogram.mrc --overwrite", 4, "an input"),
    (
        "output is input",
        "segment {f}/subtomograms --model {m} --out {f}/subtomograms",
        4,
        "an input",
    ),
    ("output exists", "denoise {f}/tomogram.mrc {f}/truth.mrc", 4, "--overwrite"),
    ("output exists", _SEGMENT + "--picks {f}/truth.mrc", 4, "ends in .star"),
    ("one output twice", _SEGMENT + "--probability {o}/mask.mrc", 4, "two outputs"),
    ("no MRC name", "denoise {f}/tomogram.mrc {o}/out.png", 4, "ends in .mrc"),
    ("no MRC name", "segment {f}/tomogram.mrc --model {m} --out {o}/mask.tif", 4, "ends in .mrc"),
    ("no CSV name", _SEGMENT + "--table {o}/table.txt", 4, "ends in .csv"),
    (
        "not for folders",
        "segment {f}/subtomograms --model {m} --out {o}/m --picks {o}/p.star",
        2,
        "fold",
    ),
    ("no target", "adapt --out {o}/run", 2, "--target"),
    ("no run", "adapt --resume --out {o}/none", 5, "a run folder was wanted"),
    ("no run", "segment {f}/tomogram.mrc --model {f}/empty --out {o}/m.mrc", 5, "nor a checkpoint"),
    ("run exists", "adapt --target {f}/tomogram.mrc --contrast dark --out {m}", 5, "--resume"),
    (
        "folder in use",
        "adapt --target {f}/tomogram.mrc --contrast dark --out {f}/empty/..",
        5,
        "holds",
    ),
    ("bad setting", _ADAPT + "--steps 0", 2, "--steps: at least 1 was wanted, got 0"),
    ("bad setting", _ADAPT + "--denoise-sigma-range 0", 2, "--denoise-sigma-range: at least 0.01"),
    ("bad setting", _ADAPT + "--network-stem 0", 2, "--network-stem: at least 1"),
    ("bad setting", _ADAPT + "--source-snr 0", 2, "--source-snr: at least 0.0001"),
    ("bad setting", "denoise {f}/tomogram.mrc {o}/o.mrc --sigma-range 0", 2, "--sigma-range: at"),
    ("bad setting", _SEGMENT + "--threshold 2", 2, "--threshold: at most 1 was wanted, got 2"),
    ("bad setting", "simulate --source phantom --count 0 --out {o}/s", 2, "--count: at least 1"),
    ("bad choice", "denoise {f}/tomogram.mrc {o}/out.mrc --method median", 2, "--method"),
    ("bad choice", _ADAPT + "--preset best", 2, "--preset"),
    ("bad class", "evaluate {f}/truth.mrc {f}/truth.mrc --class ribosome", 2, "NAME=PREFIX"),
    ("no such file", "info {f}/none.mrc", 2, "does not exist"),
]


def _listing(*folders: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for f in folders for p in sorted(f.rglob("*"))}


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [c[1:] for c in CASES],
    ids=[f"{c[1].split()[0]}-{c[0]}" for c in CASES],
)
def test_wrong_input_is_told_and_leaves_no_trace(
    invoke: Invoke, files: Path, model: Path, tmp_path: Path, words: str, code: int, part: str
) -> None:
    before = _listing(files, model, tmp_path)
    outcome = invoke(*(w.format(f=files, m=model, o=tmp_path) for w in words.split()))
    last = outcome.stderr.splitlines()[-1]
    assert outcome.exit_code == code, outcome.stderr
    assert last.startswith("Error: ")
    assert part in last
    assert outcome.stderr.count("Error:") == 1
    assert "Traceback" not in outcome.stderr
    assert outcome.stdout == ""
    assert _listing(files, model, tmp_path) == before


def test_a_run_folder_in_use_is_refused(
    invoke: Invoke, files: Path, model: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(model, run)
    with FileLock(run / "lock"):
        for words in (("--resume",), ("--target", files / "tomogram.mrc", "--contrast", "dark")):
            outcome = invoke("adapt", *words, "--out", run)
            assert outcome.exit_code == 6, outcome.stderr
            assert "another process is writing to this run" in outcome.stderr


def test_info_describes_a_volume_with_nan(invoke: Invoke, files: Path) -> None:
    outcome = invoke("info", files / "nan.mrc")
    assert outcome.exit_code == 0
    assert "finite values were wanted" in outcome.stdout

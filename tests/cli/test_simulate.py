from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

from napari_voxuda.io.folders import find_pairs
from napari_voxuda.io.mrc import read_mrc

Invoke = Callable[..., Result]
_WORDS = (
    *("simulate", "--source", "phantom", "--variety", "fixed", "--count", "3", "--box", "16"),
    *("--voxel-size", "13.5", "--snr", "0.1", "0.2", "--neighbours", "0"),
)


def test_pairs_in_the_number_size_and_voxel_size_asked_for(invoke: Invoke, tmp_path: Path) -> None:
    outcome = invoke(*_WORDS, "--out", tmp_path / "source")
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.stdout.startswith("3 subtomograms with masks in ")
    assert outcome.stderr == ""
    pairs = find_pairs(tmp_path / "source")
    assert len(pairs) == 3
    for paths in pairs:
        for volume in map(read_mrc, paths):
            assert volume.shape == (16, 16, 16)
            assert volume.grid.voxel_size_angstrom == (13.5, 13.5, 13.5)


def test_the_seed_decides(invoke: Invoke, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert invoke(*_WORDS, "--seed", seed, "--out", tmp_path / name).exit_code == 0
    first, same, other = (read_mrc(find_pairs(tmp_path / n)[0][0]).data for n in "abc")
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_json_is_one_document(invoke: Invoke, tmp_path: Path) -> None:
    out = tmp_path / "new" / "source"
    out.parent.mkdir()
    told = json.loads(invoke(*_WORDS, "--out", out, "--json").stdout)
    assert told == {"out": str(out), "count": 3, "seed": 0}


def test_several_files_are_one_source(invoke: Invoke, tmp_path: Path, shared_data: Path) -> None:
    files = [shared_data / "structures" / name for name in ("1bxn.pdb", "3gl1.pdb")]
    words = ("--count", "2", "--voxel-size", "13.6", "--snr", "0.5", "--out", tmp_path / "source")
    assert invoke("simulate", "--source", *files, *words).exit_code == 0
    record = (tmp_path / "source" / "source.json").read_text()
    assert "1bxn.pdb" in record
    assert "3gl1.pdb" in record


_FEW = ("--count", "2", "--box", "16", "--voxel-size", "13.5", "--neighbours", "0")


def test_identifiers_are_fetched_and_said(
    invoke: Invoke,
    tmp_path: Path,
    pdb_sites: Any,
    pdb_file: Callable[[str], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    pdb_sites.put("/rcsb/1abc.cif.gz", pdb_file("1abc"))
    # An output may have the name of an entry: it is no input file.
    first = invoke("simulate", "--source", "1abc", *_FEW, "--out", "1abc")
    assert first.exit_code == 0, first.stderr
    assert first.stderr == "Fetching 1abc from the Protein Data Bank.\n"
    again = invoke("simulate", "--source", "pdb_00001abc", *_FEW, "--out", "again")
    assert (again.exit_code, again.stderr) == (0, "")
    record = json.loads((tmp_path / "1abc" / "source.json").read_text())
    assert record["source"]["settings"]["files"] == ["1abc"]


def test_the_papers_structures_are_imaged_as_published(
    invoke: Invoke, tmp_path: Path, pdb_sites: Any, pdb_file: Callable[[str], bytes]
) -> None:
    for entry in ("2byu", "2h12", "2ldb"):
        pdb_sites.put(f"/rcsb/{entry}.cif.gz", pdb_file(entry))
    out = tmp_path / "source"
    words = ("--source", "paper-B", "--count", "2", "--box", "24", "--out", out)
    assert invoke("simulate", *words).exit_code == 0
    settings = json.loads((out / "source.json").read_text())["source"]["settings"]
    assert settings["files"] == ["2byu", "2h12", "2ldb"]
    assert settings["noise_model"] == "published"
    assert settings["count"] == 2


def test_without_a_network_the_phantoms_are_offered(
    invoke: Invoke, tmp_path: Path, pdb_sites: Any
) -> None:
    for path in ("/rcsb/1bxn.cif.gz", "/pdbe/bx/1bxn.cif.gz"):
        pdb_sites.put(path, status=502)
    outcome = invoke("simulate", "--source", "paper-A", *_FEW, "--out", tmp_path / "source")
    assert outcome.exit_code == 9
    assert "Error: 1bxn: the structure is not in the cache" in outcome.stderr
    assert "--source phantom --source-variety fixed --source-group A" in outcome.stderr
    assert not (tmp_path / "source").exists()

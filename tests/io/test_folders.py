from __future__ import annotations

import pytest

from napari_voxuda.errors import InputError
from napari_voxuda.io.folders import find_pairs, find_subtomograms


@pytest.fixture
def folder(tmp_path):
    def _make(*names: str):
        for name in names:
            (tmp_path / name).write_bytes(b"")
        return tmp_path

    return _make


def names(paths):
    return [path.name for path in paths]


def test_subtomograms_without_masks_in_natural_order(folder):
    path = folder(
        "a10.mrc", "a2.mrc", "B1.MRC", "a2_mask.mrc", ".hidden.mrc", "notes.txt", "c.rec.gz"
    )
    (path / "d.mrc").mkdir()
    assert names(find_subtomograms(path)) == ["a2.mrc", "a10.mrc", "B1.MRC", "c.rec.gz"]
    assert names(find_subtomograms(str(path))) == names(find_subtomograms(path))


@pytest.mark.parametrize("content", [[], ["a_mask.mrc"], ["a.txt", ".a.mrc"]])
def test_a_folder_without_subtomograms(folder, content):
    with pytest.raises(InputError, match=r"subtomograms .* were wanted, found none"):
        find_subtomograms(folder(*content))


def test_pairs_of_both_kinds_of_names(folder):
    path = folder(
        "b_subtomo.mrc", "b_mask.mrc", "a10.rec", "a10_mask.mrc", "a9.mrc.gz", "a9_mask.map"
    )
    pairs = [(v.name, m.name) for v, m in find_pairs(path)]
    assert pairs == [
        ("a9.mrc.gz", "a9_mask.map"),
        ("a10.rec", "a10_mask.mrc"),
        ("b_subtomo.mrc", "b_mask.mrc"),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "found no MRC file"),
        (["a.mrc"], r"a mask \(NAME_mask.mrc\) is missing for a.mrc; add it"),
        (
            ["a_mask.mrc"],
            r"a subtomogram \(NAME.mrc or NAME_subtomo.mrc\) is missing for a_mask.mrc",
        ),
        (["a.mrc", "a_subtomo.mrc", "a_mask.mrc"], "got a.mrc and a_subtomo.mrc; remove or rename"),
        (["a.mrc", "a.rec", "a_mask.mrc"], "got a.mrc and a.rec"),
        ([f"a{i}.mrc" for i in range(9)], "for a0.mrc, a1.mrc, a2.mrc and 6 more"),
    ],
)
def test_folders_that_hold_no_whole_pairs(folder, content, words):
    with pytest.raises(InputError, match=words):
        find_pairs(folder(*content))


@pytest.mark.parametrize("find", [find_pairs, find_subtomograms])
def test_what_is_not_a_folder(tmp_path, find):
    with pytest.raises(InputError, match="there is no such folder"):
        find(tmp_path / "none")
    (tmp_path / "file.mrc").write_bytes(b"")
    with pytest.raises(InputError, match="a folder was wanted, got a file"):
        find(tmp_path / "file.mrc")


def test_real_folder(shared_data):
    pairs = find_pairs(shared_data / "ribosome70S")
    assert len(pairs) == 20
    assert all(v.name.replace("_subtomo", "_mask") == m.name for v, m in pairs)
    assert [v for v, _ in pairs] == find_subtomograms(shared_data / "ribosome70S")

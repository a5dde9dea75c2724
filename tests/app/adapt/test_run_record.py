"""A record whose target, picks or seed cannot be what they should be."""

from __future__ import annotations

import pytest

from napari_voxuda.app.adapt.run_record import check_places, checked_seed
from napari_voxuda.errors import FileFormatError


@pytest.mark.parametrize("path", ["", "a\0b", "\ud800", 3, ["a"], {}])
def test_what_is_no_path_is_refused(path: object) -> None:
    with pytest.raises(FileFormatError, match="path of a file was wanted as target"):
        check_places({"target": {"path": path}})
    with pytest.raises(FileFormatError, match="path of a file was wanted as picks"):
        check_places({"target": {}, "picks": path})


def test_places_and_levels() -> None:
    check_places({"target": {"path": "/a/b.mrc", "level": 2}, "picks": None})
    check_places({})
    with pytest.raises(FileFormatError, match="a level of the target"):
        check_places({"target": {"level": -1}})


@pytest.mark.parametrize("seed", [-1, 1 << 63, 10**400, 1.0, "1", None])
def test_seeds_that_torch_does_not_take(seed: object) -> None:
    with pytest.raises(ValueError, match="a seed from 0"):
        checked_seed(seed)
    assert checked_seed(7) == 7

from __future__ import annotations

from typing import get_args

import pytest

from napari_voxuda.app.export.choice import FORMAT_WORDS, label_names, needed_options
from napari_voxuda.app.export.job import ExportFormat
from napari_voxuda.errors import InputError


def test_every_format_has_words():
    assert set(FORMAT_WORDS) == set(get_args(ExportFormat))


@pytest.mark.parametrize(
    ("formats", "options"),
    [
        ([], set()),
        (["mrc"], {"folder"}),
        (["mrc-per-label"], {"folder", "label_names"}),
        (["probability-zarr"], {"folder", "probability", "zarr_version"}),
        (["relion5"], {"folder", "probability", "particles", "run"}),
        (["relion4"], {"folder", "probability", "particles", "run", "pixel"}),
        (["csv", "ndjson"], {"folder", "probability", "particles"}),
        (["zarr-in-image"], {"image", "label_names"}),
        (["copick-segmentation"], {"folder", "copick", "run"}),
    ],
)
def test_only_what_the_formats_need_is_asked_for(formats, options):
    assert needed_options(formats) == options


def test_a_copick_project_needs_no_folder():
    assert "folder" not in needed_options(["copick-picks"], has_project=True)
    assert "folder" in needed_options(["copick-picks", "mrc"], has_project=True)


def test_names_of_labels():
    assert label_names(" 1=ribosome, 2 = a b,") == {1: "ribosome", 2: "a b"}
    assert label_names(["1=a,b"]) == {1: "a,b"}
    assert label_names("") == {}
    for wrong in ("ribosome", "1=", "x=y", "-1=a", "٣=a"):
        with pytest.raises(InputError, match="words such as 1=ribosome"):
            label_names(wrong)

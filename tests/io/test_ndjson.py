from __future__ import annotations

import json

import numpy as np
import pytest

from napari_voxuda.data.picks import Picks
from napari_voxuda.errors import FileFormatError, InputError
from napari_voxuda.io.ndjson import count_ndjson_points, read_ndjson_picks, write_ndjson_picks

SHAPE = (10, 20, 30)


def test_points_are_voxels_in_the_order_x_y_z(tmp_path):
    path = tmp_path / "p.ndjson"
    write_ndjson_picks(path, Picks(positions=np.array([[1.0, 2.5, 29.0], [0, 0, 0]])))
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert first == {"type": "point", "location": {"x": 29.0, "y": 2.5, "z": 1.0}}
    assert second["location"] == {"x": 0.0, "y": 0.0, "z": 0.0}
    back = read_ndjson_picks(path, shape=SHAPE)
    np.testing.assert_array_equal(back.positions, [[1.0, 2.5, 29.0], [0, 0, 0]])
    assert count_ndjson_points(path) == 2


def test_oriented_points_are_read_too(tmp_path):
    path = tmp_path / "p.ndjson"
    path.write_text(
        '{"type": "orientedPoint", "location": {"x": 3, "y": 2, "z": 1}, '
        '"xyz_rotation_matrix": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}\n\n'
    )
    np.testing.assert_array_equal(read_ndjson_picks(path, shape=SHAPE).positions, [[1, 2, 3]])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("text", "JSON was wanted in line 2"),
        ("[1]", "a JSON object was wanted in line 2"),
        ('{"type": "line"}', "a point was wanted in line 2"),
        ('{"type": "point"}', "numbers z, y, x were wanted in line 2"),
        ('{"type": "point", "location": {"x": 1, "y": 2}}', "numbers z, y, x"),
        ('{"type": "point", "location": {"x": NaN, "y": 2, "z": 3}}', "finite numbers"),
        ("[" * 100_000, "JSON was wanted"),
    ],
)
def test_damaged_lines_are_named(tmp_path, line, words):
    path = tmp_path / "p.ndjson"
    path.write_text('{"type": "point", "location": {"x": 1, "y": 2, "z": 3}}\n' + line + "\n")
    with pytest.raises(FileFormatError, match=words):
        read_ndjson_picks(path, shape=SHAPE)


def test_picks_of_another_tomogram_are_refused(tmp_path):
    write_ndjson_picks(tmp_path / "p.ndjson", Picks(positions=np.array([[50.0, 60.0, 70.0]])))
    with pytest.raises(InputError, match="1 of 1 outside"):
        read_ndjson_picks(tmp_path / "p.ndjson", shape=SHAPE)
    with pytest.raises(InputError, match="no such file"):
        read_ndjson_picks(tmp_path / "none.ndjson", shape=SHAPE)
    (tmp_path / "b.ndjson").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileFormatError, match="binary"):
        read_ndjson_picks(tmp_path / "b.ndjson", shape=SHAPE)

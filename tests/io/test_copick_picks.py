from __future__ import annotations

import json

import numpy as np
import pytest

from napari_voxuda.data.picks import Picks
from napari_voxuda.errors import FileFormatError, InputError
from napari_voxuda.io.copick import CopickOwner
from napari_voxuda.io.copick_picks import read_copick_picks, write_copick_picks

SHAPE = (50, 60, 70)
OWNER = CopickOwner(user="jane", session="3", object_name="ribosome")


def write(path, picks, voxel=10.0):
    write_copick_picks(path, picks, owner=OWNER, run="TS_01", voxel_size_angstrom=voxel)
    return json.loads(path.read_text())


def test_points_are_angstrom_from_the_first_voxel(tmp_path):
    picks = Picks(positions=np.array([[1.0, 2.0, 3.5]]), scores=np.array([0.75]))
    content = write(tmp_path / "p.json", picks, 13.48)
    (point,) = content.pop("points")
    assert point["location"] == {"x": 47.18, "y": 26.96, "z": 13.48}
    assert point["score"] == 0.75
    assert np.array(point["transformation_"]).tolist() == np.eye(4).tolist()
    assert content == {
        "pickable_object_name": "ribosome",
        "user_id": "jane",
        "session_id": "3",
        "run_name": "TS_01",
        "voxel_spacing": 13.48,
        "unit": "angstrom",
        "trust_orientation": False,
    }


def test_round_trip(tmp_path):
    positions = np.random.default_rng(0).uniform(0, 49, (20, 3))
    scores = np.linspace(0, 1, 20)
    write(tmp_path / "p.json", Picks(positions=positions, scores=scores), 7.84)
    back = read_copick_picks(tmp_path / "p.json", voxel_size_angstrom=7.84, shape=SHAPE)
    np.testing.assert_allclose(back.positions, positions, atol=1e-4)
    np.testing.assert_allclose(back.scores, scores, atol=1e-6)


def test_a_file_of_copicks_own_making(tmp_path):
    text = """{"pickable_object_name": "proteasome", "user_id": "u", "session_id": "0",
      "run_name": "r", "voxel_spacing": 10, "unit": "nanometer",
      "points": [{"location": {"x": 30.0, "y": 20.0, "z": 10.0}, "instance_id": 0, "score": 17.5}],
      "trust_orientation": true}"""
    (tmp_path / "p.json").write_text(text)
    picks = read_copick_picks(tmp_path / "p.json", voxel_size_angstrom=10.0, shape=SHAPE)
    np.testing.assert_allclose(picks.positions, [[10, 20, 30]])
    assert picks.scores is None  # 17.5 is no score in [0, 1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"points": None}, "picks of copick"),
        ({"points": [3]}, "numbers z, y, x were wanted in point 0"),
        ({"points": [{"location": {"x": 1, "y": 1, "z": "a"}}]}, "numbers z, y, x"),
        ({"points": [{"location": {"x": 1, "y": 1, "z": 1e999}}]}, "finite"),
        ({"unit": "parsec"}, "a unit of length"),
    ],
)
def test_damaged_files_are_refused(tmp_path, change, words):
    content = write(tmp_path / "p.json", Picks(positions=np.ones((1, 3))))
    (tmp_path / "p.json").write_text(json.dumps(content | change))
    with pytest.raises(FileFormatError, match=words):
        read_copick_picks(tmp_path / "p.json", voxel_size_angstrom=10.0, shape=SHAPE)


def test_what_cannot_be_placed_is_refused(tmp_path):
    write(tmp_path / "p.json", Picks(positions=np.full((1, 3), 500.0)))
    with pytest.raises(InputError, match="outside"):
        read_copick_picks(tmp_path / "p.json", voxel_size_angstrom=10.0, shape=SHAPE)
    with pytest.raises(InputError, match="voxel size is unknown"):
        read_copick_picks(tmp_path / "p.json", voxel_size_angstrom=None, shape=SHAPE)

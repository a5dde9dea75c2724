"""Read and write particle positions as the JSON files of copick.

Points are in Å from the centre of the first voxel, ``index * voxel size``; copick knows no origin.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from napari_voxuda._types import Triple, TripleInt
from napari_voxuda.data.lengths import angstrom_per_unit
from napari_voxuda.data.picks import Picks
from napari_voxuda.errors import FileFormatError
from napari_voxuda.io._json_files import finite_numbers, read_json_object
from napari_voxuda.io._positions import check_inside, checked_voxel_size, scores_in_range
from napari_voxuda.io.atomic import atomic_path
from napari_voxuda.io.copick import CopickOwner

__all__ = ["read_copick_picks", "write_copick_picks"]

_IDENTITY = [[1.0 if i == j else 0.0 for j in range(4)] for i in range(4)]


def read_copick_picks(
    path: str | Path, *, voxel_size_angstrom: float | Triple | None, shape: TripleInt
) -> Picks:
    """Read positions from a file of picks.

    Parameters
    ----------
    path : str or pathlib.Path
        The JSON file.
    voxel_size_angstrom : float or tuple of float or None
        Voxel size of the tomogram in Å.
    shape : tuple of int
        Voxels of the tomogram along (z, y, x).

    Returns
    -------
    Picks
        (n, 3) positions (z, y, x) in voxels, with scores where they are in [0, 1].

    Raises
    ------
    InputError
        When there is no such file, the voxel size is unknown, or most positions lie outside.
    FileFormatError
        When it is no such file.
    """
    path = Path(path).expanduser()
    voxel = checked_voxel_size(voxel_size_angstrom, path)
    content = read_json_object(path)
    points = content.get("points")
    if not isinstance(points, list) or "pickable_object_name" not in content:
        raise FileFormatError(
            f"{path}: picks of copick (pickable_object_name, points) were wanted."
        )
    unit = str(content.get("unit") or "angstrom")
    factor = angstrom_per_unit(unit)
    if factor is None:
        raise FileFormatError(f"{path}: a unit of length was wanted, got {unit[:40]!r}.")
    rows, scores = [], []
    for number, point in enumerate(points):
        where = f" in point {number}"
        holder = point if isinstance(point, dict) else {}
        rows.append(finite_numbers(holder.get("location"), "zyx", path, where))
        scores.append(holder.get("score", 1.0))
    positions = np.array(rows, dtype=np.float64).reshape(-1, 3) * factor / voxel
    check_inside(positions, shape, path)
    numbers = all(isinstance(s, int | float) for s in scores)
    known = scores_in_range(np.array([_real(s) for s in scores])) if numbers else None
    return Picks(positions=positions, scores=known)


def _real(score: float) -> float:
    """Return a score; a whole number beyond all floats is none."""
    try:
        return float(score)
    except OverflowError:
        return float("nan")


def write_copick_picks(
    path: str | Path,
    picks: Picks,
    *,
    owner: CopickOwner,
    run: str,
    voxel_size_angstrom: float | Triple,
) -> None:
    """Write positions as a file of picks.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; `CopickProject.picks_path` or `picks_name` tell what copick looks for.
    picks : Picks
        (n, 3) positions (z, y, x) in voxels.
    owner : CopickOwner
        Whose picks of which object.
    run : str
        Name of the run.
    voxel_size_angstrom : float or tuple of float
        Voxel size of the tomogram in Å.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    path = Path(path)
    voxel = checked_voxel_size(voxel_size_angstrom, path)
    places = (picks.positions * voxel).round(4).tolist()
    scores = [1.0] * len(picks) if picks.scores is None else picks.scores.round(6).tolist()
    content = {
        "pickable_object_name": owner.object_name,
        "user_id": owner.user,
        "session_id": owner.session,
        "run_name": run,
        "voxel_spacing": round(float(voxel.mean()), 3),
        "unit": "angstrom",
        "points": [
            {
                "location": {"x": x, "y": y, "z": z},
                "transformation_": _IDENTITY,
                "instance_id": number,
                "score": score,
            }
            for number, ((z, y, x), score) in enumerate(zip(places, scores, strict=True), 1)
        ],
        "trust_orientation": False,
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

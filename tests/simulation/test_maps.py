from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError
from napari_voxuda.io.mrc import write_mrc
from napari_voxuda.simulation.maps import molecule_from_map
from napari_voxuda.simulation.settings import SourceSettings
from napari_voxuda.simulation.source import make_source


def write_ellipsoid(path: Path, voxel: float, radii: tuple[float, float, float]) -> float:
    """Write a soft ellipsoid (radii in Å) and return its volume in Å³."""
    n = int(2 * max(radii) / voxel) + 16
    grid = (np.indices((n, n, n)) - (n - 1) / 2) * voxel
    distance = np.sqrt(sum((g / r) ** 2 for g, r in zip(grid, radii, strict=True)))
    data = 3.0 / (1 + np.exp((distance - 1) * min(radii) / 2.0))
    volume = Volume(data=data.astype(np.float32), grid=Grid().with_voxel_size(voxel))
    write_mrc(path, volume)
    return float(4 / 3 * np.pi * np.prod(radii))


@pytest.mark.parametrize("voxel", [2.0, 5.0, 10.0])
def test_volume_and_shape_of_a_map_are_kept_at_any_voxel_size(tmp_path: Path, voxel: float) -> None:
    path = tmp_path / "ellipsoid.mrc"
    wanted = write_ellipsoid(path, voxel, (60.0, 45.0, 35.0))
    molecule = molecule_from_map(path, voxel_size_angstrom=10.0)
    assert molecule.volume_angstrom3 == pytest.approx(wanted, rel=0.08)
    moments = np.average(molecule.points**2, axis=0, weights=molecule.volumes) * 5
    np.testing.assert_allclose(moments**0.5, (60, 45, 35), rtol=0.07)


def test_dust_is_left_out(tmp_path: Path) -> None:
    data = np.zeros((40, 40, 40), np.float32)
    data[10:20, 10:20, 10:20] = 1
    data[35, 35, 35] = 3
    path = tmp_path / "dust.mrc"
    write_mrc(path, Volume(data=data, grid=Grid().with_voxel_size(6.0)))
    molecule = molecule_from_map(path, voxel_size_angstrom=12.0)
    assert molecule.radius_angstrom < 60


def test_the_maps_of_known_complexes_have_their_volume(shared_data: Path) -> None:
    # Masses in kDa from the sequences: 20S proteasome 690, yeast mitoribosome 3000.
    for name, mass in (("3j9i", 690), ("5mrc", 3000)):
        molecule = molecule_from_map(shared_data / "maps" / f"{name}.mrc", voxel_size_angstrom=10)
        assert molecule.volume_angstrom3 == pytest.approx(mass * 1210, rel=0.2)


def test_maps_are_drawn_from(tmp_path: Path) -> None:
    path = tmp_path / "ellipsoid.mrc"
    wanted = write_ellipsoid(path, 5.0, (60.0, 45.0, 35.0))
    settings = SourceSettings(
        kind="maps", files=(str(path),), neighbours=0, empty_fraction=0.0, offset_voxels=2.0
    )
    batch = make_source(settings).draw(6, torch.Generator().manual_seed(0))
    assert batch.masks.float().sum().item() / 6 * 1000 == pytest.approx(wanted, rel=0.08)


def test_maps_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    ball = (np.linalg.norm(np.indices((24,) * 3) - 11.5, axis=0) < 6).astype(np.float32)
    path = tmp_path / "map.mrc"

    def refuse(data: np.ndarray, grid: Grid, words: str) -> None:
        write_mrc(path, Volume(data=data, grid=grid))
        with pytest.raises(InputError, match=rf"map\.mrc: .*{words}"):
            molecule_from_map(path, voxel_size_angstrom=10.0)

    known = Grid().with_voxel_size(8.0)
    refuse(ball, Grid(), "its header has none")
    refuse(-ball, known, "Is the contrast inverted")
    refuse(np.full_like(ball, 2.0), known, "nothing in it stands out")

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError
from napari_voxuda.io.mrc import write_mrc
from napari_voxuda.simulation.phantoms import phantom
from napari_voxuda.simulation.room import Shell
from napari_voxuda.simulation.scene import Scene, SceneSettings, make_scene
from napari_voxuda.simulation.scene_content import place_molecules, place_vesicles

SMALL = SceneSettings(shape=(40, 72, 64), molecules=9, small_proteins=40, gold_beads=1)


def scene(settings: SceneSettings = SMALL, seed: int = 0) -> Scene:
    return make_scene(settings, torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def made() -> Scene:
    return scene()


def test_a_scene_is_what_it_says(made: Scene) -> None:
    assert made.volume.shape == made.mask.shape == made.instances.shape == (40, 72, 64)
    assert made.volume.data.dtype == np.float32
    assert made.mask.data.dtype == np.uint8
    assert made.instances.data.dtype == np.uint16
    assert made.volume.grid.voxel_size_angstrom == (12.0, 12.0, 12.0)
    assert made.mask.grid == made.volume.grid


def test_the_generator_alone_decides(made: Scene) -> None:
    np.testing.assert_array_equal(made.volume.data, scene().volume.data)
    assert not np.array_equal(made.volume.data, scene(seed=1).volume.data)


def test_mask_instances_and_particles_agree(made: Scene) -> None:
    labels = made.instances.data
    np.testing.assert_array_equal(made.mask.data, labels > 0)
    assert [p.label for p in made.particles] == list(range(1, len(made.particles) + 1))
    assert {p.kind for p in made.particles} == {"ribosome", "proteasome", "chaperonin"}
    for particle in made.particles:
        assert all(0 <= c < n for c, n in zip(particle.centre, labels.shape, strict=True))
        voxels = np.argwhere(labels == particle.label)
        assert len(voxels)
        reach = phantom(particle.kind).radius_angstrom / 12 + 2
        assert np.linalg.norm(voxels - particle.centre, axis=1).max() <= reach


def test_classes_are_those_of_the_particles(made: Scene) -> None:
    assert made.classes.data.dtype == np.uint16
    assert made.kinds == ("ribosome", "proteasome", "chaperonin")
    for particle in made.particles:
        assert made.kinds[particle.number - 1] == particle.kind
        own = made.classes.data[made.instances.data == particle.label]
        assert (own == particle.number).all()
    np.testing.assert_array_equal(made.classes.data > 0, made.mask.data > 0)


def test_vesicles_are_bright_and_not_labelled_and_no_molecule_touches_them() -> None:
    settings = SceneSettings(
        shape=(48, 96, 96),
        molecules=0,
        small_proteins=0,
        gold_beads=0,
        vesicles=2,
        contrast="bright",
    )
    rng = np.random.default_rng(0)
    vesicles, shells = place_vesicles(settings, 8, rng)
    assert len(vesicles) == len(shells) == 2
    for vesicle, shell in zip(vesicles, shells, strict=True):
        assert isinstance(shell, Shell)
        outside = np.array([shell.distance(point) for point in vesicle.points[::50]])
        assert outside.max() < 1.0  # voxel
        assert (outside < 0).mean() > 0.95
        assert 150 <= shell.radius * 12 <= 600
    one, other = (shell for shell in shells if isinstance(shell, Shell))
    apart = float(np.linalg.norm(one.centre - other.centre))
    assert apart >= one.radius + one.half + other.radius + other.half - 1e-6
    crowded = SceneSettings(shape=(48, 96, 96), molecules=20)
    for item in place_molecules(crowded, shells, rng):
        for shell in shells:
            assert shell.distance(item.centre) >= item.molecule.radius
    made = scene(settings)
    assert not made.mask.data.any()
    assert made.volume.data.std() > scene(replace(settings, vesicles=0)).volume.data.std()


def test_molecules_from_files_are_placed_and_labelled(tmp_path: Path) -> None:
    data = np.zeros((24, 24, 24), np.float32)
    data[6:18, 6:18, 8:16] = 1.0  # a block of 96 x 96 x 64 Å
    write_mrc(tmp_path / "block.mrc", Volume(data=data, grid=Grid().with_voxel_size(8.0)))
    settings = SceneSettings(
        shape=(40, 80, 80),
        kinds=("chaperonin",),
        files=(str(tmp_path / "block.mrc"),),
        molecules=8,
        small_proteins=0,
        gold_beads=0,
    )
    made = scene(settings)
    assert made.kinds == ("chaperonin", "block")
    blocks = [p for p in made.particles if p.kind == "block"]
    assert blocks
    assert {p.number for p in blocks} == {2}
    largest = max((made.instances.data == p.label).sum() for p in blocks)
    assert largest * 12**3 == pytest.approx(96 * 96 * 64, rel=0.25)
    assert scene(replace(settings, kinds=())).kinds == ("block",)


def test_files_that_are_no_molecules_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="structure file or density map was wanted"):
        scene(SceneSettings(files=(str(tmp_path),)))
    with pytest.raises(InputError, match=r"missing\.mrc' does not exist"):
        scene(SceneSettings(files=(str(tmp_path / "missing.mrc"),)))
    with pytest.raises(InputError, match=r"different names.*ribosome.*; leave one out"):
        SceneSettings(files=("elsewhere/ribosome.pdb.gz",))


def test_molecules_keep_apart_and_have_their_volume() -> None:
    made = scene(SceneSettings(shape=(64, 96, 96), molecules=6, small_proteins=0, gold_beads=0))
    centres = np.array([p.centre for p in made.particles])
    radii = np.array([phantom(p.kind).radius_angstrom / 12 for p in made.particles])
    for i in range(len(centres)):
        for j in range(i):
            assert np.linalg.norm(centres[i] - centres[j]) >= radii[i] + radii[j] - 1e-6
        margin = min(
            (centres[i] - radii[i]).min(), (np.array([64, 96, 96]) - centres[i] - radii[i]).min()
        )
        if margin > 1:
            wanted = phantom(made.particles[i].kind).volume_angstrom3 / 12**3
            assert (made.instances.data == i + 1).sum() == pytest.approx(wanted, rel=0.07)


@pytest.mark.parametrize("signal", [0.5, 1.5])
def test_the_signal_inside_the_mask_is_as_stated(signal: float) -> None:
    settings = SceneSettings(
        shape=(48, 96, 96), molecules=12, gold_beads=0, signal=signal, contrast="bright"
    )
    made = scene(settings)
    values = (made.volume.data - made.volume.data.mean()) / made.volume.data.std()
    assert values[made.mask.data > 0].mean() == pytest.approx(signal, abs=0.1)


def test_dark_is_the_negative_of_bright(made: Scene) -> None:
    bright = scene(
        SceneSettings(
            shape=SMALL.shape, molecules=9, small_proteins=40, gold_beads=1, contrast="bright"
        )
    )
    np.testing.assert_array_equal(made.volume.data, -bright.volume.data)


def test_the_missing_wedge_is_missing() -> None:
    made = scene(SceneSettings(shape=(64, 64, 64), molecules=4, gold_beads=0))
    power = np.abs(np.fft.fftn(made.volume.data - made.volume.data.mean())) ** 2
    k = np.fft.fftfreq(64)
    angle = np.degrees(np.arctan2(np.abs(k)[:, None], np.abs(k)[None, :]))
    plane = power.sum(axis=1)
    assert plane[angle > 70].mean() < 0.1 * plane[(angle < 50) & (angle > 0)].mean()


def test_an_empty_scene_is_noise() -> None:
    made = scene(SceneSettings(shape=(16, 32, 32), molecules=0, small_proteins=0, gold_beads=0))
    assert not made.mask.data.any()
    assert made.particles == ()
    assert made.volume.data.std() == pytest.approx(1.0, rel=1e-3)


def test_unknown_molecules_are_refused() -> None:
    with pytest.raises(InputError, match="got 'unicorn'"):
        SceneSettings(kinds=("unicorn",))
    with pytest.raises(InputError, match="at least one phantom"):
        SceneSettings(kinds=())

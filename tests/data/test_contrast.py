"""The guess on real and simulated data, on copies with the other sign, and on what has no answer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_voxuda.data import contrast as module
from napari_voxuda.data.contrast import LOW_CONFIDENCE, detect_contrast
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError
from napari_voxuda.io.folders import find_subtomograms
from napari_voxuda.io.mrc import read_mrc


def blobs(seed: int, *, shape=(48, 96, 96), voxel=12.0, noise=1.0) -> Volume:
    """Return bright globules of 200 Å in white noise."""
    rng = np.random.default_rng(seed)
    clean = np.zeros(shape)
    for _ in range(max(2, clean.size // 8000)):
        clean[tuple(rng.integers(0, n) for n in shape)] = 1
    clean = ndimage.gaussian_filter(clean, 60.0 / voxel)
    data = clean / clean.std() * 0.5 + rng.normal(0, noise, shape)
    return Volume(data=data.astype(np.float32), grid=Grid(voxel_size_angstrom=(voxel,) * 3))


def flipped(volume: Volume) -> Volume:
    return volume.with_data(-volume.data.astype(np.float32))


REAL = {
    "tomograms/scene.mrc": "dark",
    "microtubule/13pf_MT.mrc": "bright",  # with erased beads, which are dark holes
    "formats/vesicles_simulated_voxel0.mrc": "dark",  # voxel size unknown
}


@pytest.mark.parametrize("name", REAL)
def test_real_tomograms_and_their_negatives(shared_data, name):
    volume = read_mrc(shared_data / name)
    guess, negative = detect_contrast(volume), detect_contrast(flipped(volume))
    assert guess.contrast == REAL[name]
    assert guess.is_sure
    assert negative.contrast != guess.contrast
    assert negative.confidence == pytest.approx(guess.confidence, abs=1e-3)
    assert ("unknown voxel size" in guess.reason) == (volume.grid.voxel_size_angstrom is None)


def test_subtomograms_are_judged_together(shared_data):
    volumes = [read_mrc(path) for path in find_subtomograms(shared_data / "ribosome70S")]
    guess = detect_contrast(volumes)
    assert (guess.contrast, guess.is_sure) == ("bright", True)
    negative = detect_contrast([flipped(v) for v in volumes])
    assert (negative.contrast, negative.is_sure) == ("dark", True)
    alone = detect_contrast(volumes[0])
    assert not alone.is_sure
    assert "not sure" in alone.reason
    assert "check by eye" in alone.reason


def test_a_small_plastic_section_is_not_judged_with_confidence(shared_data):
    assert not detect_contrast(read_mrc(shared_data / "formats" / "rec3D.rec")).is_sure


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("voxel", [7.0, 12.0, 18.0])
def test_globules_in_noise(seed, voxel):
    edge = int(900 / voxel)
    volume = blobs(seed, voxel=voxel, shape=(edge // 2, edge, edge))
    assert (detect_contrast(volume).contrast, detect_contrast(volume).is_sure) == ("bright", True)
    assert (
        detect_contrast(flipped(volume)).contrast,
        detect_contrast(flipped(volume)).is_sure,
    ) == ("dark", True)


def test_values_scale_and_offset_do_not_matter():
    volume = blobs(0, shape=(32, 64, 64))
    guess = detect_contrast(volume)
    wide = volume.data.astype(np.float64)
    for data in (wide * 1e-9 + 3, wide * 1e30 - 1e31):
        other = detect_contrast(volume.with_data(data))
        assert other.contrast == guess.contrast
        assert other.confidence == pytest.approx(guess.confidence, abs=1e-2)


def test_erased_beads_and_streaks_do_not_turn_the_verdict():
    volume = blobs(1)
    data = volume.data.copy()
    for z, y, x in [(20, 20, 20), (24, 70, 30), (30, 40, 80)]:
        ball = (
            sum((g - c) ** 2 for g, c in zip(np.ogrid[:48, :96, :96], (z, y, x), strict=True)) < 30
        )
        data[ball] = data.min()
    guess = detect_contrast(volume.with_data(data))
    assert (guess.contrast, guess.is_sure) == ("bright", True)


@pytest.mark.parametrize("fill", [0.0, -50.0, 50.0])
def test_padding_does_not_count(fill):
    volume = blobs(2)
    data = volume.data.copy()
    data[:, :20] = data[:, -15:] = fill
    guess = detect_contrast(volume.with_data(data))
    assert (guess.contrast, guess.is_sure) == ("bright", True)


def test_pure_noise_is_rarely_judged_with_confidence():
    rng = np.random.default_rng(5)
    sure = 0
    for _ in range(12):
        noise = ndimage.gaussian_filter(rng.normal(size=(40, 64, 64)), rng.uniform(0, 2))
        sure += detect_contrast(
            Volume(data=noise, grid=Grid(voxel_size_angstrom=(12.0,) * 3))
        ).is_sure
    assert sure <= 1


def test_confidence_is_a_probability_and_the_reason_a_sentence():
    guess = detect_contrast(blobs(0, shape=(32, 64, 64)))
    assert 0.5 <= guess.confidence <= 1
    assert guess.reason.startswith("Protein is bright: the upper tail is longer")
    assert guess.reason.endswith(".")
    assert guess.is_sure == (guess.confidence >= LOW_CONFIDENCE)


def test_of_a_large_volume_only_tiles_are_read(monkeypatch):
    monkeypatch.setattr(module, "_TILE", 24)
    monkeypatch.setattr(module, "_MAX_TILES", 6)
    volume = blobs(3, shape=(50, 150, 100))
    tiles = list(module._tiles(volume.data))
    assert [tile.shape for tile in tiles] == [(24, 24, 24)] * 6
    assert len({tile.tobytes() for tile in tiles}) == 6
    assert detect_contrast(volume).contrast == "bright"
    assert detect_contrast(flipped(volume)).contrast == "dark"


def test_what_has_no_answer():
    with pytest.raises(InputError, match="at least one volume was wanted"):
        detect_contrast([])
    with pytest.raises(InputError, match="varying values were wanted, got a constant"):
        detect_contrast(Volume(data=np.full((8, 8, 8), 0.1), name="flat"))
    data = blobs(0, shape=(16, 16, 16)).data
    data[3, 3, 3] = np.nan
    with pytest.raises(InputError, match="tomo: finite values were wanted, got NaN"):
        detect_contrast(Volume(data=data, name="tomo"))


@pytest.mark.parametrize("shape", [(1, 64, 64), (2, 3, 4), (1, 1, 2), (300, 3, 3)])
def test_any_shape_gives_an_answer(shape):
    volume = Volume(data=np.random.default_rng(0).random(shape))
    assert detect_contrast(volume).contrast in ("bright", "dark")


def test_a_volume_of_any_promised_size_takes_no_memory():
    from napari_voxuda.data.contrast import _tiles
    from napari_voxuda.data.lazy import LazyArray

    class Promise:
        shape, dtype, chunks = (10**6,) * 3, np.dtype("u1"), (64,) * 3

        def __getitem__(self, key):
            return np.zeros([k.stop - k.start for k in key], "u1")

    assert len(list(_tiles(LazyArray(Promise(), (0, 1, 2))))) <= 64


def test_values_that_are_no_numbers_are_refused_without_a_warning():
    data = np.random.default_rng(0).normal(size=(16, 16, 16)).astype(np.float32)
    data.view(np.uint32)[3, 4, 5] = 0x7F800001  # a NaN that signals when it is converted
    with pytest.raises(InputError, match="finite values were wanted"):
        detect_contrast(Volume(data=data))

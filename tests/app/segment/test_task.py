from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.app.conftest import run_to_end
from torch import Tensor

from napari_voxuda._types import Contrast, Message, Progress
from napari_voxuda.app.jobs import Segmentation, SegmentJob
from napari_voxuda.app.segment.task import SegmentModel, segment_task
from napari_voxuda.data.contrast import ContrastGuess
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError, RunFolderError
from napari_voxuda.segmentation.rounding import rounded_mask
from napari_voxuda.segmentation.settings import SegmentSettings

GRID = Grid(voxel_size_angstrom=(10.0, 10.0, 10.0), origin_angstrom=(1.0, 2.0, 3.0))


@dataclass(frozen=True, kw_only=True)
class Brightness:
    """A model for which brighter means more probable."""

    contrast: Contrast = "bright"
    normalisation: Any = "volume"
    voxel_size_angstrom: float | None = 10.0

    def predict(self, batch: Tensor) -> Tensor:
        return torch.sigmoid(4 * batch - 8)

    def predict_whole(self, batch: Tensor) -> Tensor:
        return self.predict(batch)


def always(model: SegmentModel) -> Callable[[Path, Any], SegmentModel]:
    return lambda run, device: model


def two_particles(shape: tuple[int, int, int] = (30, 40, 70)) -> np.ndarray:
    data = np.random.default_rng(0).normal(100.0, 1.0, shape).astype(np.float32)
    data[5:11, 5:11, 5:11] += 40
    data[20:24, 20:24, 40:44] += 40
    return data


def segmented(
    data: np.ndarray, model: Brightness | None = None, grid: Grid = GRID, **settings: Any
) -> tuple[Segmentation, list[str]]:
    job = SegmentJob(
        volume=Volume(data=data, grid=grid, name="tomo"),
        model=Path("run"),
        settings=SegmentSettings(**{"core": 16, **settings}),
        device="cpu",
    )
    result, events = run_to_end(segment_task(job, load=always(model or Brightness())))
    return result, [event.text for event in events if isinstance(event, Message)]


def test_particles_are_found_on_the_grid_of_the_volume() -> None:
    result, messages = segmented(two_particles())
    assert messages == []
    assert result.mask.grid == result.probability.grid == GRID
    assert result.mask.name == "tomo"
    assert result.probability.data.dtype == np.float32
    assert result.mask.data.dtype == np.uint8
    assert [p.voxels for p in result.particles] == [216, 64]
    assert result.particles[0].centroid == (7.5, 7.5, 7.5)
    assert result.particles[1].volume_angstrom3 == 64_000.0
    assert result.particles[0].mean_probability > 0.9


def test_a_model_of_dark_protein_sees_the_volume_inverted() -> None:
    bright, _ = segmented(two_particles())
    dark, _ = segmented(200.0 - two_particles(), Brightness(contrast="dark"))
    wrong, messages = segmented(200.0 - two_particles())
    np.testing.assert_array_equal(dark.mask.data, bright.mask.data)
    np.testing.assert_allclose(dark.probability.data, bright.probability.data, atol=1e-4)
    assert wrong.mask.data.sum() == 0
    assert len(messages) == 1


def test_the_volume_is_normalised_as_a_whole() -> None:
    """A linear change of all values changes nothing; so tiles are not normalised by themselves."""
    data = two_particles()
    seen = []

    class Recording(Brightness):
        def predict(self, batch: Tensor) -> Tensor:
            seen.append(batch.clone())
            return super().predict(batch)

    one, _ = segmented(data, Recording())
    z = (data - data.mean(dtype=float)) / data.std(dtype=float)
    np.testing.assert_allclose(seen[0][0, :30].numpy(), z[:, :32, :32], atol=1e-4)
    other, _ = segmented(1000 - 3 * (50 - data))
    np.testing.assert_allclose(one.probability.data, other.probability.data, atol=1e-4)


def test_threshold_and_smallest_size_in_cubic_angstrom() -> None:
    data = two_particles()
    assert [p.voxels for p in segmented(data, min_size_angstrom3=64_000.0)[0].particles] == [
        216,
        64,
    ]
    result, _ = segmented(data, min_size_angstrom3=64_001.0)
    assert [p.voxels for p in result.particles] == [216]
    assert result.mask.data.sum() == 216
    assert segmented(data, threshold=0.0)[0].mask.data.all()


def test_roundness_and_holes_are_those_of_the_settings() -> None:
    data = two_particles()
    data[7, 7, 7] = 100.0
    data[8, 8, 11:15] = 105.5  # hardly foreground
    plain, _ = segmented(data)
    assert (plain.mask.data[7, 7, 7], plain.mask.data[8, 8, 14]) == (0, 1)
    holes = segmented(data, max_hole_angstrom3=1000.0)[0].mask.data
    assert (holes[7, 7, 7], holes[8, 8, 14]) == (1, 1)
    result, _ = segmented(data, roundness=1.0)
    wanted = rounded_mask(plain.probability.data, 0.5, 1.0)
    assert wanted.sum() != plain.mask.data.sum()
    np.testing.assert_array_equal(result.mask.data, wanted)


def test_an_empty_mask_says_why() -> None:
    result, messages = segmented(200.0 - two_particles(), threshold=0.9)
    assert result.particles == []
    assert "no voxel reaches the threshold" in messages[0]
    assert "the threshold 0.9)" in messages[0]
    result, messages = segmented(two_particles(), min_size_angstrom3=1e9)
    assert result.particles == []
    assert "no component reaches the minimum size" in messages[0]


@pytest.mark.parametrize("name", ["min_size_angstrom3", "max_hole_angstrom3"])
def test_a_size_needs_the_voxel_size_and_says_so_before_loading(name: str) -> None:
    def never(run: Path, device: object) -> SegmentModel:
        raise AssertionError("loaded")

    job = SegmentJob(
        volume=Volume(data=two_particles(), name="tomo"),
        model=Path("run"),
        settings=SegmentSettings(**{name: 100.0}),
    )
    with pytest.raises(InputError, match=r"tomo: .*100 Å³ .*voxel size of the volume is unknown"):
        run_to_end(segment_task(job, load=never))


def test_without_a_voxel_size_there_are_no_volumes() -> None:
    result, messages = segmented(two_particles(), grid=Grid())
    assert messages == []
    assert result.particles[0].volume_angstrom3 is None


@pytest.mark.parametrize(
    ("size", "warned"),
    [
        ((10.0, 10.0, 10.0), False),
        ((10.9, 10.9, 10.9), False),
        ((9.1, 9.1, 9.1), False),
        ((11.2, 11.2, 11.2), True),
        ((8.9, 8.9, 8.9), True),
        ((10.0, 10.0, 13.0), True),
    ],
)
def test_another_voxel_size_than_the_models_is_a_warning(
    size: tuple[float, float, float], warned: bool
) -> None:
    messages = segmented(two_particles(), grid=Grid(voxel_size_angstrom=size))[1]
    assert len(messages) == warned
    if warned:
        assert "but the model was adapted to 10 Å" in messages[0]
        assert f"{size[2]:g}" in messages[0]


def test_a_model_of_unknown_voxel_size_does_not_complain() -> None:
    assert segmented(two_particles(), Brightness(voxel_size_angstrom=None))[1] == []


def test_a_model_of_subtomograms_on_a_tomogram_is_a_warning() -> None:
    model = Brightness(normalisation="subtomogram")
    messages = segmented(two_particles(), model)[1]
    assert len(messages) == 1
    assert "normalised one by one" in messages[0]
    assert segmented(two_particles((32, 32, 32)), model)[1] == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(bad: float) -> None:
    data = two_particles()
    data[3, 4, 5] = bad
    with pytest.raises(InputError, match=r"tomo: .*finite values were wanted"):
        segmented(data)


def test_a_constant_volume_is_refused() -> None:
    with pytest.raises(InputError, match=r"tomo: .*varying values were wanted, got 7"):
        segmented(np.full((9, 9, 9), 7.0))


@pytest.mark.parametrize("shape", [(1, 40, 40), (7, 33, 100), (5, 5, 5)])
def test_any_shape(shape: tuple[int, int, int]) -> None:
    result, _ = segmented(np.random.default_rng(0).normal(size=shape))
    assert result.mask.shape == shape
    assert np.isfinite(result.probability.data).all()


@pytest.mark.parametrize(
    ("normalisation", "core", "alone"),
    [("subtomogram", 96, True), ("subtomogram", 8, False), ("volume", 96, False)],
)
def test_a_subtomogram_that_is_one_tile_is_judged_by_itself(
    normalisation: str, core: int, alone: bool
) -> None:
    class Sure(Brightness):
        def predict_whole(self, batch: Tensor) -> Tensor:
            return torch.ones_like(batch)

    data = two_particles((32, 32, 48))
    found, _ = segmented(data, Sure(normalisation=normalisation), core=core)
    assert (found.mask.data.all() and found.probability.data.min() > 0.99) == alone


def test_a_subtomogram_that_is_cut_to_fit_into_memory_is_not_judged_by_pieces() -> None:
    class Crowded(Brightness):
        def predict(self, batch: Tensor) -> Tensor:
            if batch.shape[-1] > 24:
                raise RuntimeError("CUDA out of memory.")
            return super().predict(batch)

        def predict_whole(self, batch: Tensor) -> Tensor:
            return torch.ones_like(self.predict(batch))

    data = two_particles((32, 32, 48))
    found, _ = segmented(data, Crowded(normalisation="subtomogram"), core=96)
    assert 0 < found.mask.data.mean() < 0.5


def test_memory_that_runs_out_is_told_and_stands_in_the_provenance() -> None:
    class Crowded(Brightness):
        def predict(self, batch: Tensor) -> Tensor:
            if batch.shape[-1] > 24:
                raise RuntimeError("CUDA out of memory.")
            return super().predict(batch)

    whole, _ = segmented(two_particles())
    found, messages = segmented(two_particles(), Crowded())
    assert [text for text in messages if "memory ran out" in text] == messages
    assert messages
    assert found.provenance is not None
    assert found.provenance.settings["memory"] == messages
    assert whole.provenance is not None
    assert "memory" not in whole.provenance.settings
    np.testing.assert_array_equal(found.mask.data, whole.mask.data)


def test_stages_are_told() -> None:
    job = SegmentJob(volume=Volume(data=two_particles(), grid=GRID), model=Path("run"))
    events = run_to_end(segment_task(job, load=always(Brightness())))[1]
    stages = dict.fromkeys(event.stage for event in events if isinstance(event, Progress))
    assert list(stages) == [
        "Hashing inputs",
        "Reading the volume",
        "Segmenting",
        "Finding particles",
    ]


def test_closing_the_task_stops_it() -> None:
    calls = []

    class Counting(Brightness):
        def predict(self, batch: Tensor) -> Tensor:
            calls.append(1)
            return super().predict(batch)

    job = SegmentJob(volume=Volume(data=two_particles(), grid=GRID), model=Path("run"))
    job = replace(job, settings=SegmentSettings(core=8))
    task = segment_task(job, load=always(Counting()))
    while not calls:
        next(task)
    task.close()
    assert calls == [1]


def test_the_real_model_is_loaded_from_its_run(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="nowhere"):
        run_to_end(
            segment_task(
                SegmentJob(volume=Volume(data=two_particles()), model=tmp_path / "nowhere")
            )
        )


def test_the_contrast_can_be_turned_against_the_model() -> None:
    result, _ = segmented(two_particles())
    assert result.contrast == "bright"
    turned = SegmentJob(
        volume=Volume(data=-two_particles(), grid=GRID, name="tomo"),
        model=Path("run"),
        settings=SegmentSettings(core=16),
        device="cpu",
        contrast="dark",
    )
    again, events = run_to_end(segment_task(turned, load=always(Brightness())))
    assert again.contrast == "dark"
    np.testing.assert_allclose(again.probability.data, result.probability.data, atol=1e-5)
    assert not [e for e in events if isinstance(e, Message)]


def test_a_contrast_that_surely_differs_from_the_models_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def guess(confidence: float) -> None:
        found = ContrastGuess(contrast="dark", confidence=confidence, reason="")
        monkeypatch.setattr("napari_voxuda.data.contrast.detect_contrast", lambda volume: found)

    guess(0.99)
    _, messages = segmented(two_particles())
    assert len(messages) == 1
    assert "protein looks dark" in messages[0]
    assert "set the contrast to dark" in messages[0]
    assert segmented(two_particles(), Brightness(contrast="dark"))[1][0].startswith(
        "tomo: no voxel"
    )
    guess(0.9)
    assert segmented(two_particles())[1] == []

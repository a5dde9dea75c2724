from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_voxuda._types import TripleInt
from napari_voxuda.errors import InputError
from napari_voxuda.method.fourier import high_pass_mask
from napari_voxuda.simulation.catalogue import Catalogue
from napari_voxuda.simulation.imaging import wedge
from napari_voxuda.simulation.molecules import Molecule
from napari_voxuda.simulation.phantoms import phantom
from napari_voxuda.simulation.placement import Draw, Placement, draw_box
from napari_voxuda.simulation.settings import SourceSettings
from napari_voxuda.simulation.source import SimulatedSource, make_source

CLEAR = SourceSettings(
    variety="fixed",
    neighbours=0,
    offset_voxels=0.0,
    empty_fraction=0.0,
    snr=(0.05,),
    small_proteins=0,
    gold_fraction=0.0,
    membrane_fraction=0.0,
)
CLUTTERED = replace(
    CLEAR, box=40, offset_voxels=8.0, small_proteins=8, gold_fraction=0.5, membrane_fraction=0.5
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def source_of(*molecules: Molecule, settings: SourceSettings = CLEAR) -> SimulatedSource:
    makers = [lambda m=m: m for m in molecules]
    catalogue = Catalogue(
        makers,
        names=[m.name for m in molecules],
        voxel_size_angstrom=settings.voxel_size_angstrom,
    )
    return SimulatedSource(settings, catalogue)


def placed(
    centre: tuple[float, float, float], rotation: np.ndarray | None = None, molecule: int = 0
) -> Placement:
    return Placement(
        molecule=molecule,
        centre=np.asarray(centre, dtype=np.float64),
        rotation=np.eye(3) if rotation is None else rotation,
        stretch=np.ones(3),
    )


def imaged(*placements: Placement, tilt: float = 60.0) -> Draw:
    return Draw(
        placements=placements,
        reference=0,
        snr=0.05,
        defocus_um=5.0,
        tilt_min_deg=-tilt,
        tilt_max_deg=tilt,
        ctf="raw",
    )


def test_a_batch_is_what_it_says() -> None:
    batch = make_source(CLEAR).draw(3, generator())
    assert len(batch) == 3
    assert batch.images.shape == batch.clean.shape == batch.masks.shape == (3, 32, 32, 32)
    assert batch.images.dtype == batch.clean.dtype == batch.snr.dtype == torch.float32
    assert batch.masks.dtype == torch.bool
    assert torch.isfinite(batch.images).all()


@pytest.mark.parametrize("noise_model", ["white", "coloured", "published"])
def test_the_generator_alone_decides_whatever_the_batches(noise_model: str) -> None:
    settings = replace(CLEAR, noise_model=noise_model, neighbours=2)  # type: ignore[arg-type]
    whole = make_source(settings).draw(5, generator(7))
    g, source = generator(7), make_source(settings)
    parts = [source.draw(2, g), source.draw(3, g)]
    assert torch.equal(whole.images, torch.cat([p.images for p in parts]))
    assert torch.equal(whole.masks, torch.cat([p.masks for p in parts]))
    assert not torch.equal(whole.images, source.draw(5, generator(8)).images)


def test_random_phantoms_are_reproducible_in_any_order() -> None:
    settings = SourceSettings(neighbours=1)
    source = make_source(settings)
    source.draw(2, generator(1))
    later = source.draw(2, generator(2))
    assert torch.equal(later.images, make_source(settings).draw(2, generator(2)).images)


@pytest.mark.parametrize("noise_model", ["white", "coloured", "published"])
@pytest.mark.parametrize("snr", [0.03, 0.5])
def test_the_noise_has_the_stated_variance_ratio_over_the_box(noise_model: str, snr: float) -> None:
    settings = replace(SourceSettings.paper(), noise_model=noise_model, snr=(snr,))  # type: ignore[type-var]
    batch = make_source(settings).draw(4, generator())
    signal = batch.clean.var(dim=(1, 2, 3))  # the published source has labelled molecules only
    torch.testing.assert_close(batch.signal_variance, signal, rtol=1e-3, atol=0)
    noise = (batch.images - batch.clean).var(dim=(1, 2, 3))
    torch.testing.assert_close(signal / noise, torch.full((4,), snr), rtol=1e-3, atol=0)
    torch.testing.assert_close(batch.snr, torch.full((4,), snr), rtol=1e-3, atol=0)


def test_the_snr_of_a_whole_molecule_is_the_same_ratio_on_average() -> None:
    settings = replace(CLEAR, snr_of="molecule", snr=(0.1,))
    ratios = make_source(settings).draw(40, generator()).snr
    assert ratios.mean().item() == pytest.approx(0.1, rel=0.1)
    assert ratios.std() > 0  # orientations lose different parts in the wedge


def test_empty_boxes_hold_noise_alone_of_the_usual_strength() -> None:
    settings = replace(CLEAR, empty_fraction=0.5)
    batch = make_source(settings).draw(40, generator())
    empty = ~batch.masks.flatten(1).any(1)
    assert 10 < int(empty.sum()) < 30
    assert (batch.clean[empty] == 0).all()
    assert (batch.snr[empty] == 0).all()
    noise = (batch.images - batch.clean).std(dim=(1, 2, 3))
    assert noise[empty].mean().item() == pytest.approx(noise[~empty].mean().item(), rel=0.3)


def test_distractors_change_neither_masks_nor_noise_but_the_image() -> None:
    cluttered = replace(CLUTTERED, membrane_fraction=0.0, neighbours=0)
    bare = replace(cluttered, small_proteins=0, gold_fraction=0.0)
    one = make_source(cluttered).draw(12, generator())
    other = make_source(bare).draw(12, generator())
    assert torch.equal(one.masks, other.masks)
    torch.testing.assert_close(one.signal_variance, other.signal_variance)
    torch.testing.assert_close(one.snr, other.snr)
    added = (one.images - one.clean).var(dim=(1, 2, 3))
    torch.testing.assert_close(
        added, (other.images - other.clean).var(dim=(1, 2, 3)), rtol=1e-3, atol=0
    )
    assert ((one.clean - other.clean).abs().amax(dim=(1, 2, 3)) > 0).sum() > 8
    # Gold outshines everything, so that it would rule the signal if it counted.
    assert (one.clean.var(dim=(1, 2, 3)) > 3 * one.signal_variance).any()


def test_distractors_are_bright_where_they_are_and_outside_of_masks() -> None:
    source = make_source(CLUTTERED)
    assert isinstance(source, SimulatedSource)
    for seed in range(12):
        draw = draw_box(source.settings, source.molecules, np.random.default_rng(seed))
        made = source.render(draw)
        assert torch.equal(made.mask, source.render(replace(draw, distractors=())).mask)
        others = (made.clean - made.labelled).numpy()
        for distractor in draw.distractors:
            where = np.round(distractor.points).astype(int)
            there = np.zeros_like(others, bool)
            there[tuple(where[((where >= 0) & (where < 40)).all(axis=1)].T)] = True
            assert (there & made.mask.numpy()).sum() <= 0.02 * there.sum()
            if there.any() and distractor.kind != "small protein":
                assert others[there].mean() > np.quantile(others[~there], 0.84)


def test_empty_boxes_hold_distractors_too() -> None:
    batch = make_source(replace(CLUTTERED, empty_fraction=0.9)).draw(30, generator())
    empty = ~batch.masks.flatten(1).any(1)
    assert (batch.signal_variance[empty] == 0).all()
    assert (batch.snr[empty] == 0).all()
    assert (batch.clean[empty].var(dim=(1, 2, 3)) > 0).float().mean() > 0.8


def test_distractors_are_reproducible_whatever_the_batches() -> None:
    whole = make_source(CLUTTERED).draw(5, generator(3))
    g, source = generator(3), make_source(CLUTTERED)
    parts = [source.draw(2, g), source.draw(3, g)]
    assert torch.equal(whole.images, torch.cat([p.images for p in parts]))
    assert torch.equal(whole.clean, torch.cat([p.clean for p in parts]))


def test_protein_is_bright() -> None:
    batch = make_source(CLEAR).draw(6, generator())
    for clean, mask in zip(batch.clean, batch.masks, strict=True):
        assert clean[mask].mean() > clean[~mask].mean() + 2 * clean.std()


@pytest.mark.parametrize("name", ["rubisco", "clpp", "ldh", "shsp", "ribosome"])
@pytest.mark.parametrize("voxel", [8.0, 13.6])
def test_masks_enclose_the_molecular_volume(name: str, voxel: float) -> None:
    molecule = phantom(name)
    settings = replace(CLEAR, voxel_size_angstrom=voxel, box=48, offset_voxels=2.0)
    masks = source_of(molecule, settings=settings).draw(12, generator()).masks
    volume = masks.float().sum().item() / 12 * voxel**3
    assert volume == pytest.approx(molecule.volume_angstrom3, rel=0.04)


def test_masks_cover_the_parts_of_cut_molecules_and_of_neighbours() -> None:
    source = source_of(phantom("ldh"))
    whole = source.render(imaged(placed((15.5, 15.5, 15.5)))).mask
    cut = source.render(imaged(placed((15.5, 15.5, -0.5)))).mask
    assert cut.sum().item() == pytest.approx(whole.sum().item() / 2, rel=0.25)
    assert cut[..., 0].any()
    assert not cut[..., 10:].any()
    both = source.render(imaged(placed((15.5, 15.5, 15.5)), placed((15.5, 15.5, 0.0)))).mask
    assert (both & whole).sum() == whole.sum()
    assert both.sum() > whole.sum()


def test_masks_of_neighbours_do_not_overlap() -> None:
    source = make_source(replace(CLEAR, neighbours=6, offset_voxels=8.0))
    assert isinstance(source, SimulatedSource)
    for seed in range(8):
        draw = draw_box(source.settings, source.molecules, np.random.default_rng(seed))
        alone = [source.render(replace(draw, placements=(p,))).mask.int() for p in draw.placements]
        assert torch.stack(alone).sum(dim=0).max() <= 1


def test_nothing_comes_back_in_at_the_other_side() -> None:
    source = source_of(phantom("rubisco"))
    made = source.render(imaged(placed((15.5, 15.5, 33.0)), tilt=90.0))
    clean, mask = made.clean, made.mask
    assert mask[..., -1].any()
    assert not mask[..., :16].any()
    # Fringes are strong where the molecule is and gone on the far side.
    assert clean[..., :6].abs().max() < 0.01 * clean.abs().max()
    gone = source.render(imaged(placed((15.5, 15.5, 100.0)))).clean
    assert gone.abs().max() == 0


def test_a_box_is_a_crop_of_a_larger_one() -> None:
    small = source_of(phantom("rubisco"))
    large = source_of(phantom("rubisco"), settings=replace(CLEAR, box=64))
    one = small.render(imaged(placed((15.5, 12.0, 29.0)), tilt=90.0))
    other = large.render(imaged(placed((31.5, 28.0, 45.0)), tilt=90.0))
    inner = slice(16, 48)
    error = (one.clean - other.clean[inner, inner, inner]).abs().max()
    assert error < 0.02 * other.clean.abs().max()
    assert torch.equal(one.mask, other.mask[inner, inner, inner])


def test_rotating_a_molecule_rotates_its_image() -> None:
    source = source_of(phantom("ribosome"), settings=replace(CLEAR, box=48))
    turn = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # y → x, x → -y
    before = source.render(imaged(placed((23.5, 23.5, 23.5)), tilt=90.0)).mask
    after = source.render(imaged(placed((23.5, 23.5, 23.5), turn), tilt=90.0)).mask
    turned = torch.rot90(before, 1, dims=(1, 2))
    other = torch.rot90(before, -1, dims=(1, 2))
    agree = max((after & turned).sum().item(), (after & other).sum().item()) / after.sum().item()
    assert agree > 0.99
    assert (after & before).sum() < 0.95 * after.sum()


def test_the_power_lies_outside_the_missing_wedge() -> None:
    settings = replace(CLEAR, box=64, tilt_range_deg=50.0)
    source = source_of(phantom("ldh"), settings=settings)
    clean = source.render(imaged(placed((31.5, 31.5, 31.5)), tilt=50.0)).clean
    shape: TripleInt = (64, 64, 64)
    power = torch.fft.rfftn(clean).abs() ** 2
    measured = wedge(shape, -50, 50) > 0
    # The crop smears the spectrum by a coefficient or two, so look further inside the wedge.
    deep = wedge(shape, -65, 65) == 0
    assert power[deep].sum() < 0.002 * power[measured].sum()
    assert power[deep].mean() < 0.01 * power[measured].mean()
    full = source.render(imaged(placed((31.5, 31.5, 31.5)), tilt=90.0)).clean
    assert (torch.fft.rfftn(full).abs() ** 2)[deep].mean() > 50 * power[deep].mean()


def test_the_published_source_has_hardly_any_power_where_the_noise_module_looks() -> None:
    images = make_source(SourceSettings.paper()).draw(4, generator()).images
    power = torch.fft.fftn(images - images.mean(dim=(1, 2, 3), keepdim=True), dim=(1, 2, 3)).abs()
    share = (power**2 * high_pass_mask((32, 32, 32), 0.244)).sum() / (power**2).sum()
    assert share < 0.02


def test_contrast_scales_the_image_but_not_the_mask() -> None:
    plain = phantom("ldh")
    rich = Molecule(name="rich", points=plain.points, volumes=plain.volumes, contrast=1.5)
    source = source_of(plain, rich)
    one = source.render(imaged(placed((15.5, 15.5, 15.5))))
    other = source.render(imaged(placed((15.5, 15.5, 15.5), molecule=1)))
    torch.testing.assert_close(other.clean, 1.5 * one.clean, rtol=1e-4, atol=1e-5)
    assert torch.equal(one.mask, other.mask)


def test_other_boxes_and_voxel_sizes_work() -> None:
    settings = SourceSettings(box=40, voxel_size_angstrom=6.8, variety="fixed")
    assert make_source(settings).draw(1, generator()).images.shape == (1, 40, 40, 40)


def test_the_description_is_plain_json() -> None:
    text = json.dumps(make_source(CLEAR).description)
    assert "rubisco-like phantom (550 kDa)" in text
    assert '"snr": [0.05]' in text


def test_a_count_below_one_is_refused() -> None:
    with pytest.raises(InputError, match="at least 1 box was wanted, got 0"):
        make_source(CLEAR).draw(0, generator())

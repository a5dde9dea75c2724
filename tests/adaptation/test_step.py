"""One step: which terms count, and who learns from whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from napari_voxuda.adaptation.learner import Learner
from napari_voxuda.adaptation.noise_match import SourceImages
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.adaptation.step import StepOutcome, adaptation_step

from .conftest import BlobSource, BlobTarget


def step(settings: AdaptSettings, learner: Learner | None = None, **changes: Any) -> StepOutcome:
    generator = torch.Generator().manual_seed(0)
    drawn = BlobSource().draw(settings.batch, generator)
    options: dict[str, Any] = {
        "signal_variance": drawn.clean.var().item(),
        "normalisation": "volume",
        "step": settings.steps - 1,
        "generator": generator,
    }
    return adaptation_step(
        learner or Learner(settings, torch.device("cpu"), 0),
        SourceImages(images=drawn.images, clean=drawn.clean, masks=drawn.masks),
        BlobTarget().draw(settings.batch, generator),
        BlobTarget().draw(3, generator),
        settings,
        **(options | changes),
    )


def test_all_terms_of_equation_one_count(tiny: AdaptSettings) -> None:
    losses = step(tiny).losses
    assert losses["segmentation"] > 0
    assert losses["pseudo"] > 0
    assert losses["consistency"] > 0
    assert losses["discriminator"] > 0
    parts = sum(v for k, v in losses.items() if k != "total")
    assert losses["total"] == pytest.approx(parts, rel=1e-5)


def test_source_only_uses_the_source_alone(tiny: AdaptSettings) -> None:
    outcome = step(tiny.source_only())
    assert outcome.losses["total"] == outcome.losses["segmentation"]
    assert outcome.coverage == 0
    assert {k for k, v in outcome.losses.items() if v} == {"total", "segmentation"}


def test_dann_adds_only_the_discriminator(tiny: AdaptSettings) -> None:
    losses = step(tiny.dann()).losses
    assert {k for k, v in losses.items() if v} == {"total", "segmentation", "discriminator"}


def test_asc_learns_the_source_and_agrees_with_the_teacher_on_the_target(
    tiny: AdaptSettings,
) -> None:
    learner = Learner(tiny.asc(), torch.device("cpu"), 0)
    seen: list[int] = []
    learner.student.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    losses = step(tiny.asc(), learner).losses
    assert {k for k, v in losses.items() if v} == {"total", "segmentation", "consistency"}
    assert seen == [2 * tiny.batch]  # both domains in the appearance of the other, and nothing else


def test_the_teacher_is_followed_only_where_the_appearance_changes(tiny: AdaptSettings) -> None:
    # Student and teacher start alike; in evaluation mode an unchanged target would agree fully.
    learner = Learner(tiny.asc(), torch.device("cpu"), 0)
    learner.student.eval()
    assert step(replace(tiny.asc(), exchange_window=0.0), learner).losses["consistency"] < 1e-9
    learner = Learner(tiny.asc(), torch.device("cpu"), 0)
    learner.student.eval()
    assert step(replace(tiny.asc(), exchange_window=1.0), learner).losses["consistency"] > 1e-7


def test_pseudo_labels_wait_for_their_start(tiny: AdaptSettings) -> None:
    late = replace(tiny, pseudo_start=0.5)
    assert step(late, step=2).losses["pseudo"] == 0
    assert step(late, step=3).losses["pseudo"] > 0


@pytest.mark.parametrize(
    ("ramp", "at", "weight"), [(0.5, 1, 0.0), (0.5, 2, 0.4), (0.5, 4, 1.0), (0.0, 1, 1.0)]
)
def test_the_weight_of_pseudo_labels_grows_from_their_start(
    tiny: AdaptSettings, ramp: float, at: int, weight: float
) -> None:
    settings = replace(tiny, steps=5, pseudo_start=0.2, pseudo_ramp=ramp, pseudo_weight=2.0)
    losses = step(settings, step=at).losses
    rest = sum(losses[name] for name in ("segmentation", "consistency", "discriminator"))
    assert losses["pseudo"] > 0.01
    assert losses["total"] - rest == pytest.approx(2 * weight * losses["pseudo"], abs=1e-5)


def test_what_the_student_finds_in_the_target_is_told_where_it_looked(tiny: AdaptSettings) -> None:
    outcome = step(tiny)
    assert outcome.labelled
    assert outcome.predicted is not None
    assert 0 < outcome.predicted < 1
    learner = Learner(tiny, torch.device("cpu"), 0)
    with torch.no_grad():
        learner.student.head_v6.classifier.bias += 40
    assert (step(tiny, learner).predicted or 0) > 0.99
    alone = step(tiny.source_only())
    assert (alone.labelled, alone.predicted) == (False, None)


@pytest.mark.parametrize("rule", ["confident", "balanced"])
@pytest.mark.parametrize("teacher_input", ["raw", "denoised"])
def test_every_rule_and_view_gives_fractions(
    tiny: AdaptSettings, rule: str, teacher_input: str
) -> None:
    outcome = step(replace(tiny, pseudo_labels=rule, teacher_input=teacher_input))
    assert 0 <= outcome.coverage <= 1
    assert 0 <= outcome.foreground <= 1


@pytest.mark.parametrize(
    "noise", ["ngm", "calibrated", "poisson", "speckle", "spectrum", "exchange"]
)
@pytest.mark.parametrize("base", ["clean", "noisy"])
def test_every_kind_of_noise_trains(tiny: AdaptSettings, noise: str, base: str) -> None:
    assert step(replace(tiny, noise=noise, noise_base=base)).losses["consistency"] > 0


def test_the_student_moves_by_gradient_and_the_teacher_by_average(tiny: AdaptSettings) -> None:
    settings = replace(tiny, ema_decay=0.5)
    learner = Learner(settings, torch.device("cpu"), 0)
    start = {k: v.clone() for k, v in learner.teacher.named_parameters()}
    step(settings, learner, step=settings.steps - 1)
    moved = 0
    decay = min(0.5, settings.steps / (settings.steps + 9))
    for name, value in learner.teacher.named_parameters():
        student = dict(learner.student.named_parameters())[name]
        torch.testing.assert_close(value, decay * start[name] + (1 - decay) * student)
        moved += int(not torch.equal(student, start[name]))
    assert moved > 10


def test_a_fixed_batch_is_learnt(tiny: AdaptSettings) -> None:
    settings = replace(tiny, learning_rate=1e-2).source_only()
    learner = Learner(settings, torch.device("cpu"), 0)
    losses = [step(settings, learner).losses["segmentation"] for _ in range(40)]
    assert losses[-1] < 0.5 * losses[0]

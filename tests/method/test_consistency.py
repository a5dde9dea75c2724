from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method.consistency import CONSISTENCY_WEIGHTS, consistency_loss


def _taps(seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = [(2, 4, 6, 6, 6), (2, 4, 3, 3, 3), (2, 8, 2, 2, 2), (2, 8, 1, 1, 1)]
    return [torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes]


def slow_loss(clean: list[torch.Tensor], noisy: list[torch.Tensor], weights: list[float]) -> float:
    """Eq. (7) voxel by voxel."""
    total = 0.0
    for a, b, weight in zip(clean, noisy, weights, strict=True):
        distances = []
        for n, z, y, x in np.ndindex(a.shape[0], *a.shape[2:]):
            f, g = a[n, :, z, y, x].numpy(), b[n, :, z, y, x].numpy()
            distances.append(1 - f @ g / (np.linalg.norm(f) * np.linalg.norm(g)))
        total += weight * float(np.mean(distances))
    return total


@pytest.mark.parametrize("weights", [[0.2, 0.2, 0.3, 0.3], [1.0, 0.0, 2.0, 0.5]])
def test_equals_the_slow_loop(weights: list[float]) -> None:
    clean, noisy = _taps(0), _taps(1)
    found = consistency_loss(clean, noisy, weights)
    assert float(found) == pytest.approx(slow_loss(clean, noisy, weights), rel=1e-9)


def test_published_weights_are_the_default() -> None:
    assert CONSISTENCY_WEIGHTS == (0.2, 0.2, 0.3, 0.3)
    found = consistency_loss(_taps(0), _taps(1))
    assert float(found) == pytest.approx(slow_loss(_taps(0), _taps(1), [0.2, 0.2, 0.3, 0.3]))


def test_limits() -> None:
    clean = _taps(0)
    assert float(consistency_loss(clean, clean)) == pytest.approx(0, abs=1e-12)
    assert float(consistency_loss(clean, [3 * f for f in clean])) == pytest.approx(0, abs=1e-9)
    assert float(consistency_loss(clean, [-f for f in clean])) == pytest.approx(2, rel=1e-9)
    half = [torch.cat([f, torch.zeros_like(f)], dim=1) for f in clean]
    other = [torch.cat([torch.zeros_like(f), f], dim=1) for f in clean]
    assert float(consistency_loss(half, other)) == pytest.approx(1, rel=1e-9)


def test_vanishing_features_give_no_loss_and_finite_gradients() -> None:
    zeros = [torch.zeros(1, 3, 2, 2, 2, requires_grad=True)]
    loss = consistency_loss(zeros, [torch.zeros(1, 3, 2, 2, 2)], [1.0])
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert zeros[0].grad is not None
    assert torch.isfinite(zeros[0].grad).all()


def test_gradient_pulls_the_features_together() -> None:
    clean = [f.float().requires_grad_() for f in _taps(0)]
    noisy = [f.float() for f in _taps(1)]
    before = consistency_loss(clean, noisy)
    before.backward()
    after = consistency_loss([f - 0.5 * f.grad for f in clean if f.grad is not None], noisy)
    assert float(after.detach()) < float(before.detach())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    clean, noisy = ([f.to(dtype) for f in _taps(seed)] for seed in (0, 1))
    found = consistency_loss(clean, noisy)
    assert found.dtype == torch.float32
    torch.testing.assert_close(
        found, consistency_loss([f.float() for f in clean], [f.float() for f in noisy])
    )


def test_leading_dimensions_are_free() -> None:
    clean, noisy = _taps(0), _taps(1)
    found = consistency_loss([f[None] for f in clean], [f[None] for f in noisy])
    torch.testing.assert_close(found, consistency_loss(clean, noisy))


def test_wrong_input_is_refused() -> None:
    clean = _taps(0)
    with pytest.raises(InputError, match="got 4, 3 and 4"):
        consistency_loss(clean, clean[:3])
    with pytest.raises(InputError, match="got 0, 0 and 0"):
        consistency_loss([], [], [])
    with pytest.raises(InputError, match=r"tap 0: .* wanted, got \(2, 4, 6, 6, 6\) and \(2, 4"):
        consistency_loss(clean[:1], clean[1:2], [1.0])

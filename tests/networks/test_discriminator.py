"""The discriminator learns the domains; through the reversal the features forget them."""

from __future__ import annotations

import math

import torch

from napari_voxuda.networks.discriminator import (
    Discriminator,
    discriminator_loss,
    reverse_gradient,
)


def test_reversal_is_the_identity_forwards_and_negative_backwards() -> None:
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    y = reverse_gradient(x, 0.3)
    assert torch.equal(y, x)
    (y * torch.tensor([2.0, 5.0])).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.tensor([-0.6, -1.5]))


def test_output_does_not_depend_on_the_length_of_the_features() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(8)
    features = torch.randn(2, 8, 3, 3, 3)
    torch.testing.assert_close(discriminator(features, 1.0), discriminator(7 * features, 1.0))


def test_loss_of_an_undecided_discriminator_is_log_two() -> None:
    discriminator = Discriminator(4)
    torch.nn.init.zeros_(discriminator.layers[-1].weight)
    torch.nn.init.zeros_(discriminator.layers[-1].bias)
    loss = discriminator_loss(
        discriminator, torch.randn(2, 4, 2, 2, 2), torch.randn(2, 4, 2, 2, 2), 0.1
    )
    assert math.isclose(loss.item(), math.log(2), rel_tol=1e-6)


def test_a_step_helps_the_discriminator_and_confuses_the_features() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(4)
    source = torch.randn(4, 4, 2, 2, 2) + torch.tensor([2.0, 0, 0, 0]).view(1, 4, 1, 1, 1)
    source.requires_grad_()
    target = torch.randn(4, 4, 2, 2, 2) - torch.tensor([2.0, 0, 0, 0]).view(1, 4, 1, 1, 1)

    def loss(features: torch.Tensor) -> torch.Tensor:
        return discriminator_loss(discriminator, features, target, 1.0)

    optimiser = torch.optim.Adam(discriminator.parameters(), lr=1e-2)
    before = loss(source).item()
    for _ in range(50):
        optimiser.zero_grad()
        loss(source).backward()
        optimiser.step()
    trained = loss(source).item()
    assert trained < 0.5 * before
    source.grad = None
    loss(source).backward()
    assert source.grad is not None
    with torch.no_grad():  # descending the reversed gradient makes the domains harder to tell apart
        moved = source - 20 * source.grad
    assert loss(moved).item() > trained

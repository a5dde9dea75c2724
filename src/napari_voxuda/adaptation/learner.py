"""What an adaptation learns: student, teacher, discriminator, and the optimiser's state."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor

from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.adaptation.triton import load_triton
from napari_voxuda.errors import FileFormatError, TrainingError
from napari_voxuda.networks.discriminator import Discriminator
from napari_voxuda.networks.voxresnet import VoxResNet

__all__ = ["Learner", "NotFiniteError", "label_step", "learning_rate"]

_WARM_UP = 0.05
_SECOND = 0.25


class NotFiniteError(TrainingError):
    """A loss or its gradient is infinite or no number; nothing was learnt from it."""


class Learner:
    """The trainable state of a run.

    Parameters
    ----------
    settings : AdaptSettings
        Network sizes and learning rate.
    device : torch.device
        Where it computes.
    seed : int
        Seed of the initial weights.
    """

    def __init__(self, settings: AdaptSettings, device: torch.device, seed: int) -> None:
        # Initialisers draw from the global generator: seed a fork of it, leave it as it was.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            student = VoxResNet(settings.network)
            channels = settings.network.body
            discriminator = Discriminator(channels)
        self.student = student.to(device).train()
        self.teacher = copy.deepcopy(self.student).eval().requires_grad_(False)
        self.labeller: VoxResNet | None = None
        self.threshold = 0.5
        self.expected_dice: float | None = None
        self.discriminator = discriminator.to(device).train()
        self.parameters = [*self.student.parameters(), *self.discriminator.parameters()]
        load_triton()  # torch would, and might crash
        self.optimiser = torch.optim.Adam(self.parameters, lr=settings.learning_rate)

    def optimise(self, loss: Tensor) -> None:
        """Take one step of Adam down `loss`.

        Raises
        ------
        NotFiniteError
            When the loss or its gradient is not finite; the weights are left as they were.
        """
        if not torch.isfinite(loss):
            raise NotFiniteError(
                f"training: a finite loss was wanted, got {loss.item()}. "
                "Take a smaller learning rate."
            )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, 5.0)
        if not torch.isfinite(norm):
            raise NotFiniteError(
                f"training: a finite gradient was wanted, got one of length {norm.item()}. "
                "Take a smaller learning rate."
            )
        self.optimiser.step()

    def set_learning_rate(self, value: float) -> None:
        """Set Adam's learning rate."""
        for group in self.optimiser.param_groups:
            group["lr"] = value

    def keep_labeller(self) -> VoxResNet:
        """Keep a copy of the teacher as it is, for labels that are given once."""
        self.labeller = copy.deepcopy(self.teacher)
        return self.labeller

    def _labeller_of(self, tensors: dict[str, Tensor]) -> VoxResNet | None:
        prefix = "labeller."
        part = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        if not part:
            return None
        labeller = copy.deepcopy(self.teacher)
        labeller.load_state_dict(part)
        return labeller

    def weights(self) -> dict[str, Tensor]:
        """Return the tensors of student and teacher, named ``student.…`` and ``teacher.…``."""
        return _prefixed("student", self.student) | _prefixed("teacher", self.teacher)

    def tensors(self) -> dict[str, Tensor]:
        """Return every tensor of the state, the optimiser's included."""
        found = self.weights() | _prefixed("discriminator", self.discriminator)
        if self.labeller is not None:
            found |= _prefixed("labeller", self.labeller)
        for index, parameter in enumerate(self.parameters):
            for name, value in self.optimiser.state.get(parameter, {}).items():
                found[f"adam.{index}.{name}"] = value
        return found

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Restore what `tensors` returned.

        Raises
        ------
        FileFormatError
            When the tensors do not fit the networks.
        """
        try:
            for name in ("student", "teacher", "discriminator"):
                prefix = f"{name}."
                part = {
                    k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)
                }
                getattr(self, name).load_state_dict(part)
            self.labeller = self._labeller_of(tensors)
            state: dict[int, dict[str, Any]] = {}
            for key, value in tensors.items():
                if key.startswith("adam."):
                    _, index, name = key.split(".")
                    state.setdefault(int(index), {})[name] = value
            groups = self.optimiser.state_dict()["param_groups"]
            self.optimiser.load_state_dict({"state": state, "param_groups": groups})
        except (RuntimeError, ValueError, KeyError) as error:
            raise FileFormatError(
                f"checkpoint: it does not fit this run's network ({error})."
            ) from (error)


def learning_rate(step: int, settings: AdaptSettings) -> float:
    """Return the learning rate of the 0-based `step`."""
    if settings.schedule == "step":  # published: divided by 10 after each third
        return settings.learning_rate * 0.1 ** int(3 * step / settings.steps)
    start = label_step(settings)
    if step >= start:  # labelled once: a second, gentler cosine
        fraction = (step - start) / (settings.steps - start)
        return _SECOND * settings.learning_rate * 0.5 * (1 + math.cos(math.pi * fraction))
    warm = min(1.0, (step + 1) / max(1.0, _WARM_UP * start))
    return settings.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / start))


def label_step(settings: AdaptSettings) -> int:
    """Return the step before which the target is labelled once; the number of all steps if never."""
    if settings.pseudo_labels != "ranked":
        return settings.steps
    return math.ceil(settings.pseudo_start * settings.steps)


def _prefixed(name: str, module: torch.nn.Module) -> dict[str, Tensor]:
    return {f"{name}.{key}": value for key, value in module.state_dict().items()}

"""Choose where tensors are computed from the name that a user gives, and know its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from napari_voxuda.app.jobs import DeviceName
from napari_voxuda.data.memory import available_memory_bytes, machine_memory_bytes
from napari_voxuda.errors import InputError

if TYPE_CHECKING:
    import torch

__all__ = ["free_memory_bytes", "memory_bytes", "resolve_device"]


def resolve_device(name: str = "auto") -> torch.device:
    """Return the device that `name` stands for.

    Parameters
    ----------
    name : {"auto", "cpu", "cuda"}
        ``"auto"`` takes a CUDA GPU where torch sees one, and the CPU otherwise.

    Returns
    -------
    torch.device
        The device.

    Raises
    ------
    InputError
        When the name is unknown, or ``"cuda"`` is asked for and torch sees no CUDA GPU.
    """
    import torch

    if name not in get_args(DeviceName):
        raise InputError(
            f"device: one of {', '.join(get_args(DeviceName))} was wanted, got {name!r}."
        )
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        why = (
            "this torch was built without CUDA"
            if torch.version.cuda is None
            else "torch sees no CUDA GPU"
        )
        raise InputError(
            f"device: a CUDA GPU was wanted, but {why}; choose 'cpu' or 'auto', or install a "
            "torch build with CUDA and check the driver with nvidia-smi."
        )
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def memory_bytes(device: torch.device) -> int | None:
    """Return the memory that a computation on `device` may use.

    Parameters
    ----------
    device : torch.device
        The device.

    Returns
    -------
    int or None
        Bytes: what is free on a GPU, what the machine or its container has for the CPU; None where
        the system does not tell.
    """
    if device.type == "cuda":
        import torch

        free, _ = torch.cuda.mem_get_info(device)
        return int(free)
    return machine_memory_bytes()


def free_memory_bytes(device: torch.device) -> int | None:
    """Return the memory that is free on `device` at the moment; None where the system does not tell."""
    return memory_bytes(device) if device.type == "cuda" else available_memory_bytes()

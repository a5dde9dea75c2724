"""Load Triton so that it does not crash beside an open viewer."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys

__all__ = ["load_triton"]


def load_triton() -> None:
    """Load the compiler that CUDA builds of torch bring, bound to its own symbols.

    Notes
    -----
    The first optimiser makes torch load Triton, which holds a copy of LLVM. Where OpenGL is drawn by
    Mesa's software renderer (a remote desktop, a virtual display), another LLVM is in the
    process already with all its names in sight; Triton then calls that one, and the process dies
    of a segmentation fault. ``RTLD_DEEPBIND`` lets a library look for names in itself first. Nothing
    happens where Triton is not installed, is loaded already, or the system knows no such flag.
    """
    deep = getattr(os, "RTLD_DEEPBIND", 0)
    if not deep or "triton" in sys.modules or importlib.util.find_spec("triton") is None:
        return
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | deep)
    try:
        importlib.import_module("triton")
    except ImportError:
        return  # torch does without it, too
    finally:
        sys.setdlopenflags(flags)

"""Labels whose text breaks into lines."""

from __future__ import annotations

from qtpy.QtWidgets import QLabel, QSizePolicy

__all__ = ["breakable", "let_wrap"]


def let_wrap(label: QLabel) -> None:
    """Let a label's text break into lines at any width, and the label be as high as these need.

    A size policy set after `setWordWrap` forgets that the height depends on the width; layouts then
    cut the lower lines off until the text changes.
    """
    label.setWordWrap(True)
    policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    label.setSizePolicy(policy)


def breakable(text: str) -> str:
    """Return a text in which names such as ``TS_01_bin4_denoised`` may break into lines after each ``_``."""
    return text.replace("_", "_\u200b")

"""The tasks that the command line and the docks run."""

from __future__ import annotations

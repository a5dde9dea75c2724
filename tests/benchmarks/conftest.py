"""Make the folder of benchmarks importable, which is no part of the installed package."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_ROOT))
_PACKAGES = ("gui_latency", "transfer")
collect_ignore = [name for name in _PACKAGES if not (_ROOT / "benchmarks" / name).is_dir()]

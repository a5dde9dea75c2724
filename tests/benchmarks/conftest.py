"""Make the folder of benchmarks importable, which is no part of the installed package."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_ROOT))
collect_ignore = [] if (_ROOT / "benchmarks" / "transfer").is_dir() else ["transfer"]

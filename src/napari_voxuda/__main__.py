"""Run the command line with ``python -m napari_voxuda``."""

from __future__ import annotations

from napari_voxuda.cli.main import main

if __name__ == "__main__":
    main()

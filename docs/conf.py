"""Configuration of the documentation."""

from __future__ import annotations

from napari_voxuda import __version__

project = "napari-voxuda"
author = "napari-voxuda developers"
copyright = "2026, napari-voxuda developers"
release = version = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
]
exclude_patterns = ["_build"]
nitpicky = False

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "furo"
html_title = "napari-voxuda"
html_static_path = ["_static"]

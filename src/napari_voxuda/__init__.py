"""Segment macromolecules in cryo-electron tomograms without manual labels."""

__version__ = "0.1.0"

"""Segmentation of whole tomograms in tiles."""

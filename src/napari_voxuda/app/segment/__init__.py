"""Segment a volume, files, or a folder with an adapted network."""
